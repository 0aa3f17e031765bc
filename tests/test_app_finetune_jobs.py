"""Fine-tuning by way of the page: one at a time, stopped and kept, refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.finetune_jobs import FinetuneJob, FinetuneJobs, JobState
from app.training_files import Training, read_vetting, stage_words, vet
from app.training_html import progress, vetting
from pipeline import Synthesizer
from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig
from tests.timing import wait_until
from tests.tiny_training import voiced

RATE = AudioConfig().sample_rate
MAX_TRAINING_SECONDS = 600.0


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Thirteen recordings of five seconds, and one of silence."""
    folder = tmp_path_factory.mktemp("recordings")
    for number in range(13):
        soundfile.write(folder / f"clip{number}.wav", voiced(5.0, seed=number), RATE)
    soundfile.write(folder / "silence.wav", np.zeros(5 * RATE), RATE)
    return sorted(folder.iterdir())


def job(recordings: list[Path], voice: Path, **changes) -> FinetuneJob:
    facts = {"name": "alice", "base_dir": voice, "recordings": recordings}
    return FinetuneJob(**{**facts, "max_minutes": 10.0, "max_steps": 4, **changes})


def wait(finetune_jobs: FinetuneJobs) -> None:
    """Return when nothing is trained any more."""
    wait_until(lambda: not finetune_jobs.is_running, max_seconds=MAX_TRAINING_SECONDS)


@pytest.mark.slow
def test_recordings_become_a_voice(
    recordings: list[Path], tiny_voice: Path, tmp_path: Path
) -> None:
    finetune_jobs = FinetuneJobs(tmp_path)
    assert finetune_jobs.state() is None
    finetune_jobs.start(job(recordings, tiny_voice))
    assert "Vetting" in finetune_jobs.state().words
    with pytest.raises(PipelineError, match="A training is under way"):
        finetune_jobs.start(job(recordings, tiny_voice, name="bob"))
    wait(finetune_jobs)
    assert "the voice alice is in the list" in finetune_jobs.state().words
    training = finetune_jobs.training()
    assert training.curves["validation"][-1][0] == 4
    assert training.sample[:4] == b"RIFF"
    by_name = {clip.name: clip.left_out for clip in read_vetting(tmp_path / "alice")}
    assert len(by_name) == 14
    assert "silent" in by_name["silence"]
    old, new = Synthesizer.load(tiny_voice), Synthesizer.load(tmp_path / "alice")
    assert new.engine.vocoder_sha256 != old.engine.vocoder_sha256
    with pytest.raises(PipelineError, match="alice already; choose another name"):
        finetune_jobs.start(job(recordings, tiny_voice))


@pytest.mark.slow
def test_a_stopped_training_leaves_a_voice(
    recordings: list[Path], tiny_voice: Path, tmp_path: Path
) -> None:
    finetune_jobs = FinetuneJobs(tmp_path)
    finetune_jobs.start(job(recordings, tiny_voice, max_steps=1_000_000))
    wait_until(
        lambda: finetune_jobs.training().curves.get("train"), max_seconds=MAX_TRAINING_SECONDS
    )
    finetune_jobs.stop()
    wait(finetune_jobs)
    assert "the voice alice" in finetune_jobs.state().words
    assert np.isfinite(Synthesizer.load(tmp_path / "alice").speak("Oh.").audio).all()


@pytest.mark.slow
def test_what_the_command_says_is_shown_when_it_fails(
    recordings: list[Path], tiny_voice: Path, tmp_path: Path
) -> None:
    finetune_jobs = FinetuneJobs(tmp_path)
    finetune_jobs.start(job(recordings[:3], tiny_voice))
    wait(finetune_jobs)
    assert "Failed: 15 s of good speech in 3 clips" in finetune_jobs.state().words
    assert files(tmp_path) == []  # nothing is left behind
    finetune_jobs.start(job(recordings[:3], tiny_voice))  # the name is free again
    finetune_jobs.close()


@pytest.mark.slow
def test_a_training_that_ended_with_the_server_goes_on(
    recordings: list[Path], tiny_voice: Path, tmp_path: Path
) -> None:
    first = FinetuneJobs(tmp_path)
    first.start(job(recordings, tiny_voice))
    facts_path = tmp_path / "alice" / "finetune.json"
    wait_until(facts_path.exists, max_seconds=MAX_TRAINING_SECONDS)
    first.close()
    wait(first)
    second = FinetuneJobs(tmp_path)
    assert second.interrupted() == ["alice"]
    second.resume("alice", max_minutes=10.0)
    wait(second)
    assert "the voice alice is in the list" in second.state().words
    assert np.isfinite(Synthesizer.load(tmp_path / "alice").speak("Oh.").audio).all()


