"""Training goes on exactly where it stopped, however it stopped, and nothing is lost."""

from __future__ import annotations

import dataclasses
import math
import os
import random
import resource
import signal
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from pipeline.checkpoints import load_waveglow
from pipeline.errors import PipelineError
from pipeline.training.average import average_of
from pipeline.training.run_folder import RunFolder
from pipeline.training.waveglow_task import Excerpts, WaveGlowTask
from tests.timing import compute
from tests.tiny_models import random_waveglow
from tests.tiny_training import (
    die_in_the_middle_of_a_save,
    make_trainer,
    tacotron2_task,
    tiny_features,
    train_tiny,
    waveglow_task,
)


def assert_same_run(first: Path, second: Path) -> None:
    """Weights, averages, moments and step are equal bit for bit, and so are the models written."""
    states = [RunFolder(folder, "waveglow").load() for folder in (first, second)]
    for state in states:
        del state["progress"]["seconds"]
    torch.testing.assert_close(*states, rtol=0, atol=0)
    names = sorted(path.name for path in first.glob("*.safetensors"))
    assert names
    for name in names:
        weights = [load_file(folder / name) for folder in (first, second)]
        torch.testing.assert_close(*weights, rtol=0, atol=0)


def loss_curve(folder: Path) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return [(point.step, point.value) for point in events.Scalars("train/loss")]


def test_a_resumed_run_ends_in_the_same_weights(tmp_path: Path) -> None:
    make_trainer(tmp_path / "whole", max_steps=12).fit()
    make_trainer(tmp_path / "parts", max_steps=5).fit()
    make_trainer(tmp_path / "parts", max_steps=6, resume=True).fit()
    make_trainer(tmp_path / "parts", max_steps=12, resume=True).fit()
    whole, parts = (RunFolder(tmp_path / name, "waveglow").load() for name in ("whole", "parts"))
    for name in ("task", "optimizer", "average"):
        torch.testing.assert_close(whole[name], parts[name], rtol=0, atol=0)


def test_samples_are_heard_between_validations_and_change_nothing(tmp_path: Path) -> None:
    for name, seconds in {"often": 0.0, "seldom": math.inf}.items():
        make_trainer(tmp_path / name, max_steps=5, sample_seconds=seconds).fit()
    assert_same_run(tmp_path / "often", tmp_path / "seldom")
    assert sounds(tmp_path / "often") == [0, 1, 2, 3, 4, 5]
    assert sounds(tmp_path / "seldom") == [0, 4, 5]


def sounds(folder: Path) -> list[int]:
    """Return the steps after which something was heard, once or more."""
    events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"audio": 0})
    events.Reload()
    return sorted({sound.step for sound in events.Audio("vocoded")})


def test_a_run_of_other_sizes_is_not_resumed(tmp_path: Path) -> None:
    make_trainer(tmp_path, max_steps=1).fit()
    task = waveglow_task()
    task.model = random_waveglow(dataclasses.replace(task.model.config, n_layers=1))
    with pytest.raises(PipelineError, match=r"checkpoint\.pt holds a model of other sizes"):
        make_trainer(tmp_path, task, resume=True)


def test_a_resumed_tacotron2_ends_in_the_same_weights(tmp_path: Path) -> None:
    make_trainer(tmp_path / "whole", tacotron2_task(), max_steps=4).fit()
    make_trainer(tmp_path / "parts", tacotron2_task(), max_steps=2).fit()
    make_trainer(tmp_path / "parts", tacotron2_task(), max_steps=4, resume=True).fit()
    states = [RunFolder(tmp_path / name, "tacotron2").load() for name in ("whole", "parts")]
    for name in ("task", "optimizer", "average"):
        torch.testing.assert_close(states[0][name], states[1][name], rtol=0, atol=0)


def test_ten_kills_at_random_moments_change_nothing(
    tmp_path: Path, forks: ForkServerContext
) -> None:
    started = time.process_time()
    train_tiny(tmp_path / "calm", 40)
    calm_seconds = time.process_time() - started
    moments = random.Random(0)
    n_kills = 0
    for attempt in range(30):
        longest = moments.uniform(0.0, calm_seconds / 6) if attempt < 10 else math.inf
        process = forks.Process(target=train_tiny, args=(tmp_path / "killed", 40))
        process.start()
        compute(process, max_seconds=longest)
        process.kill()
        process.join()
        n_kills += process.exitcode == -signal.SIGKILL
        if process.exitcode == 0:
            break
    assert n_kills >= 5
    assert_same_run(tmp_path / "calm", tmp_path / "killed")
    assert loss_curve(tmp_path / "calm") == loss_curve(tmp_path / "killed")


