"""A new speaker's voice from recordings and their texts: what moves, what stays, what is said."""

from __future__ import annotations

import dataclasses
import json
import math
import random
import signal
import sys
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from pipeline.checkpoints import load_tacotron2, save_model
from pipeline.data.alignment import Interval
from pipeline.data.outlook import look_ahead, outlook_lines
from pipeline.data.own_clips import own_clips, phone_times, read_prompts
from pipeline.data.preparation import Vetted
from pipeline.data.prosody import within_voice_range
from pipeline.data.speech_batches import prosody_statistics, symbol_intervals
from pipeline.data.vetting import Measurements
from pipeline.evaluation.comparison import Average
from pipeline.finetune import main
from pipeline.synthesizer import Synthesizer
from pipeline.tacotron2 import Tacotron2
from pipeline.training.assessment import read_assessment
from pipeline.training.outcome import VOCODER_LABELS, verdicts, without_steps
from pipeline.training.report import ScoreChange
from pipeline.training.speaker_tuning import (
    FEW_LAYERS,
    SpeakerRecipe,
    SpeakerTask,
    nearest_speaker,
    with_new_speaker,
)
from pipeline.voices import ModelFile, read_voice, write_voice
from tests.conftest import TINY_TACOTRON2, make_voice
from tests.timing import compute
from tests.tiny_training import AUDIO, said_ah, speech_clips
from text import normalize, pronounce, token_spans

TWO_SPEAKERS = dataclasses.replace(
    TINY_TACOTRON2,
    n_speakers=2,
    prosody_channels=8,
    flow_channels=8,
    flow_layers=2,
    pitch_channels=8,
)


def two_speakers(seed: int = 0) -> Tacotron2:
    torch.manual_seed(seed)
    return Tacotron2(TWO_SPEAKERS).eval()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice of random weights with two speakers, of whom it is the second."""
    folder = make_voice(tmp_path_factory.mktemp("voices") / "pair")
    digest = save_model(two_speakers(), folder / "tacotron2.safetensors")
    model = ModelFile(file="tacotron2.safetensors", sha256=digest)
    write_voice(dataclasses.replace(read_voice(folder), tacotron2=model, speaker=1), folder)
    return folder


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen recordings with .txt files, in which the recognizer finds what those say."""
    folder = tmp_path_factory.mktemp("said") / "ah"
    folder.mkdir()
    for i in range(14):
        starts = 0.3 + 0.02 * i + 0.95 * np.arange(5)
        audio = said_ah([(start, start + 0.5) for start in starts], 5.0, seed=i)
        soundfile.write(folder / f"c{i}.wav", audio, AUDIO.sample_rate)
        (folder / f"c{i}.txt").write_text(", ".join(["{AA1}"] * 5) + "\n")
    (folder / "broken.wav").write_bytes(b"RIFF")
    return folder


def arguments(recordings: Path, base: Path, out: Path, *options: str) -> list[str]:
    fixed = ["--accelerator", "cpu", "--threads", "1", "--batch-size", "4"]
    return [str(recordings), "--from", str(base), "--out", str(out), *fixed, *options]


