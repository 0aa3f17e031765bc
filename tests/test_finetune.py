"""From a folder of recordings to a voice: the command, killed, resumed, and with bad input."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
import re
import shutil
import signal
import socket
import sys
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import pipeline.evaluate
from pipeline.checkpoints import file_sha256, load_tacotron2, load_waveglow
from pipeline.data.alignment import Interval, align, make_decoder
from pipeline.data.corpora import read_corpus
from pipeline.evaluation.comparison import read_whole_frames
from pipeline.finetune import main
from pipeline.synthesizer import Synthesizer
from pipeline.training.assessment import read_assessment
from pipeline.training.engine import Progress, Trainer
from pipeline.training.fine_tuning import SPARE_SECONDS, SPARE_SHARE
from pipeline.training.ground_truth_aligned import predict_mel
from pipeline.training.run_folder import RunFolder
from pipeline.voices import read_voice
from tests.conftest import TINY_TACOTRON2
from tests.timing import compute
from tests.tiny_training import AUDIO, said_ah, tiny_tacotron2, voiced
from text import pronounce


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen recordings of five seconds, with transcripts, one of them corrupt."""
    folder = tmp_path_factory.mktemp("recordings") / "alice_recordings"
    (folder / "wavs").mkdir(parents=True)
    for i in range(14):
        soundfile.write(folder / "wavs" / f"c{i}.wav", voiced(5.0, seed=i), AUDIO.sample_rate)
    (folder / "wavs" / "corrupt.flac").write_bytes(b"fLaC" + bytes(99))
    (folder / "metadata.csv").write_text("".join(f"c{i}|Oh, you.\n" for i in range(14)))
    return folder


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen recordings in which the recognizer finds what their transcripts say."""
    folder, text = tmp_path_factory.mktemp("said") / "ah", ", ".join(["{AA1}"] * 5)
    (folder / "wavs").mkdir(parents=True)
    for i in range(14):
        starts = 0.3 + 0.02 * i + 0.95 * np.arange(5)
        audio = said_ah([(start, start + 0.5) for start in starts], 5.0, seed=i)
        soundfile.write(folder / "wavs" / f"c{i}.wav", audio, AUDIO.sample_rate)
    (folder / "metadata.csv").write_text("".join(f"c{i}|{text}\n" for i in range(14)))
    return folder


def arguments(recordings: Path, voice: Path, out: Path, *options: str) -> list[str]:
    """Return the arguments that tune the vocoder alone, where the options do not say otherwise."""
    fixed = ["--accelerator", "cpu", "--threads", "1", "--batch-size", "4", "--model", "waveglow"]
    return [str(recordings), "--from", str(voice), "--out", str(out), *fixed, *options]


@pytest.fixture(scope="module")
def tuned(recordings: Path, tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished fine-tuning of 30 steps."""
    out = tmp_path_factory.mktemp("runs") / "alice"
    options = ("--max-steps", "30", "--save-every", "10", "--learning-rate", "3e-3")
    assert main(arguments(recordings, tiny_voice, out, *options)) == 0
    return out


def test_the_folder_is_a_voice_that_speaks_with_the_best_weights(
    tuned: Path, tiny_voice: Path
) -> None:
    voice = read_voice(tuned)
    assert (voice.name, voice.sigma, voice.denoise) == ("alice", 0.6, 0.05)
    assert voice.waveglow.sha256 == file_sha256(tuned / "training" / "waveglow-best.safetensors")
    assert voice.tacotron2.sha256 == read_voice(tiny_voice).tacotron2.sha256
    assert voice.provenance["fine_tuning"]["recordings"] == "alice_recordings"
    speech = Synthesizer.load(tuned).speak("Oh.")
    assert np.isfinite(speech.audio).all()