def test_death_in_the_middle_of_a_save_leaves_the_last_checkpoint(
    tmp_path: Path, forks: ForkServerContext
) -> None:
    process = forks.Process(target=die_in_the_middle_of_a_save, args=(tmp_path / "killed", 3))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert RunFolder(tmp_path / "killed", "waveglow").load()["progress"]["step"] == 2
    assert list((tmp_path / "killed").glob(".*.part"))
    train_tiny(tmp_path / "killed", 6)
    train_tiny(tmp_path / "calm", 6)
    assert_same_run(tmp_path / "calm", tmp_path / "killed")
    assert not list((tmp_path / "killed").glob(".*.part"))


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_the_run_goes_on_from_there(tmp_path: Path, kind: int) -> None:
    task = waveglow_task()
    batch = task.batch

    def batch_and_signal(step: int) -> Excerpts:
        if step == 2:
            os.kill(os.getpid(), kind)
        return batch(step)

    task.batch = batch_and_signal
    with pytest.raises(KeyboardInterrupt):
        make_trainer(tmp_path / "run", task, max_steps=8, save_every=1_000).fit()
    assert RunFolder(tmp_path / "run", "waveglow").load()["progress"]["step"] == 3
    make_trainer(tmp_path / "run", max_steps=8, save_every=1_000, resume=True).fit()
    make_trainer(tmp_path / "calm", max_steps=8, save_every=1_000).fit()
    assert_same_run(tmp_path / "calm", tmp_path / "run")


class Poisoned(WaveGlowTask):
    """A task whose batches of some steps hold a NaN."""

    bad_steps: frozenset[int] = frozenset()

    def batch(self, step: int) -> Excerpts:
        batch = super().batch(step)
        if step in self.bad_steps:
            batch.audio[0, 7] = math.nan
        return batch


def poisoned_task(bad_steps: set[int]) -> Poisoned:
    whole = waveglow_task()
    task = Poisoned(whole.model, whole.train_features, whole.validation_features, whole.recipe)
    task.bad_steps = frozenset(bad_steps)
    return task


def test_steps_that_are_not_finite_are_skipped_and_counted(tmp_path: Path) -> None:
    progress = make_trainer(tmp_path, poisoned_task({1, 2, 5}), max_steps=8).fit()
    assert (progress.step, progress.skipped, progress.skipped_in_a_row) == (8, 3, 0)
    weights = load_waveglow(tmp_path / "waveglow.safetensors").state_dict()
    assert all(torch.isfinite(weight).all() for weight in weights.values())


def test_too_many_such_steps_in_a_row_end_the_run_and_keep_the_checkpoint(tmp_path: Path) -> None:
    task = poisoned_task(set(range(4, 50)))
    with pytest.raises(PipelineError, match=r"3 steps in a row .* not finite.* step 7.*--resume"):
        make_trainer(tmp_path, task, max_steps=50, max_skipped_in_a_row=3).fit()
    assert RunFolder(tmp_path, "waveglow").load()["progress"]["step"] == 6


def test_a_skipped_step_leaves_no_trace_in_the_normalization_of_tacotron2(tmp_path: Path) -> None:
    task = tacotron2_task()
    honest_batch = task.batch

    def batch(step: int) -> object:
        whole = honest_batch(step)
        if step == 1:
            whole.mel[0, 0, 3] = math.nan
        return whole

    task.batch = batch
    progress = make_trainer(tmp_path, task, max_steps=3).fit()
    assert progress.skipped == 1
    assert all(torch.isfinite(buffer).all() for buffer in task.model.buffers())


def test_validation_scores_the_averaged_weights_and_puts_the_own_ones_back(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, max_steps=3, validate_every=100)
    trainer.fit()
    own = trainer.task.model.state_dict()
    saved = load_waveglow(tmp_path / "waveglow.safetensors").state_dict()
    torch.testing.assert_close(saved, trainer.average.module.state_dict(), rtol=0, atol=0)
    assert not torch.equal(own["context.weight"], saved["context.weight"])


