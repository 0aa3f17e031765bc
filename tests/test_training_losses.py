"""What WaveGlow is trained for beside its likelihood: spectra of its samples, and no bias."""

import dataclasses
import math
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch

from pipeline.mel import AudioConfig
from pipeline.training.spectral_distance import (
    CONVERGENCE_SHARE,
    LINEAR_SHARE,
    energy_distance,
    magnitude,
    resolutions,
    steadiness_of_groups,
)
from pipeline.training.waveglow_task import Excerpts
from tests.tiny_training import make_trainer, voiced, waveglow_task

CONFIG = AudioConfig()


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_magnitudes_are_those_of_librosa_without_padding() -> None:
    audio = voiced(0.3)
    for resolution in resolutions(CONFIG):
        n_fft, hop = resolution.n_fft, resolution.hop_length
        expected = np.abs(librosa.stft(audio, n_fft=n_fft, hop_length=hop, center=False))
        ours = magnitude(torch.from_numpy(audio)[None], resolution)[0].numpy()
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-4)


def test_resolutions_are_the_models_own_and_three_windows_around_it() -> None:
    assert [one.n_fft for one in resolutions(CONFIG)] == [1_024, 128, 512, 2_048]
    assert resolutions(CONFIG)[0] == CONFIG


def distance(samples: torch.Tensor, recorded: torch.Tensor, *, voicing: float = 1.0) -> float:
    """Return the energy distance of samples [2, B, S], or of [B, S] twice."""
    pair = samples if samples.dim() == 3 else samples.expand(2, -1, -1)
    frames = torch.full((len(recorded), recorded.shape[1] // CONFIG.hop_length), voicing)
    return energy_distance(pair, recorded, frames, CONFIG).item()


def test_audio_is_at_no_distance_from_itself() -> None:
    audio = noise(2, 8_192)
    assert distance(audio, audio) == 0.0


def test_twice_as_loud_is_as_far_as_logarithms_say() -> None:
    audio = noise(2, 8_192)
    nepers = math.log(2.0) * (1.0 + LINEAR_SHARE)  # and a convergence of 1
    assert distance(2.0 * audio, audio) == pytest.approx(nepers + CONVERGENCE_SHARE, abs=1e-4)


def test_a_wrong_pitch_is_further_away_than_a_wrong_phase() -> None:
    t = torch.arange(8_192) / CONFIG.sample_rate
    harmonics = torch.arange(1, 20)[:, None]

    def vowel(hz: float, phase: float) -> torch.Tensor:
        return (torch.sin(2 * math.pi * hz * harmonics * t + phase * harmonics) / harmonics).sum(0)

    recorded = vowel(200.0, 0.0)[None] + 1e-3 * noise(1, 8_192)
    late = distance(vowel(200.0, 1.0)[None] + 1e-3 * noise(1, 8_192), recorded)
    high = distance(vowel(212.0, 0.0)[None] + 1e-3 * noise(1, 8_192), recorded)
    assert high > 2 * late


def test_where_nothing_is_voiced_noise_is_nearer_to_noise_than_clicks_are() -> None:
    recorded, samples = noise(4, 16_384), noise(2, 4, 16_384, seed=1)
    clicks = torch.zeros(2, 4, 16_384)
    clicks[..., ::200] = 200**0.5  # as loud, and their spectrum is flatter than that of noise
    assert distance(samples, recorded, voicing=0.0) < 0.8 * distance(clicks, recorded, voicing=0.0)


def test_unvoiced_samples_must_differ_and_voiced_ones_need_not() -> None:
    recorded, samples = noise(4, 16_384), noise(2, 4, 16_384, seed=1)
    twice = samples[:1].expand(2, -1, -1)
    assert distance(samples, recorded, voicing=0.0) < 0.8 * distance(twice, recorded, voicing=0.0)
    alike, different = distance(twice, recorded), distance(samples, recorded)
    assert different == pytest.approx(alike, rel=0.02)


def test_silence_is_at_a_finite_distance_and_has_a_finite_gradient() -> None:
    silence, unvoiced = torch.zeros(2, 1, 8_192, requires_grad=True), torch.zeros(1, 33)
    energy_distance(silence, noise(1, 8_192), unvoiced, CONFIG).backward()
    assert silence.grad is not None
    assert torch.isfinite(silence.grad).all()
    assert math.isfinite(distance(noise(1, 8_192), torch.zeros(1, 8_192)))


def test_steadiness_is_the_power_of_what_repeats() -> None:
    n_group, n_groups = 16, 4_096
    excitation = noise(2, n_group * n_groups)
    assert steadiness_of_groups(excitation, n_group).item() == pytest.approx(1 / n_groups, rel=0.5)
    tone = 0.3 * noise(n_group, seed=1)
    bias = steadiness_of_groups(excitation + tone.repeat(n_groups), n_group).item()
    assert bias == pytest.approx(tone.square().mean().item(), rel=0.1)


def test_samples_are_scored_after_the_likelihood_alone() -> None:
    task = waveglow_task()
    task.recipe = dataclasses.replace(task.recipe, likelihood_steps=3)
    assert [task.batch(step).noise is None for step in range(5)] == [True] * 3 + [False] * 2
    assert set(task(task.batch(2))) == {"loss", "log likelihood"}
    assert set(task(task.batch(3))) == {"loss", "log likelihood", "energy distance", "bias"}


def test_each_part_of_the_loss_counts_by_its_weight() -> None:
    task = waveglow_task()
    batch = task.batch(task.recipe.likelihood_steps)

    def losses(spectral_weight: float, bias_weight: float) -> dict[str, float]:
        task.recipe = dataclasses.replace(
            task.recipe, spectral_weight=spectral_weight, bias_weight=bias_weight
        )
        return {name: loss.item() for name, loss in task(batch).items()}

    plain = losses(0.0, 0.0)
    negative = -plain["log likelihood"] - 0.5 * math.log(2 * math.pi)
    assert plain["loss"] == pytest.approx(negative, rel=1e-5)
    spectral = losses(3.0, 0.0)["loss"] - plain["loss"]
    assert spectral == pytest.approx(3.0 * plain["energy distance"], rel=1e-4)
    steady = losses(0.0, 5_000.0)["loss"] - plain["loss"]
    assert steady == pytest.approx(5_000.0 * plain["bias"], rel=1e-4)


def test_the_likelihood_is_that_of_its_share_of_the_batch() -> None:
    task = waveglow_task()
    batch = task.batch(task.recipe.likelihood_steps)
    assert len(batch.mel) == task.recipe.batch_size // 2 == 2
    assert len(waveglow_task(batch_size=1).batch(task.recipe.likelihood_steps).mel) == 1
    first = Excerpts(batch.mel[:1], batch.audio[:1])
    seen, expected = task(batch)["log likelihood"], task(first)["log likelihood"]
    assert seen.item() == pytest.approx(expected.item(), rel=1e-6)


def test_validation_scores_samples_from_the_start_and_always_the_same() -> None:
    task = waveglow_task()
    first, second = task.validate(), task.validate()
    assert first == second
    assert set(first) == {"loss", "log likelihood", "energy distance", "bias"}


def test_training_on_samples_brings_their_spectra_closer(tmp_path: Path) -> None:
    task = waveglow_task(validation_excerpts=32)
    task.recipe = dataclasses.replace(task.recipe, likelihood_steps=0, bias_weight=0.0)
    before = task.validate()["energy distance"]
    fast = {"learning_rate": 5e-3, "warmup_steps": 5, "average_decay": 0.0}
    make_trainer(tmp_path, task, max_steps=40, validate_every=40, save_every=40, **fast).fit()
    assert task.validate()["energy distance"] < 0.97 * before