def test_training_began_at_the_base_voice_and_got_better(tuned: Path, tiny_voice: Path) -> None:
    events = EventAccumulator(str(tuned / "training" / "tensorboard"))
    events.Reload()
    losses = {point.step: point.value for point in events.Scalars("validation/loss")}
    assert sorted(losses) == [0, 10, 20, 30]
    assert losses[30] < losses[0] - 0.01
    before, after = (read_assessment(tuned / when) for when in ("before", "after"))
    assert np.mean([clip["nll"] for clip in after.scores]) < np.mean(
        [clip["nll"] for clip in before.scores]
    )
    heard = {point.step for point in events.Audio("vocoded")}
    assert {0, 30} <= heard
    assert "recorded" in events.Tags()["audio"]
    curves = events.Tags()["scalars"]
    assert {"train/log likelihood", "train/gradient norm", "train/samples a second"} <= set(curves)


def test_validation_clips_are_never_trained_on(tuned: Path) -> None:
    corpus = read_corpus(tuned / "corpus", seed=0)
    assert (len(corpus.train), len(corpus.validation)) == (12, 2)
    assert not {clip.name for clip in corpus.train} & {clip.name for clip in corpus.validation}
    scored = read_assessment(tuned / "before").audio
    assert set(scored) == {clip.name for clip in corpus.validation}


def test_the_report_stands_alone(tuned: Path) -> None:
    page = (tuned / "report.html").read_text()
    assert page.count("data:audio/flac;base64,") == 2 * 3
    assert page.count("data:image/png;base64,") == 1 + 2
    assert not re.findall(r"(?:src|href)=['\"](?!data:)", page)
    assert "corrupt" in page
    assert "PESQ" in page


def test_card_scores_and_vetting_are_written(tuned: Path) -> None:
    card = (tuned / "README.md").read_text()
    assert "fine-tuned on" in card
    assert "licence" in card
    scores = json.loads((tuned / "scores.json").read_text())
    assert scores["facts"]["best step"] == 30
    likelihood = next(row for row in scores["scores"] if "likelihood" in row["score"])
    change = likelihood["after"]["mean"] - likelihood["before"]["mean"]
    assert likelihood["difference"]["mean"] == pytest.approx(change)
    assert change < 0
    vetting = json.loads((tuned / "vetting.json").read_text())
    assert [clip["name"] for clip in vetting if clip["left_out"]] == ["wavs_corrupt"]