class Command:
    """Stands for `pipeline.finetune`: leaves the files it is told to leave, and its status."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.out = folder / "alice"
        self.leaves: tuple[str, ...] = ()
        self.prints = b""
        self.calls: list[list[str]] = []
        monkeypatch.setattr(FinetuneJobs, "_run", lambda _, command, log: self.run(command, log))

    def run(self, command: list[str], log) -> int:
        self.calls.append(command)
        for name in self.leaves:
            (self.out / name).parent.mkdir(parents=True, exist_ok=True)
            (self.out / name).write_text("{}")
        log.write(self.prints)
        return 1


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_interrupted_training_is_resumed_as_it_began_or_discarded(
    recordings: list[Path], tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = Command(tmp_path, monkeypatch)
    command.leaves = ("finetune.json", "training/checkpoint.pt")
    finetune_jobs = FinetuneJobs(tmp_path)
    who = {"speaker": "Alice", "consent": "Agreed on 3 May."}
    finetune_jobs.start(job(recordings[:2], tiny_voice, max_steps=500, **who))
    wait(finetune_jobs)
    finetune_jobs.takes.keep("alice", 0, "Oh.", recordings[0])
    later = FinetuneJobs(tmp_path)  # of another start of the server
    assert later.interrupted() == ["alice"]
    with pytest.raises(PipelineError, match="alice was interrupted; resume or discard it"):
        later.start(job(recordings[:2], tiny_voice))
    with pytest.raises(PipelineError, match="no interrupted training 'bob'"):
        later.resume("bob", max_minutes=1.0)
    command.leaves = ("voice.json",)
    later.resume("alice", max_minutes=1.0)
    wait(later)
    began, resumed = command.calls
    assert "--resume" in resumed
    assert later.takes.files("alice") == []  # the voice is made
    assert began[began.index("--speaker") :][:4] == [
        *("--speaker", "Alice", "--consent", "Agreed on 3 May.")
    ]
    assert resumed[resumed.index("--out") : -5] == began[began.index("--out") : -4]
    assert resumed[-5:] == ["--max-minutes", "1", "--max-steps", "500", "--resume"]
    assert later.interrupted() == []
    (tmp_path / "alice" / "voice.json").unlink()
    finetune_jobs._write_facts(job([], tiny_voice))
    later.discard("alice")
    assert files(tmp_path) == []


def test_a_failed_training_leaves_nothing_but_a_report_of_what_nobody_foresaw(
    recordings: list[Path], tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = Command(tmp_path, monkeypatch)
    command.leaves = ("finetune.json", "vetting.json")
    finetune_jobs = FinetuneJobs(tmp_path)
    for prints, words in {
        b"error: No disk.\n": "Failed: No disk.",
        b"Traceback": "status 1",
    }.items():
        command.prints = prints
        finetune_jobs.start(job(recordings[:2], tiny_voice))
        wait(finetune_jobs)
        assert words in finetune_jobs.state().words
        assert finetune_jobs.interrupted() == []
    (report,) = files(tmp_path)
    assert str(report) in finetune_jobs.state().words
    assert report.read_bytes() == b"Traceback"


@pytest.mark.parametrize("name", ["../alice", "Alice B", ""])
def test_names_that_could_leave_the_folder_are_refused(
    recordings: list[Path], tiny_voice: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(PipelineError, match="cannot name a voice"):
        FinetuneJobs(tmp_path).start(job(recordings, tiny_voice, name=name))
    assert list(tmp_path.iterdir()) == []


def test_no_recordings_is_refused(tiny_voice: Path, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="There are no recordings"):
        FinetuneJobs(tmp_path).start(job([], tiny_voice))


def test_files_of_the_same_name_are_all_kept(tiny_voice: Path, tmp_path: Path) -> None:
    paths = []
    for number in range(2):
        path = tmp_path / str(number) / "clip.wav"
        path.parent.mkdir()
        soundfile.write(path, voiced(2.0, seed=number), RATE)
        paths.append(path)
    finetune_jobs = FinetuneJobs(tmp_path / "runs")
    finetune_jobs.start(job(paths, tiny_voice))
    finetune_jobs.close()
    kept = sorted(path.name for path in (tmp_path / "runs/.recordings/alice").iterdir())
    assert kept == ["clip-2.wav", "clip.wav"]


def test_vetting_is_shown_before_anything_is_trained(
    recordings: list[Path], tmp_path: Path
) -> None:
    seen: dict[str, str] = {}
    vetted = [clip for path in recordings for clip in vet(path, AudioConfig(), seen)]
    copy = tmp_path / "copy.wav"
    copy.write_bytes(recordings[0].read_bytes())
    vetted += vet(copy, AudioConfig(), seen)
    table = vetting(vetted)
    assert "13 of 15 clips are good: 1.1 minutes" in table
    assert "Enough to train on" in table
    assert "Not enough to train on: 15 s of good speech, 60 s are needed" in vetting(vetted[:3])
    assert "the same recording as clip0" in table


def test_a_recording_of_1_hz_has_its_row(tmp_path: Path) -> None:
    path = tmp_path / "slow.wav"
    soundfile.write(path, np.zeros(90), 1)
    (row,) = vet(path, AudioConfig(), {})
    assert row.left_out == "has a sample rate of 1 Hz; expected 1000 to 768000 Hz"
    assert row.left_out in vetting([row])


def test_what_is_trained_is_said(tmp_path: Path) -> None:
    assert stage_words(tmp_path) == ""
    stages = {"speaker": "new speaker", "contour": "the pitch", ".": "the vocoder"}
    for second, (stage, words) in enumerate(stages.items()):
        folder = tmp_path / "training" / stage / "tensorboard"
        folder.mkdir(parents=True)
        os.utime(folder, (second, second))
        assert words in stage_words(tmp_path)


def test_the_card_escapes_and_draws(tmp_path: Path) -> None:
    state = JobState(
        name="a", is_running=True, words="<b>Failed", share=0.25, folder=tmp_path / "nothing"
    )
    curves = {"train": [(10, 2.0), (20, 1.0)], "validation": [(0, 3.0), (20, 1.5)]}
    card = progress(state, Training(curves, b"", 0))
    assert "&lt;b&gt;Failed" in card
    assert card.count("<polyline") == 2
    assert "step 20 · train loss 1.000 · validation loss 1.500" in card
