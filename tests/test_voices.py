"""Voice folders: found by name or path, loaded strictly, mismatches refused with both values."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from pipeline import Synthesizer
from pipeline.checkpoints import save_model
from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig
from pipeline.torch_engine import TorchEngine
from pipeline.voice_folders import find_voice
from pipeline.voice_loading import find_vocoder, load_predictor
from pipeline.voices import publish, read_voice
from pipeline.waveglow import WaveGlow
from tests.conftest import TINY_WAVEGLOW, make_voice
from tests.test_flow_postnet import CONFIG, inputs
from tests.tiny_models import random_tacotron2


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    return make_voice(tmp_path / "mine")


def edit(folder: Path, **changes: object) -> None:
    path = folder / "voice.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_missing_voice_names_those_that_are_there() -> None:
    with pytest.raises(PipelineError, match=r"No voice 'nobody': expected .* kathleen"):
        find_voice("nobody")


def test_unknown_keys_are_refused(voice: Path) -> None:
    edit(voice, colour="blue")
    with pytest.raises(PipelineError, match="does not know colour"):
        read_voice(voice)


def test_missing_keys_are_refused(voice: Path) -> None:
    path = voice / "voice.json"
    values = json.loads(path.read_text())
    del values["sigma"]
    path.write_text(json.dumps(values))
    with pytest.raises(PipelineError, match="sigma"):
        read_voice(voice)


def test_another_symbol_table_is_refused_with_both(voice: Path) -> None:
    edit(voice, symbol_table="runes")
    with pytest.raises(PipelineError, match="symbol table runes, this text front end has"):
        Synthesizer.load(voice)


@pytest.mark.parametrize("name", ["tacotron2.safetensors", "waveglow.safetensors"])
def test_one_altered_byte_is_seen(voice: Path, name: str) -> None:
    data = bytearray((voice / name).read_bytes())
    data[-5] ^= 1
    (voice / name).write_bytes(bytes(data))
    with pytest.raises(PipelineError, match=rf"{name} has sha256 .* expected"):
        Synthesizer.load(voice)


def test_a_truncated_checkpoint_is_seen_without_a_digest_too(voice: Path) -> None:
    path = voice / "waveglow.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(PipelineError, match="not a whole"):
        Synthesizer.load(make_voice(voice.parent / "other"), vocoder=path)


def test_another_vocoder_by_file_and_by_folder_is_the_same(voice: Path, tmp_path: Path) -> None:
    other = make_voice(tmp_path / "other", seed=1)
    by_file = TorchEngine.load(voice, vocoder=other / "waveglow.safetensors")
    by_folder = TorchEngine.load(voice, vocoder=other)
    assert by_file.vocoder_sha256 == by_folder.vocoder_sha256
    assert by_file.vocoder_sha256 != TorchEngine.load(voice).vocoder_sha256


def test_a_vocoder_for_other_mels_is_refused_with_both_values(voice: Path, tmp_path: Path) -> None:
    narrow = dataclasses.replace(TINY_WAVEGLOW, audio=AudioConfig(mel_max_hz=7_000.0))
    torch.manual_seed(0)
    save_model(WaveGlow(narrow), tmp_path / "narrow.safetensors")
    with pytest.raises(PipelineError, match=r"mel_max_hz 7000\.0, the voice with 8000\.0"):
        Synthesizer.load(voice, vocoder=tmp_path / "narrow.safetensors")


@pytest.mark.parametrize("speaker", [-1, 1])
def test_a_speaker_that_the_predictor_lacks_is_refused(voice: Path, speaker: int) -> None:
    edit(voice, speaker=speaker)
    with pytest.raises(PipelineError, match=f"names speaker {speaker}, but .* has 1; expected 0"):
        Synthesizer.load(voice)


def test_a_missing_vocoder_says_what_is_expected() -> None:
    with pytest.raises(PipelineError, match="No vocoder 'nothing'"):
        find_vocoder("nothing")


def test_the_old_name_of_the_boundary_symbol_is_read_too(voice: Path) -> None:
    path = voice / "voice.json"
    values = json.loads(path.read_text())
    del values["boundary_symbol"]
    path.write_text(json.dumps(values | {"edge_symbol": "-"}))
    assert read_voice(voice).boundary_symbol == "-"


def test_publishing_changes_what_is_given_and_nothing_else(voice: Path, tmp_path: Path) -> None:
    edit(voice, sigma=0.3, temperature=0.2, provenance={"tacotron2": "a", "waveglow": "b"})
    before, other = read_voice(voice), make_voice(tmp_path / "other", seed=1)
    after = publish(
        voice, {"waveglow": other / "waveglow.safetensors"}, provenance={"waveglow": "c"}
    )
    assert after == read_voice(voice)
    assert after == dataclasses.replace(
        before,
        waveglow=read_voice(other).waveglow,
        provenance={"tacotron2": "a", "waveglow": "c"},
    )


def test_what_was_measured_of_a_predictor_goes_with_it(voice: Path, tmp_path: Path) -> None:
    edit(voice, pitch_scale=1.2)
    before, other = read_voice(voice), make_voice(tmp_path / "other", seed=1)
    assert before.levels
    publish(voice, {"tacotron2": voice / "tacotron2.safetensors"}, provenance={})
    assert read_voice(voice) == before
    publish(voice, {"tacotron2": other / "tacotron2.safetensors"}, provenance={})
    after = read_voice(voice)
    assert (after.levels, after.pitch_scale) == (None, None)


def test_a_vocoder_alone_waits_for_its_predictor(voice: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert publish(folder, {"waveglow": voice / "waveglow.safetensors"}, provenance={}) is None
    made = publish(folder, {"tacotron2": voice / "tacotron2.safetensors"}, provenance={})
    assert made is not None
    assert (made.name, made.tacotron2, made.waveglow) == (
        "new",
        read_voice(voice).tacotron2,
        read_voice(voice).waveglow,
    )
    Synthesizer.load(folder)


def test_models_for_different_mels_are_not_published(voice: Path, tmp_path: Path) -> None:
    narrow = dataclasses.replace(TINY_WAVEGLOW, audio=AudioConfig(mel_max_hz=7_000.0))
    save_model(WaveGlow(narrow), tmp_path / "narrow.safetensors")
    with pytest.raises(PipelineError, match=r"narrow\.safetensors works with mel_max_hz 7000\.0"):
        publish(voice, {"waveglow": tmp_path / "narrow.safetensors"}, provenance={})
    Synthesizer.load(voice)  # as it was


def test_a_file_that_is_no_model_is_not_published(voice: Path, tmp_path: Path) -> None:
    safetensors.torch.save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(PipelineError, match=r"other\.safetensors does not tell its mel settings"):
        publish(voice, {"waveglow": tmp_path / "other.safetensors"}, provenance={})


@torch.no_grad()
def test_a_voice_has_a_temperature_of_its_own(voice: Path) -> None:
    path = voice.parent / "drawing.safetensors"
    save_model(random_tacotron2(CONFIG), path)
    publish(voice, {"tacotron2": path}, provenance={})
    mean, contexts, noise = inputs(8)
    is_valid = torch.ones(1, 1, 8, dtype=torch.bool)

    def drawn(scale: float) -> torch.Tensor:
        postnet = load_predictor(voice, read_voice(voice)).flow_postnet
        assert postnet is not None
        return postnet(mean, contexts, is_valid, noise=scale * noise)

    assert not torch.equal(drawn(1.0), drawn(2.0))
    edit(voice, temperature=0.0)
    assert torch.equal(drawn(1.0), drawn(2.0))
    edit(voice, temperature=-1.0)
    with pytest.raises(PipelineError, match=r"voice\.json: .* flow_temperature -1"):
        drawn(1.0)


def test_a_voice_has_a_melody_of_its_own(voice: Path) -> None:
    path = voice.parent / "melodious.safetensors"
    save_model(random_tacotron2(dataclasses.replace(CONFIG, prosody_channels=8)), path)
    publish(voice, {"tacotron2": path}, provenance={})
    edit(voice, pitch_scale=1.5)
    predictor = load_predictor(voice, read_voice(voice)).prosody
    assert predictor is not None
    assert predictor.scale.tolist() == [1.5, 1.0]  # of pitch, and of energy
    for scale in (-0.1, 4.1, float("nan")):
        edit(voice, pitch_scale=scale)
        with pytest.raises(PipelineError, match=r"voice\.json: pitch_scale is .*, expected 0 to 4"):
            load_predictor(voice, read_voice(voice))


def test_melody_needs_a_predictor_of_pitch(voice: Path) -> None:
    edit(voice, pitch_scale=1.5)
    with pytest.raises(PipelineError, match="does not predict pitch"):
        load_predictor(voice, read_voice(voice))


def test_the_fingerprint_tells_what_is_heard(voice: Path) -> None:
    facts = read_voice(voice)
    unheard = dataclasses.replace(facts, name="other", sigma=0.1, consent="yes", provenance={})
    assert unheard.fingerprint == facts.fingerprint
    heard = [{"temperature": 0.1}, {"pitch_scale": 1.2}, {"levels": None}, {"speaker": 1}]
    prints = {dataclasses.replace(facts, **change).fingerprint for change in [{}, *heard]}
    assert len(prints) == 1 + len(heard)