@pytest.fixture(scope="module")
def tuned(said: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished fine-tuning of both models, two steps a stage."""
    out = tmp_path_factory.mktemp("runs") / "alice"
    who = ("--speaker", "Alice", "--consent", "Agreed on 3 May to all uses.")
    assert main(arguments(said, base, out, "--max-steps", "2", "--save-every", "1", *who)) == 0
    return out


def test_one_command_tunes_both_models_into_one_voice(tuned: Path, base: Path) -> None:
    voice, before = read_voice(tuned), read_voice(base)
    assert voice.speaker == 2
    assert load_tacotron2(tuned / "tacotron2.safetensors").config.n_speakers == 3
    assert voice.tacotron2.sha256 != before.tacotron2.sha256
    stages = ("speaker", "predictor", "contour", "flow")
    assert all((tuned / "training" / stage / "checkpoint.pt").exists() for stage in stages)
    assert (tuned / "training" / "checkpoint.pt").exists()
    assert np.isfinite(Synthesizer.load(tuned).speak("Oh.").audio).all()


def test_what_knows_the_text_stays_as_it_was(tuned: Path, base: Path) -> None:
    before, after = (load_file(folder / "tacotron2.safetensors") for folder in (base, tuned))
    for name, weights in before.items():
        if name.startswith(("embedding.", "encoder.")):
            torch.testing.assert_close(after[name], weights, rtol=0, atol=0)


def test_speaker_and_consent_are_in_the_voice_and_on_its_card(tuned: Path) -> None:
    facts = json.loads((tuned / "voice.json").read_text())
    assert (facts["speaker_name"], facts["consent"]) == ("Alice", "Agreed on 3 May to all uses.")
    card = (tuned / "README.md").read_text()
    assert "Speaker: Alice." in card
    assert "Consent: Agreed on 3 May to all uses." in card


def test_the_report_compares_the_base_voice_with_the_new_one(tuned: Path) -> None:
    page = (tuned / "report.html").read_text()
    assert page.count("data:audio/flac;base64,") == 2 * 3
    assert all(f"Loss of the {stage}" in page for stage in ("speaker", "predictor", "vocoder"))
    assert "minutes of good speech" in page
    scores = read_assessment(tuned / "after").scores[0]
    expected = {"word_error_rate", "pitch_offset", "pitch_spread", "dnsmos_p808", "pesq"}
    assert expected <= scores.keys()


@pytest.mark.slow
def test_without_texts_the_vocoder_alone_is_tuned(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings = tmp_path / "noise"
    recordings.mkdir()
    for i in range(14):
        noise = np.random.default_rng(i).normal(0, 0.1, 5 * AUDIO.sample_rate)
        noise[: AUDIO.sample_rate] *= 0.01
        soundfile.write(recordings / f"c{i}.wav", noise, AUDIO.sample_rate)
    out = tmp_path / "out"
    options = ("--max-steps", "1", "--save-every", "1")
    assert main(arguments(recordings, base, out, *options)) == 0
    said = capsys.readouterr().out
    assert "Transcripts (metadata.csv" in said
    assert "Tuned: the vocoder." in said
    assert read_voice(out).speaker == 1


def run_and_exit(options: list[str]) -> None:
    sys.exit(main(options))


@pytest.mark.slow
def test_kills_in_any_stage_end_in_the_same_voice(
    said: Path, base: Path, tuned: Path, tmp_path: Path, forks: ForkServerContext
) -> None:
    out, steps = tmp_path / "alice", ("--max-steps", "2", "--save-every", "1")
    moments, n_kills, seconds = random.Random(0), 0, 6.0
    for attempt in range(16):
        resume = ("--resume",) if (out / "finetune.json").exists() else ()
        process = forks.Process(
            target=run_and_exit, args=(arguments(said, base, out, *steps, *resume),)
        )
        process.start()
        longest = moments.uniform(0.5, seconds) if attempt < 8 else math.inf
        seconds = max(seconds, compute(process, max_seconds=longest))
        process.kill()
        process.join()
        n_kills += process.exitcode == -signal.SIGKILL
        if process.exitcode == 0:
            break
    assert process.exitcode == 0
    assert n_kills >= 3
    for name in ("waveglow", "tacotron2"):
        weights = [load_file(folder / f"{name}.safetensors") for folder in (tuned, out)]
        torch.testing.assert_close(*weights, rtol=0, atol=0)


def test_a_new_speaker_begins_as_a_copy_and_the_others_stay() -> None:
    model = two_speakers()
    new = with_new_speaker(model, 1)
    assert new.config.n_speakers == 3
    ids = torch.tensor([[5, 9, 20, 31]])
    spoken = [
        each.infer(ids, speaker=speaker, generator=torch.Generator().manual_seed(0)).mel
        for each, speaker in ((model, 1), (new, 2), (new, 1))
    ]
    torch.testing.assert_close(spoken[1], spoken[0])
    torch.testing.assert_close(spoken[2], spoken[0])


def test_the_nearest_speaker_is_the_one_whose_mels_are_nearest() -> None:
    model = two_speakers()
    clips = speech_clips(2)
    with torch.no_grad():
        model.speaker.weight[0] = 5.0
        assert nearest_speaker(model, clips, clips) == 1
        model.speaker.weight[:] = model.speaker.weight.flip(0).clone()
        assert nearest_speaker(model, clips, clips) == 0


def test_only_the_few_layers_asked_for_move() -> None:
    model = two_speakers()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    recipe = SpeakerRecipe(batch_size=2, moving=FEW_LAYERS)
    task = SpeakerTask(model, speech_clips(), speech_clips(2), recipe, lambda mel: mel[0])
    optimizer = torch.optim.Adam(task.parameters(), lr=1e-2)
    task.train()
    task(task.batch(0))["loss"].backward()
    optimizer.step()
    moved = {
        name
        for name, weight in model.state_dict().items()
        if not torch.equal(weight, before[name]) and "num_batches" not in name
    }
    assert {"speaker.weight", "decoder.projection.weight", "prosody.output.bias"} <= moved
    assert all(name.startswith(FEW_LAYERS) for name in moved)
    audio, pictures = task.show()
    assert audio["spoken"].shape == (pictures["mel"].shape[1],)


def test_the_prompts_hold_every_phone_of_english() -> None:
    vetted = [_vetted(f"p{i}", prompt, 3.0) for i, prompt in enumerate(read_prompts())]
    assert look_ahead(vetted).unheard == ()


def test_own_clips_are_as_long_as_their_phones() -> None:
    tokens = pronounce(normalize("We measure it."))
    n_symbols = sum(map(len, token_spans(tokens)))
    steps = np.random.default_rng(0).integers(1, 5, n_symbols)
    alignment = np.repeat(np.eye(n_symbols), steps, axis=0)
    times = phone_times(tokens, alignment, 0.02)
    assert times[0][0] == Interval(0.0, pytest.approx(0.02 * steps[0]))
    spans = [len(span) for span in token_spans(tokens)]
    intervals = symbol_intervals(tokens, times, spans, 0.02 * steps.sum())
    np.testing.assert_allclose(np.diff(intervals, axis=1)[:3, 0], 0.02 * steps[:3])


def test_a_voice_that_loses_its_way_has_no_clips_of_its_own() -> None:
    model = two_speakers()
    with torch.no_grad():
        model.decoder.gate.weight.zero_()
        model.decoder.gate.bias.fill_(-9.0)
    endings = {clip.speaker for clip in own_clips(model, speaker=1, boundary_symbol="")}
    assert endings <= {1}


def test_prosody_is_standardized_by_each_speakers_own_range() -> None:
    clips = [dataclasses.replace(clip, speaker=2) for clip in speech_clips(2)]
    assert set(prosody_statistics(clips, TWO_SPEAKERS)) == {2}


def test_pitches_that_no_speaker_of_that_range_has_are_taken_for_errors() -> None:
    hz = np.array([60.0, 95.0, 100.0, 105.0, 160.0, 210.0])
    pitch = np.stack([np.log2(hz), np.ones(6)], axis=1).astype(np.float32)
    kept = within_voice_range(pitch)
    np.testing.assert_array_equal(kept[:, 0], pitch[:, 0])
    np.testing.assert_array_equal(kept[:, 1], [0, 1, 1, 1, 1, 0])
    silence = np.zeros((3, 2), dtype=np.float32)
    np.testing.assert_array_equal(within_voice_range(silence), silence)


@pytest.mark.parametrize(
    ("text", "seconds", "words"),
    [
        ("", 200.0, "Without transcripts the vocoder alone is tuned"),
        ("Wij gaan morgenvroeg naar grootmoeders huisje.", 200.0, "do not look English"),
        ("Good morning.", 30.0, "At least 60 seconds with text are needed"),
        ("Good morning.", 200.0, "Never heard: AA, AE"),
        ("Good morning.", 200.0, "3.3 minutes of good speech, 3.3 of them with text, 30 dB"),
        ("Good morning.", 200.0, "5 minutes are recommended"),
    ],
)
def test_what_can_be_expected_is_said_before(text: str, seconds: float, words: str) -> None:
    outlook = look_ahead([_vetted("a", text, seconds)])
    assert words in " ".join(outlook_lines(outlook))
    assert outlook.teaches_text == ("Never heard" in " ".join(outlook_lines(outlook)))


def test_a_stage_that_the_time_did_not_reach_is_named() -> None:
    words = without_steps({"speaker": 100, "flow": 0})
    assert words == ["Stage flow: there was no time for a step; more minutes would help."]


@pytest.mark.parametrize(
    ("gain", "best_step", "is_better"), [(0.5, 40, True), (0.05, 40, False), (0.5, 0, False)]
)
def test_a_vocoder_that_cannot_be_bettered_is_said_to_be_good(
    gain: float, best_step: int, is_better: bool
) -> None:
    one = Average(mean=1.0, standard_error=0.1, n_clips=4)
    label = next(label for label, better in VOCODER_LABELS.items() if better == "up")
    difference = Average(mean=gain, standard_error=0.1, n_clips=4)
    row = ScoreChange(label=label, before=one, after=one, difference=difference)
    words = verdicts([row], {"vocoder": best_step})
    assert words == [] if is_better else "already does as well" in words[0]


def _vetted(name: str, text: str, seconds: float) -> Vetted:
    measured = Measurements(
        seconds=seconds,
        sample_rate=22_050,
        level_db=-20.0,
        peak_db=-3.0,
        noise_db=-50.0,
        silence=0.1,
        clipped=0.0,
        dc=0.0,
        bandwidth_hz=10_000.0,
        fingerprint=name,
    )
    return Vetted(
        name=name,
        source=name,
        measured=measured,
        gain_db=0.0,
        text=text,
        is_held_out=False,
        left_out="",
    )
