"""Training the flow postnet against a discriminator: who learns what, and that mels come nearer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.errors import PipelineError
from pipeline.tacotron2 import Tacotron2
from pipeline.training.flow_postnet_task import AdversarialRecipe, AdversarialTask
from tests.test_flow_postnet import CONFIG
from tests.tiny_training import make_trainer, speech_clips


def tiny_task(excerpt_frames: int = 32) -> AdversarialTask:
    torch.manual_seed(0)
    clips = speech_clips(n_speakers=2)
    recipe = AdversarialRecipe(batch_size=4, excerpt_frames=excerpt_frames)
    return AdversarialTask(Tacotron2(CONFIG), clips, clips[:2], recipe)


def test_only_flow_postnet_and_discriminator_learn_and_mels_come_nearer() -> None:
    task = tiny_task().train()
    before = {name: weight.clone() for name, weight in task.state_dict().items()}
    first = task.validate()
    optimizer = torch.optim.Adam(
        [p for p in task.parameters() if p.requires_grad], lr=3e-3, betas=task.betas
    )
    for step in range(40):
        optimizer.zero_grad()
        task(task.batch(step))["loss"].backward()
        optimizer.step()
    assert task.validate()["l1"] < 0.9 * first["l1"]
    changed = {
        ".".join(name.split(".")[:2])
        for name, weight in task.state_dict().items()
        if not torch.equal(weight, before[name])
    }
    assert {name for name in changed if name.startswith("model.")} == {"model.flow_postnet"}
    assert any(name.startswith("discriminator.") for name in changed)
    contour = "model.flow_postnet.pitch_contour."
    assert all(
        torch.equal(weight, before[name])
        for name, weight in task.state_dict().items()
        if name.startswith(contour)
    )


def test_clips_that_a_task_before_let_speak_are_those_that_this_one_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = tiny_task(), tiny_task()
    monkeypatch.setattr(Tacotron2, "infer", None)  # nothing is spoken again
    clips = speech_clips(n_speakers=2)
    given = AdversarialTask(first.model, clips, clips[:2], first.weights, in_step=first.in_step)
    for ours, theirs in zip(given.batch(3), second.batch(3), strict=True):
        assert torch.equal(ours, theirs)
    assert given.validate() == second.validate()


def test_a_blurred_mel_is_nearer_and_has_less_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    task = tiny_task()
    recorded = task._validation_excerpts().recorded
    noise = torch.randn(recorded.shape, generator=torch.Generator().manual_seed(1))
    mean = torch.zeros_like(recorded)
    scores = []
    for made in (mean, recorded.std((0, 2), keepdim=True) * noise):
        monkeypatch.setattr(task, "_make", lambda _, made=made: made + 1e-3 * noise)
        scores.append(task.validate())
    assert scores[0]["l1"] < scores[1]["l1"]
    assert scores[0]["spread"] > scores[1]["spread"]
    assert scores[0]["loss"] > scores[1]["loss"]


def test_low_channels_are_not_judged_and_high_ones_not_regressed() -> None:
    task = tiny_task().train()
    torch.manual_seed(0)
    losses = task(task.batch(0))
    last = task.postnet.end[-1]
    assert isinstance(last, torch.nn.Conv1d)
    n_mels = task.model.config.audio.n_mels

    def reached(name: str) -> torch.Tensor:
        (gradient,) = torch.autograd.grad(losses[name], [last.bias], retain_graph=True)
        assert gradient is not None
        size = gradient.reshape(-1, n_mels).abs().sum(0)
        return size / size.max()

    judged, regressed = reached("features"), reached("regression")
    assert judged[2:8].max() < 0.02
    assert regressed[2:8].min() > 0.1
    assert judged[50:].max() > 0.1
    assert regressed[50:].max() < 1e-3
    assert judged[0] > 10.0 * judged[2]
    assert regressed[0] == 0.0


def test_each_player_follows_its_own_loss_alone() -> None:
    task = tiny_task().train()
    torch.manual_seed(0)
    losses = task(task.batch(0))
    opponent = list(task.discriminator.parameters())
    own = [weight for weight in task.postnet.parameters() if weight.requires_grad]
    alone = torch.autograd.grad(losses["discriminator"], opponent, retain_graph=True)
    together = torch.autograd.grad(losses["loss"], opponent, retain_graph=True)
    for expected, found in zip(alone, together, strict=True):
        torch.testing.assert_close(found, expected)
    of_opponent = torch.autograd.grad(losses["discriminator"], own, allow_unused=True)
    assert all(gradient is None for gradient in of_opponent)


def test_a_batch_is_a_function_of_the_step() -> None:
    task, again = tiny_task(), tiny_task()
    for first, second in zip(task.batch(3), again.batch(3), strict=True):
        assert torch.equal(first, second)
    assert not torch.equal(task.batch(3).recorded, task.batch(4).recorded)


def test_excerpts_hold_what_the_decoder_read_beside_what_it_said() -> None:
    task = tiny_task()
    r = task.model.config.reduction
    places = [
        (clip, step) for clip in task.predicted for step in range(len(clip.contexts) - 32 // r + 1)
    ]
    for mean, contexts, recorded, pitch in zip(*task.batch(0), strict=True):
        found = [
            (clip, step)
            for clip, step in places
            if np.array_equal(clip.contexts[step : step + 32 // r], contexts)
        ]
        assert any(
            np.array_equal(clip.mean[step * r :][:32], mean.T)
            and np.array_equal(clip.recorded[step * r :][:32], recorded.T)
            and np.array_equal(clip.pitch[step * r :][:32], pitch.T)
            for clip, step in found
        )


def test_a_resumed_training_is_the_unbroken_one(tmp_path: Path) -> None:
    whole, half, rest = tiny_task(), tiny_task(), tiny_task()
    make_trainer(tmp_path / "whole", whole, max_steps=6).fit()
    make_trainer(tmp_path / "parts", half, max_steps=3).fit()
    make_trainer(tmp_path / "parts", rest, resume=True, max_steps=6).fit()
    for name, weight in whole.state_dict().items():
        assert torch.equal(rest.state_dict()[name], weight), name


def test_clips_shorter_than_an_excerpt_are_an_error() -> None:
    with pytest.raises(PipelineError, match="has 512 frames"):
        tiny_task(excerpt_frames=512)
