"""Scores have the values that theory, or another program, gives them."""

from __future__ import annotations

import math

import numpy as np
import pesq
import pytest
import scipy.signal
import torch

from pipeline.evaluation.comparison import average, averages, negative_log_likelihood
from pipeline.evaluation.griffin_lim import griffin_lim
from pipeline.evaluation.metrics import (
    intelligibility_index,
    mel_cepstral_distortion,
    mel_distance,
    mel_distance_at_best_gain,
    pitch,
    pitch_errors,
    score,
    tonal_artefact,
    wideband_pesq,
)
from pipeline.mel import log_mel
from tests.conftest import TINY_WAVEGLOW
from tests.tiny_models import random_waveglow
from tests.tiny_training import AUDIO, voiced

RATE = AUDIO.sample_rate


def random_mels() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(-5, 2, (80, 30)), rng.normal(-5, 2, (80, 30))


def harmonics(f0_hz: np.ndarray) -> np.ndarray:
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    return np.asarray(0.1 * sum(np.sin(k * phase) / k for k in range(1, 12)), dtype=np.float32)


def test_a_recording_scores_best_against_itself() -> None:
    audio = voiced(1.5)
    perfect = score(audio, audio, AUDIO, n_group=16)
    assert perfect.mel_distance == perfect.mel_distance_at_best_gain == perfect.mcd_db == 0
    assert perfect.f0_cents == perfect.voicing_error == perfect.gain_db == 0
    assert perfect.pesq == pytest.approx(4.64, abs=0.01)
    assert perfect.stoi == pytest.approx(1.0)


def test_a_gain_is_found_and_taken_out() -> None:
    audio = voiced(1.0)
    mels = [log_mel(torch.from_numpy(a)[None])[0].numpy() for a in (audio, 0.5 * audio)]
    assert mel_distance(*mels) == pytest.approx(math.log(2), rel=1e-3)
    rest, gain_db = mel_distance_at_best_gain(*mels)
    assert rest == pytest.approx(0, abs=1e-3)
    assert gain_db == pytest.approx(6.0206, abs=1e-3)
    assert mel_cepstral_distortion(*mels) == pytest.approx(0, abs=1e-3)


def test_the_best_gain_is_the_best() -> None:
    recorded, produced = random_mels()
    best, gain_db = mel_distance_at_best_gain(recorded, produced)
    nepers = gain_db * math.log(10) / 20
    assert best == pytest.approx(mel_distance(recorded, produced + nepers))
    for other in np.linspace(-1, 1, 21):
        assert mel_distance(recorded, produced + nepers + other) >= best - 1e-12


def test_distortion_with_all_cepstra_is_the_spectral_difference_in_db() -> None:
    recorded, produced = random_mels()
    difference = produced - recorded
    db = 20 / math.log(10) * (difference - difference.mean(axis=0))
    expected = np.sqrt((db**2).mean(axis=0)).mean()
    assert mel_cepstral_distortion(recorded, produced, n_cepstra=79) == pytest.approx(expected)


def test_distortion_follows_kubicheks_formula() -> None:
    recorded, produced = random_mels()
    centres = np.pi * (np.arange(80) + 0.5) / 80
    distances = []
    for frame in range(recorded.shape[1]):
        cepstra = [
            2 / 80 * np.array([(mel[:, frame] * np.cos(k * centres)).sum() for k in range(1, 14)])
            for mel in (recorded, produced)
        ]
        distances.append(10 * math.sqrt(2) / math.log(10) * np.linalg.norm(cepstra[0] - cepstra[1]))
    assert mel_cepstral_distortion(recorded, produced) == pytest.approx(np.mean(distances))


def test_pesq_agrees_with_another_resampler_and_falls_with_noise() -> None:
    clean = voiced(3.0)
    rng = np.random.default_rng(0)
    scores = [
        wideband_pesq(clean, clean + rng.normal(0, level, len(clean)).astype(np.float32), RATE)
        for level in (1e-3, 1e-2, 1e-1)
    ]
    assert scores[0] > scores[1] > scores[2] >= 1.0
    noisy = clean + np.random.default_rng(0).normal(0, 1e-3, len(clean)).astype(np.float32)
    other = [scipy.signal.resample_poly(a, 320, 441).astype(np.float32) for a in (clean, noisy)]
    assert scores[0] == pytest.approx(pesq.pesq(16_000, *other, "wb"), abs=0.1)


