"""The pitch contour: harmonics where they belong, padding without effect, and that it learns."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.mel import AudioConfig, log_mel
from pipeline.tacotron2.pitch_contour import HARMONIC_CHANNELS, PitchContour, harmonics_of
from tests.test_flow_postnet import CONFIG, inputs, random_postnet

AUDIO = AudioConfig()


def pitch_of(hz: float, n_frames: int, voicing: float = 1.0) -> Tensor:
    return torch.tensor([math.log2(hz), voicing])[None, :, None].expand(1, 2, n_frames)


@pytest.mark.parametrize("hz", [95.0, 140.0, 205.0, 310.0])
def test_harmonics_lie_where_those_of_a_sound_of_that_pitch_do(hz: float) -> None:
    seconds = np.arange(AUDIO.sample_rate // 2) / AUDIO.sample_rate
    partials = [np.sin(2 * np.pi * k * hz * seconds + k * k) for k in range(1, 40)]
    audio = torch.from_numpy(0.01 * np.sum(partials, 0)).float()[None]
    mel = log_mel(audio, AUDIO)[0, :HARMONIC_CHANNELS, 20]
    candidates = [60.0 * 2 ** (step / 24) for step in range(72)]
    harmonics = torch.stack(
        [harmonics_of(pitch_of(each, 1), AUDIO)[0, :, 0] for each in candidates]
    )
    likeness = torch.nn.functional.cosine_similarity(harmonics, mel - mel.mean(), dim=1)
    assert abs(12 * math.log2(candidates[int(likeness.argmax())] / hz)) < 0.5


def test_unvoiced_frames_have_no_harmonics_and_half_voiced_ones_half() -> None:
    whole = harmonics_of(pitch_of(200.0, 3), AUDIO)
    assert not harmonics_of(pitch_of(200.0, 3, voicing=0.0), AUDIO).any()
    torch.testing.assert_close(harmonics_of(pitch_of(200.0, 3, voicing=0.5), AUDIO), 0.5 * whole)


def test_pitches_out_of_reach_are_those_at_the_edge() -> None:
    for beyond, edge in ((20.0, 60.0), (4_000.0, 499.0)):
        found, expected = (harmonics_of(pitch_of(hz, 1), AUDIO) for hz in (beyond, edge))
        assert (found - expected).abs().max() < 0.1 * expected.abs().max()


@torch.no_grad()
def test_padding_changes_nothing() -> None:
    torch.manual_seed(0)
    contour = PitchContour(CONFIG).eval()
    mean, contexts, _ = inputs(20)
    is_valid = torch.arange(28)[None, None] < 20
    alone = contour(mean, contexts, is_valid[..., :20])
    padded = torch.nn.functional.pad(mean, (0, 8)), torch.nn.functional.pad(contexts, (0, 0, 0, 4))
    torch.testing.assert_close(contour(*padded, is_valid)[..., :20], alone)


@torch.no_grad()
def test_a_pitch_that_is_given_is_spoken_instead_of_the_predicted_one() -> None:
    postnet = random_postnet()
    contour = postnet.pitch_contour
    assert contour is not None
    mean, contexts, noise = inputs(16)
    is_valid = torch.ones(1, 1, 16, dtype=torch.bool)
    predicted = contour(mean, contexts, is_valid)
    alone = postnet(mean, contexts, is_valid, noise=noise)
    given = postnet(mean, contexts, is_valid, noise=noise, pitch=predicted)
    torch.testing.assert_close(given, alone)
    higher = predicted + torch.tensor([0.5, 0.0])[None, :, None]
    other = postnet(mean, contexts, is_valid, noise=noise, pitch=higher)
    assert not torch.allclose(other, alone, atol=1e-2)


def test_it_learns_the_pitch_that_a_mel_has() -> None:
    torch.manual_seed(0)
    contour = PitchContour(dataclasses.replace(CONFIG, pitch_channels=32))
    contexts = torch.zeros(32, 4, CONFIG.embedding_size)
    is_valid = torch.ones(32, 1, 8, dtype=torch.bool)
    optimizer = torch.optim.Adam(contour.parameters(), lr=5e-3)

    def clips() -> tuple[Tensor, Tensor]:
        heights = math.log2(190.0) + 0.4 * torch.randn(32)
        pitch = torch.stack([heights, torch.rand(32).round()], 1)[..., None].expand(32, 2, 8)
        blurred = torch.nn.functional.pad(harmonics_of(pitch, AUDIO), (0, 0, 0, 40))
        return blurred + 0.3 * torch.randn_like(blurred), pitch

    for _ in range(150):
        mean, pitch = clips()
        optimizer.zero_grad()
        contour.loss(mean, contexts, is_valid, pitch).backward()
        optimizer.step()
    contour.eval()
    mean, pitch = clips()
    with torch.no_grad():
        found = contour(mean, contexts, is_valid)
    is_voiced = pitch[:, 1] > 0.5
    error = (found[:, 0] - pitch[:, 0]).abs()[is_voiced].mean()
    assert error < 0.15  # octaves; the mean would be off by 0.32
    assert ((found[:, 1] > 0.5) == is_voiced).float().mean() > 0.9


@torch.no_grad()
def test_the_range_of_a_lower_speaker_is_carried_over() -> None:
    torch.manual_seed(0)
    contour = PitchContour(CONFIG).eval()
    mean, contexts, _ = inputs(16)
    is_valid = torch.ones(1, 1, 16, dtype=torch.bool)
    high = contour(mean, contexts, is_valid)
    low = torch.stack([0.5 * (high[:, 0] - math.log2(190.0)) + math.log2(95.0), high[:, 1]], dim=1)
    recorded = torch.stack([low[:, 0], torch.ones_like(low[:, 1])], dim=1)
    contour.carry_over(mean, contexts, recorded)
    torch.testing.assert_close(contour(mean, contexts, is_valid), low)
    contour.carry_over(mean, contexts, torch.zeros_like(recorded))  # nothing is voiced
    torch.testing.assert_close(contour(mean, contexts, is_valid), low)
