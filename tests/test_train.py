"""From corpora to voices that speak: one for each speaker, whichever model is trained first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.checkpoints import load_tacotron2
from pipeline.synthesizer import Synthesizer
from pipeline.train import main
from pipeline.training import recipes
from pipeline.training.run_folder import RunFolder
from pipeline.voices import read_voice
from tests.conftest import TINY_TACOTRON2, TINY_WAVEGLOW
from tests.tiny_training import AUDIO, said_ah

OPTIONS = ("--accelerator", "cpu", "--threads", "1", "--batch-size", "2", "--max-steps", "2")


@pytest.fixture(autouse=True)
def tiny_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recipes.TACOTRON2_SIZES, "small", TINY_TACOTRON2)
    monkeypatch.setitem(recipes.WAVEGLOW_SIZES, "small", TINY_WAVEGLOW)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two speakers who say nothing but what the recognizer finds in it."""
    root = tmp_path_factory.mktemp("corpora")
    for speaker, name in enumerate(("anna", "bert")):
        (root / name / "wavs").mkdir(parents=True)
        for i in range(3):
            starts = 0.3 + 0.02 * i + 0.95 * np.arange(3)
            audio = said_ah([(start, start + 0.5) for start in starts], 3.2, seed=9 * speaker + i)
            soundfile.write(root / name / "wavs" / f"c{i}.wav", audio, AUDIO.sample_rate)
        text = ", ".join(["{AA1}"] * 3)
        (root / name / "metadata.csv").write_text("".join(f"c{i}|{text}\n" for i in range(3)))
    return root / "anna", root / "bert"


def train(model: str, corpora: tuple[Path, ...], out: Path, *options: str) -> None:
    assert main([model, *map(str, corpora), "--out", str(out), *OPTIONS, *options]) == 0


def test_several_corpora_make_a_voice_for_each_speaker(
    corpora: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train("tacotron2", corpora, tmp_path)
    swapped = ["tacotron2", *map(str, corpora[::-1]), "--out", str(tmp_path), "--resume"]
    assert main(swapped) == 1
    assert "give the corpora in the order that the run began with" in capsys.readouterr().err
    folders = [tmp_path / "voices" / name for name in ("anna", "bert")]
    assert [read_voice(folder).waveglow for folder in folders] == [None, None]
    train("waveglow", corpora, tmp_path)
    voices = [read_voice(folder) for folder in folders]
    assert [voice.name for voice in voices] == ["anna", "bert"]
    assert [voice.speaker for voice in voices] == [0, 1]
    assert voices[0].tacotron2 == voices[1].tacotron2
    assert voices[0].waveglow == voices[1].waveglow
    assert [voice.provenance["tacotron2"]["corpus"] for voice in voices] == ["anna, bert"] * 2
    assert set(voices[0].provenance) == {"tacotron2", "waveglow"}
    assert load_tacotron2(folders[0] / "tacotron2.safetensors").config.n_speakers == 2
    mels = [Synthesizer.load(folder, device="cpu").speak("Oh.").mel for folder in folders]
    n_frames = min(mel.shape[1] for mel in mels)
    assert not np.allclose(mels[0][:, :n_frames], mels[1][:, :n_frames])
    assert not (tmp_path / "voice.json").exists()


def test_one_corpus_makes_the_folder_itself_a_voice(
    corpora: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "mine"
    train("waveglow", corpora[:1], out)
    assert not (out / "voice.json").exists()
    train("tacotron2", corpora[:1], out)
    voice = read_voice(out)
    assert (voice.name, voice.speaker, voice.sigma, voice.denoise) == ("mine", 0, 0.7, 0.0)
    assert np.isfinite(Synthesizer.load(out, device="cpu").speak("Oh.").audio).all()
    train("tacotron2", corpora[:1], out, "--resume", "--max-steps", "3")
    assert read_voice(out).tacotron2 != voice.tacotron2
    assert read_voice(out).provenance["tacotron2"]["steps"] == 3


def test_a_run_is_not_begun_twice(
    corpora: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train("waveglow", corpora[:1], tmp_path)
    assert main(["waveglow", str(corpora[0]), "--out", str(tmp_path), *OPTIONS]) == 1
    assert "go on with --resume" in capsys.readouterr().err


def test_a_flow_postnet_is_trained_in_stages_that_resume(
    corpora: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(
        TINY_TACOTRON2, reduction=2, prosody_channels=8, flow_channels=8, flow_layers=2
    )
    monkeypatch.setitem(recipes.TACOTRON2_SIZES, "small", config)
    monkeypatch.setattr(recipes, "PREDICTOR_STEPS", 2)
    monkeypatch.setattr(recipes, "FLOW_MATCHING_STEPS", 3)

    def steps() -> dict[str, int]:
        folders = sorted(path.parent for path in tmp_path.glob("*/checkpoint.pt"))
        return {f.name: RunFolder(f, "tacotron2").load()["progress"]["step"] for f in folders}

    train("tacotron2", corpora, tmp_path, "--max-steps", "2")
    assert steps() == {"predictor": 2, "flow-matching": 2}
    train("tacotron2", corpora, tmp_path, "--max-steps", "3", "--resume")
    assert steps() == {"predictor": 2, "flow-matching": 3, "adversarial": 3}
    before = load_tacotron2(tmp_path / "voices" / "anna" / "tacotron2.safetensors").state_dict()
    train("tacotron2", corpora, tmp_path, "--max-steps", "4", "--resume")
    assert steps() == {"predictor": 2, "flow-matching": 3, "adversarial": 4}
    after = load_tacotron2(tmp_path / "voices" / "anna" / "tacotron2.safetensors").state_dict()
    changed = {name.split(".")[0] for name in after if not after[name].equal(before[name])}
    assert changed == {"flow_postnet"}