def test_the_average_follows_its_definition() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    expected = model.weight.item()
    average = average_of(model, decay=0.5)
    for n in range(1, 30):
        torch.nn.init.constant_(model.weight, float(n))
        average.update_parameters(model)
        decay = min(0.5, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * n
    assert average.module.weight.item() == pytest.approx(expected, rel=1e-5)


def test_training_ends_when_validation_no_longer_improves(tmp_path: Path) -> None:
    task = waveglow_task()
    losses = iter([5.0, 4.0, 3.0, 3.5, 3.2, 3.1, 1.0])
    task.validate = lambda: {"loss": next(losses)}
    progress = make_trainer(tmp_path, task, max_steps=50, validate_every=1, patience=3).fit()
    assert (progress.step, progress.best_step, progress.best_loss) == (5, 2, 3.0)


def test_the_deadline_is_honoured_with_the_last_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock of its own: a batch takes 0.25 s, a validation 1 s, all else nothing."""
    task, now = waveglow_task(), 100.0
    batch, validate = task.batch, task.validate

    def slow_batch(step: int) -> Excerpts:
        nonlocal now
        now += 0.25
        return batch(step)

    def slow_validate() -> dict[str, float]:
        nonlocal now
        now += 1.0
        return validate()

    task.batch, task.validate = slow_batch, slow_validate
    monkeypatch.setattr("pipeline.training.engine.time", SimpleNamespace(monotonic=lambda: now))
    trainer = make_trainer(tmp_path, task, max_steps=100, validate_every=1_000)
    progress = trainer.fit(deadline=105.0)
    assert progress.validated_step == progress.step == 12  # 1 s, 12 steps in 3 s, 1 s
    assert now == 105.0


def test_bf16_trains(tmp_path: Path) -> None:
    full, half = (
        make_trainer(
            tmp_path / precision,
            waveglow_task(validation_excerpts=32),
            max_steps=20,
            learning_rate=1e-2,
            precision=precision,
        )
        for precision in ("32-true", "bf16-mixed")
    )
    before = full.task.validate()["loss"]
    assert half.fit().skipped == 0
    assert half.progress.best_loss < before - 0.02
    learned = before - full.fit().best_loss
    assert before - half.progress.best_loss == pytest.approx(learned, rel=0.1)


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    task = waveglow_task(validation_excerpts=32)
    trainer = make_trainer(tmp_path, task, max_steps=40, learning_rate=1e-2, validate_every=20)
    before = trainer.task.validate()["loss"]
    assert trainer.fit().best_loss < before - 0.04


def test_an_interrupted_curve_reads_as_one(tmp_path: Path) -> None:
    make_trainer(tmp_path, max_steps=20, save_every=10).fit()
    state = RunFolder(tmp_path, "waveglow").load()
    make_trainer(tmp_path, max_steps=30, save_every=10, resume=True).fit()
    assert [step for step, _ in loss_curve(tmp_path)] == [10, 20, 30]
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    validated = [point.step for point in events.Scalars("validation/loss")]
    assert validated == [*range(0, 29, 4), 30]
    assert state["progress"]["step"] == 20


def test_a_run_folder_is_not_overwritten(tmp_path: Path) -> None:
    make_trainer(tmp_path, max_steps=1).fit()
    with pytest.raises(PipelineError, match=r"checkpoint\.pt exists.*--resume.*--out"):
        RunFolder(tmp_path, "waveglow").claim(resume=False)


def test_there_must_be_something_to_resume(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="nothing to resume"):
        RunFolder(tmp_path, "waveglow").claim(resume=True)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, "waveglow")
    run.checkpoint_path.write_bytes(b"not a checkpoint")
    with pytest.raises(PipelineError, match=r"checkpoint\.pt cannot be read"):
        run.load()


def test_a_full_disk_is_seen_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10**6}))
    with pytest.raises(PipelineError, match=r"disk of .* is full: 1 MB free, 67 MB needed"):
        trainer.fit()


def test_a_write_that_fails_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, "waveglow")
    run.claim(resume=False)
    run.save({"step": 1})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))  # as a full disk, byte for byte
    try:
        with pytest.raises(PipelineError, match=r"Cannot write .*checkpoint\.pt"):
            run.save({"step": 2, "weights": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert run.load() == {"step": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_batches_are_a_function_of_seed_and_step() -> None:
    task, again, other = waveglow_task(), waveglow_task(), waveglow_task(seed=1)
    later = again.batch(9)
    for step in range(9):
        task.batch(step)
    torch.testing.assert_close(task.batch(9), later, rtol=0, atol=0)
    assert not torch.equal(task.batch(9).audio, other.batch(9).audio)
    assert not torch.equal(task.batch(9).audio, task.batch(8).audio)


def test_the_shares_of_all_processes_make_the_batch() -> None:
    task = waveglow_task()
    batch = task.batch(0)
    shares = [task.split(batch, rank, 2) for rank in range(2)]
    assert sorted(np.concatenate([share.audio for share in shares]).sum(1)) == sorted(
        batch.audio.numpy().sum(1)
    )
    assert [len(share.mel) for share in shares] == [2, 2]


def test_excerpts_hold_the_audio_of_their_mel() -> None:
    features = tiny_features()
    from pipeline.training.waveglow_task import excerpt

    mel, audio = excerpt(features, 2, 5, 8)
    np.testing.assert_array_equal(audio, features.audio(2)[5 * 256 : 13 * 256])
    np.testing.assert_array_equal(mel, features.mel(2)[5:14].T)
    n_frames = features.n_frames(2)
    mel, audio = excerpt(features, 2, n_frames - 3, 8)
    np.testing.assert_array_equal(audio[3 * 256 :], 0)
    np.testing.assert_array_equal(mel[:, 3:], np.repeat(features.mel(2)[-1:].T, 6, axis=1))
