"""The flow postnet and prosody: their laws, and what training gives them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.data.prosody import ProsodyStatistics, symbol_prosody
from pipeline.tacotron2 import Tacotron2
from pipeline.tacotron2.flow_postnet import FlowPostnet
from pipeline.training.flow_postnet_task import FlowPostnetRecipe, FlowPostnetTask
from pipeline.training.tacotron2_task import Tacotron2Recipe, Tacotron2Task, widen_prosody
from tests.tiny_models import TINY_TACOTRON2, random_tacotron2
from tests.tiny_training import speech_clips

CONFIG = dataclasses.replace(
    TINY_TACOTRON2,
    reduction=2,
    n_speakers=2,
    prosody_channels=8,
    flow_channels=8,
    flow_layers=2,
    pitch_channels=8,
    mel_mean=-5.0,
    mel_std=2.0,
)


def random_postnet() -> FlowPostnet:
    """Return a flow postnet whose last layer, which starts at zero, is random too."""
    postnet = random_tacotron2(CONFIG).flow_postnet
    assert postnet is not None
    for weight in postnet.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return postnet.eval()


def inputs(n_frames: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    mean, noise = torch.randn(2, 1, 80, n_frames, generator=generator)
    contexts = torch.randn(1, n_frames // 2, CONFIG.embedding_size, generator=generator)
    return mean, contexts, noise


@torch.no_grad()
def test_padding_changes_nothing_for_valid_frames() -> None:
    postnet = random_postnet()
    mean, contexts, noise = inputs(20)
    padded = [torch.nn.functional.pad(mean, (0, 6)), torch.nn.functional.pad(noise, (0, 6))]
    padded_contexts = torch.nn.functional.pad(contexts, (0, 0, 0, 3))
    is_valid = torch.arange(26)[None, None] < 20
    alone = postnet(mean, contexts, is_valid[..., :20], noise=noise)
    batch = postnet(padded[0], padded_contexts, is_valid, noise=padded[1])
    torch.testing.assert_close(batch[..., :20], alone, atol=1e-5, rtol=0)


@torch.no_grad()
def test_an_untrained_flow_leaves_the_mean_and_its_noise() -> None:
    postnet = random_tacotron2(CONFIG).flow_postnet
    assert postnet is not None
    postnet.config = dataclasses.replace(CONFIG, flow_temperature=0.5, flow_noise=0.4)
    mean, contexts, noise = inputs(8)
    bias = postnet.end[-1].bias
    assert isinstance(bias, Tensor)
    torch.nn.init.zeros_(bias)
    drawn = postnet(mean, contexts, torch.ones(1, 1, 8, dtype=torch.bool), noise=noise)
    torch.testing.assert_close(drawn, mean + 0.5 * 0.4 * noise)


@torch.no_grad()
def test_steady_channels_are_drawn_without_noise() -> None:
    postnet = random_tacotron2(CONFIG).flow_postnet
    assert postnet is not None
    postnet.config = dataclasses.replace(CONFIG, flow_temperature=1.0, flow_steady_channels=40)
    mean, contexts, noise = inputs(8)
    is_valid = torch.ones(1, 1, 8, dtype=torch.bool)
    moved = postnet(mean, contexts, is_valid, noise=noise)
    still = postnet(mean, contexts, is_valid, noise=torch.zeros_like(noise))
    ratio = (moved - still)[0] / (CONFIG.flow_noise * noise[0])  # no layer mixes channels yet
    assert ratio[:20].abs().max() < 2e-3
    assert (ratio[60:] - 1.0).abs().max() < 2e-3


@torch.no_grad()
def test_pauses_stay_as_predicted() -> None:
    postnet = random_postnet()
    mean, contexts, noise = inputs(24)
    mean[..., :12] -= 4.0
    is_valid = torch.ones(1, 1, 24, dtype=torch.bool)
    everywhere = postnet(mean, contexts, is_valid, noise=noise)
    postnet.config = dataclasses.replace(CONFIG, flow_pause_level=-2.0)
    drawn = postnet(mean, contexts, is_valid, noise=noise)
    torch.testing.assert_close(drawn[..., :12], mean[..., :12], atol=1e-3, rtol=0)
    torch.testing.assert_close(drawn[..., 12:], everywhere[..., 12:], atol=1e-3, rtol=0)
    assert (everywhere[..., :12] - mean[..., :12]).abs().mean() > 0.1


@torch.no_grad()
def test_the_loss_is_zero_for_the_velocity_of_a_straight_line() -> None:
    postnet = random_tacotron2(CONFIG).flow_postnet
    assert postnet is not None
    mean, contexts, noise = inputs(8)
    target = mean + CONFIG.flow_noise * noise  # the flow starts where it is to end
    bias = postnet.end[-1].bias
    assert isinstance(bias, Tensor)
    torch.nn.init.zeros_(bias)
    is_valid = torch.ones(1, 1, 8, dtype=torch.bool)
    loss = postnet.loss(target, mean, contexts, is_valid, noise=noise, time=torch.rand(1))
    assert loss.item() == pytest.approx(0.0, abs=1e-10)
    other = postnet.loss(target + 1.0, mean, contexts, is_valid, noise=noise, time=torch.rand(1))
    assert other.item() == pytest.approx(1.0, rel=1e-5)


@torch.no_grad()
def test_speakers_and_seeds_are_heard_and_repeat() -> None:
    model = random_tacotron2(CONFIG)

    def mel(speaker: int, seed: int) -> Tensor:
        ids = torch.tensor([[3, 4, 5, 6]])
        generator = torch.Generator().manual_seed(seed)
        return model.infer(ids, speaker=speaker, generator=generator, max_frames=8).mel[..., :2]

    assert torch.equal(mel(0, 1), mel(0, 1))
    assert not torch.equal(mel(0, 1), mel(1, 1))
    assert not torch.equal(mel(0, 1), mel(0, 2))


def tiny_task() -> FlowPostnetTask:
    torch.manual_seed(0)
    clips = speech_clips(n_speakers=2)
    return FlowPostnetTask(
        Tacotron2(CONFIG), clips, clips[:2], FlowPostnetRecipe(batch_size=4, excerpt_frames=32)
    )


def test_only_the_flow_postnet_learns_and_its_loss_falls() -> None:
    task = tiny_task().train()
    before = {name: weight.clone() for name, weight in task.model.state_dict().items()}
    first = task.validate()["loss"]
    optimizer = torch.optim.Adam([p for p in task.parameters() if p.requires_grad], lr=3e-3)
    for step in range(30):
        optimizer.zero_grad()
        task(task.batch(step))["loss"].backward()
        optimizer.step()
    assert task.validate()["loss"] < first - 0.05
    changed = {
        name.split(".")[0]
        for name, weight in task.model.state_dict().items()
        if not torch.equal(weight, before[name])
    }
    assert changed == {"flow_postnet"}


def test_pitch_is_widened_by_two_thirds_of_what_predictions_lack() -> None:
    task = tiny_task().eval()
    prosody = task.model.prosody
    assert prosody is not None
    torch.nn.init.normal_(prosody.output.weight, generator=torch.Generator().manual_seed(1))
    batches = task.data.validation_batches(torch.device("cpu"))
    widen_prosody(task.model, task.data)
    with torch.no_grad():
        pairs = [(task.model.encode(*batch[:2], batch.speaker_ids)[1], batch) for batch in batches]
    predicted, recorded = (
        torch.cat([v[row, :n, 0] for v, ns in each for row, n in enumerate(ns)])
        for each in (
            [(p, b.symbol_lengths) for p, b in pairs],
            [(b.prosody, b.symbol_lengths) for _, b in pairs],
        )
    )
    ratio = (recorded.std() / predicted.std()).item()
    assert prosody.scale.tolist() == pytest.approx([1.0 + 2.0 / 3.0 * (ratio - 1.0), 1.0])


def test_the_predictor_is_scored_on_pitch_and_energy() -> None:
    torch.manual_seed(0)
    model = Tacotron2(dataclasses.replace(CONFIG, flow_channels=0))
    clips = speech_clips(n_speakers=2)
    losses = Tacotron2Task(model, clips, clips, Tacotron2Recipe(batch_size=4)).validate()
    weighted = 0.2 * losses["attention"] + 0.1 * (losses["pitch"] + losses["energy"])
    assert losses["loss"] == pytest.approx(losses["mel"] + losses["gate"] + weighted, rel=1e-5)


def test_prosody_of_symbols_is_a_mean_over_their_frames() -> None:
    mel = np.repeat([[-4.0], [-2.0], [-2.0], [-6.0]], 80, axis=1).repeat(2, axis=0)
    log2_hz = np.array([7.0, 7.0, 8.0, 8.2, 9.0, 9.0, 9.0, 9.0])
    voicing = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    alignment = np.eye(4, dtype=np.float32)  # two frames a symbol
    prosody = symbol_prosody(mel, np.stack([log2_hz, voicing], axis=1), alignment)
    # The third symbol is not voiced: its pitch lies between those around it.
    np.testing.assert_allclose(prosody[:, 0], [7.0, 8.1, (8.1 + 9.0) / 2, 9.0], rtol=1e-6)
    np.testing.assert_allclose(prosody[:, 1], [-4.0, -2.0, -2.0, -6.0], rtol=1e-6)
    standard = ProsodyStatistics.of(prosody).standardize(prosody)
    np.testing.assert_allclose(standard.mean(0), 0.0, atol=1e-6)
    np.testing.assert_allclose(standard.std(0), 1.0, rtol=1e-5)