def test_stoi_falls_with_noise_and_needs_speech() -> None:
    clean = voiced(3.0)
    noise = np.random.default_rng(0).normal(0, 1, len(clean)).astype(np.float32)
    faint, loud = (intelligibility_index(clean, clean + g * noise, RATE) for g in (1e-3, 1.0))
    assert 1 > faint > 0.9 > loud
    assert math.isnan(intelligibility_index(clean[:4_000], clean[:4_000], RATE))


def test_pitch_is_that_of_the_tone() -> None:
    f0_hz = np.linspace(110, 220, 2 * RATE)
    seen = pitch(harmonics(f0_hz), AUDIO)
    true = f0_hz[:: AUDIO.hop_length][: len(seen)]
    seen = seen[: len(true)]
    inside = slice(8, -8)
    assert np.abs(1_200 * np.log2(seen[inside] / true[inside])).max() < 25


def test_pitch_errors_are_a_transposition_in_cents_and_lost_voicing() -> None:
    f0_hz = np.linspace(110, 180, 2 * RATE)
    cents, voicing = pitch_errors(harmonics(f0_hz), harmonics(f0_hz * 2 ** (50 / 1_200)), AUDIO)
    assert cents == pytest.approx(50, abs=6)
    assert voicing < 0.03
    half = harmonics(f0_hz)
    half[RATE:] = np.random.default_rng(0).normal(0, 0.1, RATE)
    assert pitch_errors(harmonics(f0_hz), half, AUDIO)[1] == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("n_group", [8, 16])
def test_hum_is_measured_in_db_above_the_noise(n_group: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, 20 * RATE)
    silent = tonal_artefact(noise, RATE, n_group=n_group)
    assert silent < 2.5
    t = np.arange(len(noise)) / RATE
    tone = 0.001 * np.sqrt(2) * np.sin(2 * np.pi * 2 * RATE / n_group * t)
    # A Hann window of N samples gathers the tone's power of 1e-6 in a bin 1.5 / N rates wide.
    density = 1e-6 / (1.5 * RATE / 8_192)
    expected = 10 * math.log10(density / (0.01**2 / (RATE / 2)))
    seen = tonal_artefact(noise + tone, RATE, n_group=n_group)
    assert seen == pytest.approx(expected, abs=2.0)
    elsewhere = 0.001 * np.sqrt(2) * np.sin(2 * np.pi * 1.5 * RATE / n_group * t)
    assert tonal_artefact(noise + elsewhere, RATE, n_group=n_group) < 2.5


def test_hum_counts_in_pauses_even_when_speech_covers_it_now_and_then() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.01, 10 * RATE)
    t = np.arange(len(noise)) / RATE
    burst = np.where(t % 5 < 1, np.sin(2 * np.pi * RATE / 16 * t), 0)
    assert tonal_artefact(noise + burst, RATE, n_group=16) < 4
    assert math.isnan(tonal_artefact(noise[:1_000], RATE, n_group=16))


def test_griffin_lim_returns_audio_with_the_mel_it_was_given() -> None:
    audio = voiced(1.0)
    mel = log_mel(torch.from_numpy(audio)[None])[0, :, :-1].numpy()
    made = griffin_lim(mel, AUDIO)
    assert made.shape == (AUDIO.hop_length * mel.shape[1],)
    again = log_mel(torch.from_numpy(made)[None])[0, :, :-1].numpy()
    assert mel_distance(mel, again) < 0.3 < mel_distance(mel, np.roll(mel, 5, axis=1))
    np.testing.assert_array_equal(griffin_lim(mel, AUDIO), made)


def test_the_likelihood_is_that_of_the_noise_and_the_volume() -> None:
    model = random_waveglow(TINY_WAVEGLOW)
    audio = voiced(0.5)[: 20 * AUDIO.hop_length]
    mel = log_mel(torch.from_numpy(audio)[None])[0, :, :20].numpy()
    with torch.no_grad():
        seen = model(torch.from_numpy(mel)[None], torch.from_numpy(audio)[None])
    log_density = torch.distributions.Normal(0, 1).log_prob(seen.z).sum() + seen.log_det.sum()
    assert negative_log_likelihood(model, audio, mel) == pytest.approx(
        -log_density.item() / len(audio), rel=1e-4
    )


def test_averages_leave_out_what_does_not_exist() -> None:
    seen = averages([{"a": 1.0, "b": math.nan}, {"a": 3.0, "b": math.nan}, {"a": math.nan}])
    assert (seen["a"].mean, seen["a"].standard_error, seen["a"].n_clips) == (2.0, 1.0, 2)
    assert seen["b"].n_clips == 0
    assert math.isnan(average([5.0]).standard_error)