def test_evaluate_takes_the_voice_and_its_clips(
    tuned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--language", "other", "--max-clips", "1")
    assert pipeline.evaluate.main([str(tuned), str(tuned / "corpus"), *options]) == 0
    assert "griffin-lim" in capsys.readouterr().out


def test_a_finished_run_resumes_to_the_same_end(
    tuned: Path, recordings: Path, tiny_voice: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file_sha256(tuned / "waveglow.safetensors")
    options = ("--max-steps", "30", "--save-every", "10", "--learning-rate", "3e-3", "--resume")
    assert main(arguments(recordings, tiny_voice, tuned, *options)) == 0
    assert file_sha256(tuned / "waveglow.safetensors") == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "is not empty; go on with --resume"),
        (("--resume", "--seed", "7"), "was begun with learning_rate 0.003, not None"),
        (("--resume", "--learning-rate", "3e-3", "--seed", "7"), "begun with save_every 10, not"),
        (("--gta", "--model", "tacotron2"), "--gta is for the vocoder"),
        (("--max-minutes", "0"), "--max-minutes is 0.0; expected more than 0"),
    ],
)
def test_a_run_is_not_overwritten_nor_changed(
    tuned: Path,
    recordings: Path,
    tiny_voice: Path,
    options: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(arguments(recordings, tiny_voice, tuned, *options)) == 1
    assert words in capsys.readouterr().err


def run_and_exit(options: list[str]) -> None:
    sys.exit(main(options))


def test_ten_kills_at_any_moment_end_in_the_same_voice(
    recordings: Path, tiny_voice: Path, tmp_path: Path, forks: ForkServerContext
) -> None:
    """Killed while it vets, scores, trains, saves or reports; --resume until it is done."""
    out, calm = tmp_path / "alice", tmp_path / "calm"
    steps = ("--max-steps", "8", "--save-every", "1")
    for work, given in ((len, ""), (run_and_exit, arguments(recordings, tiny_voice, calm, *steps))):
        process = forks.Process(target=work, args=(given,))  # the first waits for the imports
        process.start()
        seconds = compute(process)
        process.join()
        assert process.exitcode == 0
    moments, n_kills = random.Random(1), 0
    for attempt in range(30):
        resume = ("--resume",) if (out / "finetune.json").exists() else ()
        has_trained = (out / "training" / "checkpoint.pt").exists()
        longest = (0.2 if has_trained else 0.6) * seconds
        process = forks.Process(
            target=run_and_exit, args=(arguments(recordings, tiny_voice, out, *steps, *resume),)
        )
        process.start()
        compute(process, max_seconds=moments.uniform(0.0, longest) if attempt < 10 else math.inf)
        process.kill()
        process.join()
        n_kills += process.exitcode == -signal.SIGKILL
        if process.exitcode == 0:
            break
    assert process.exitcode == 0
    assert n_kills >= 5
    for name in ("waveglow", "tacotron2"):
        weights = [load_file(folder / f"{name}.safetensors") for folder in (calm, out)]
        torch.testing.assert_close(*weights, rtol=0, atol=0)
    states = [RunFolder(folder / "training", "waveglow").load() for folder in (calm, out)]
    for part in ("task", "optimizer", "average"):
        torch.testing.assert_close(states[0][part], states[1][part], rtol=0, atol=0)
    assert not list(out.rglob("*.part"))


def test_max_minutes_counts_everything_and_the_voice_is_there(
    recordings: Path, tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted are what went before training and, by what that took, the scores after it."""
    out, fit, deadlines = tmp_path / "quick", Trainer.fit, []
    started = time.monotonic() - 1_000.0

    def fit_for_two_steps(trainer: Trainer, *, deadline: float) -> Progress:
        deadlines.append(deadline)
        trainer.schedule = dataclasses.replace(trainer.schedule, max_steps=2)
        return fit(trainer)

    monkeypatch.setattr("pipeline.finetune.STARTED", started)
    monkeypatch.setattr(Trainer, "fit", fit_for_two_steps)
    options = ("--max-minutes", "60", "--save-every", "100000", "--max-steps", "100000")
    assert main(arguments(recordings, tiny_voice, out, *options)) == 0
    before = read_assessment(out / "before")
    assert before is not None
    reserve = SPARE_SHARE * before.seconds + SPARE_SECONDS
    assert deadlines == [pytest.approx(started + 3_600.0 - reserve, abs=1e-3)]
    assert read_voice(out).provenance["fine_tuning"]["steps"] == 2
    assert (out / "report.html").exists()


def test_too_few_minutes_are_refused(
    recordings: Path,
    tiny_voice: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("pipeline.finetune.STARTED", time.monotonic())
    options = ("--max-minutes", "0.01")
    assert main(arguments(recordings, tiny_voice, tmp_path / "quick", *options)) == 1
    assert "--max-minutes 0.01 leaves no time to train" in capsys.readouterr().err


def test_a_full_disk_loses_nothing(
    recordings: Path,
    tiny_voice: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, options = tmp_path / "full", ("--max-steps", "6", "--save-every", "2")
    real, calls = shutil.disk_usage, 0

    def filling_up(path: Path) -> object:
        nonlocal calls
        calls += 1
        usage = real(path)
        return usage._replace(free=1_000) if calls > 2 else usage

    monkeypatch.setattr("shutil.disk_usage", filling_up)
    assert main(arguments(recordings, tiny_voice, out, *options)) == 1
    assert "is full: 0 MB free, 67 MB needed" in capsys.readouterr().err
    monkeypatch.setattr("shutil.disk_usage", real)
    assert RunFolder(out / "training", "waveglow").load()["progress"]["step"] == 2
    assert main(arguments(recordings, tiny_voice, out, *options, "--resume")) == 0
    assert (out / "report.html").exists()


def test_a_folder_without_audio_is_refused(
    tiny_voice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes").mkdir()
    assert main(arguments(tmp_path / "notes", tiny_voice, tmp_path / "out")) == 1
    assert "holds no recordings" in capsys.readouterr().err
    assert main(arguments(tmp_path / "notes", tiny_voice, tmp_path / "new", "--resume")) == 1
    assert "Cannot resume from" in capsys.readouterr().err


def test_predicted_mels_are_trained_on(said: Path, tiny_voice: Path, tmp_path: Path) -> None:
    out = tmp_path / "gta"
    options = ("--gta", "--max-steps", "2", "--save-every", "2")
    assert main(arguments(said, tiny_voice, out, *options)) == 0
    mels = np.load(out / "training" / "features" / "predicted-validation.npy")
    clip = read_corpus(out / "corpus", seed=0).validation[0]
    folders = [path for path in (out / "training" / "features").iterdir() if path.is_dir()]
    recorded = next(m for f in folders if len(m := np.load(f / "mels.npy")) == len(mels))
    n_frames = 5 * AUDIO.sample_rate // AUDIO.hop_length
    audio = read_whole_frames(clip, AUDIO)
    tokens = pronounce(clip.text)
    times = align(make_decoder([tokens]), tokens, audio, AUDIO.sample_rate)
    assert times is not None
    model = load_tacotron2(tiny_voice / "tacotron2.safetensors")
    expected = predict_mel(model, tokens, times, recorded[:n_frames], seed=0)
    np.testing.assert_allclose(mels[:n_frames], expected, atol=1e-5)
    assert np.abs(mels - recorded).mean() > 0.1


def test_a_prediction_is_as_long_as_its_recording_and_leaves_the_silence_around_it() -> None:
    model, mel = tiny_tacotron2().eval(), np.random.default_rng(0).normal(-5, 2, (90, 80))
    mel = mel.astype(np.float32)
    tokens = pronounce("{AA1} {IY1}")
    times = [[Interval(0.3, 0.4)], [Interval(0.4, 0.5)]]
    predicted = predict_mel(model, tokens, times, mel, seed=0)
    is_kept = (predicted == mel).all(axis=1)
    frame_seconds = AUDIO.hop_length / AUDIO.sample_rate
    start, end = int(0.2 / frame_seconds), int(0.7 / frame_seconds)
    end = start + (end - start) // TINY_TACOTRON2.reduction * TINY_TACOTRON2.reduction
    np.testing.assert_array_equal(np.flatnonzero(~is_kept), np.arange(start, end))
    shifted = [[Interval(0.3, 0.45)], [Interval(0.45, 0.5)]]
    assert not np.allclose(predict_mel(model, tokens, shifted, mel, seed=0), predicted)


@pytest.mark.slow
def test_the_predictor_alone_is_tuned(said: Path, tiny_voice: Path, tmp_path: Path) -> None:
    out = tmp_path / "speaks"
    options = ("--model", "tacotron2", "--max-steps", "2", "--save-every", "1")
    assert main(arguments(said, tiny_voice, out, *options)) == 0
    voice, base = read_voice(out), read_voice(tiny_voice)
    assert voice.waveglow.sha256 == base.waveglow.sha256
    assert voice.tacotron2.sha256 != base.tacotron2.sha256
    assert {"distance_in_step", "word_error_rate"} <= read_assessment(out / "after").scores[
        0
    ].keys()
    Synthesizer.load(out).speak("Oh.")


def run_as_one_of_two(rank: int, port: int, options: list[str]) -> None:
    """Run the command in the environment that torchrun gives to each of its processes."""
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "test",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "GROUP_RANK": "0",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
    }
    sys.exit(main(options))


def test_two_processes_have_the_loss_curve_of_one(
    recordings: Path, tiny_voice: Path, tmp_path: Path, forks: ForkServerContext
) -> None:
    steps = ("--max-steps", "10", "--save-every", "5", "--batch-size", "8")
    one, two = tmp_path / "one", tmp_path / "two"
    assert main(arguments(recordings, tiny_voice, one, *steps)) == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = arguments(recordings, tiny_voice, two, *steps)
    processes = [
        forks.Process(target=run_as_one_of_two, args=(rank, port, options)) for rank in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    curves = []
    for out in (one, two):
        events = EventAccumulator(str(out / "training" / "tensorboard"))
        events.Reload()
        names = ("train/loss", "validation/loss", "train/gradient norm")
        curves.append([[point.value for point in events.Scalars(name)] for name in names])
    for single, double in zip(*curves, strict=True):
        np.testing.assert_allclose(double, single, rtol=2e-4)
    weights = [load_waveglow(out / "waveglow.safetensors").state_dict() for out in (one, two)]
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-3, atol=1e-4)
