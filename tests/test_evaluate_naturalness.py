"""Scores without a reference: what smoothing, noise and monotony do to them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

from pipeline.evaluation.naturalness import dnsmos, modulation, naturalness, pitch_scores
from pipeline.mel import AudioConfig
from tests.tiny_training import voiced

AUDIO = AudioConfig()


def test_smoothing_over_time_takes_modulation_away() -> None:
    mel = np.random.default_rng(0).normal(size=(80, 400))
    smooth = uniform_filter1d(mel, 9, axis=1)
    assert modulation(smooth, AUDIO) < 0.4 * modulation(mel, AUDIO)
    assert modulation(2.0 * mel, AUDIO) == pytest.approx(2.0 * modulation(mel, AUDIO))


def test_modulation_below_4_hz_does_not_count() -> None:
    seconds = np.arange(400) * AUDIO.hop_length / AUDIO.sample_rate
    slow, fast = (np.sin(2 * np.pi * hz * seconds)[None].repeat(80, 0) for hz in (2.0, 8.0))
    assert modulation(slow, AUDIO) < 0.1 * modulation(fast, AUDIO)


def test_a_steady_pitch_has_no_deviation_and_a_gliding_one_has() -> None:
    seconds = np.arange(2 * AUDIO.sample_rate) / AUDIO.sample_rate

    def deviation(semitones: np.ndarray) -> float:
        phase = 2 * np.pi * np.cumsum(150.0 * 2 ** (semitones / 12)) / AUDIO.sample_rate
        audio = 0.1 * sum(np.sin(k * phase) / k for k in range(1, 20)).astype(np.float32)
        return pitch_scores(audio, AUDIO.sample_rate)["pitch_semitones"]

    assert deviation(np.zeros_like(seconds)) < 0.2
    glide = 3.0 * np.sin(2 * np.pi * seconds)  # its standard deviation is 3 / sqrt(2)
    assert deviation(glide) == pytest.approx(3.0 / math.sqrt(2.0), rel=0.1)


def test_noise_lowers_the_opinion_of_the_background_and_level_does_not() -> None:
    clean = voiced(3.0)
    noisy = clean + np.random.default_rng(0).normal(0, 0.1, len(clean)).astype(np.float32)
    opinions, of_noisy = (dnsmos(audio, AUDIO.sample_rate) for audio in (clean, noisy))
    assert of_noisy["dnsmos_noise"] < opinions["dnsmos_noise"]
    quiet = dnsmos(0.1 * clean, AUDIO.sample_rate)
    assert quiet["dnsmos_p808"] == pytest.approx(opinions["dnsmos_p808"], abs=0.02)


def test_an_utterance_gets_all_scores() -> None:
    scored = naturalness(voiced(3.0), AUDIO)
    assert scored.deviation.shape == (80,)
    assert set(scored.scores) == {
        *("dnsmos_p808", "dnsmos_overall", "dnsmos_signal", "dnsmos_noise"),
        *("modulation", "pitch_hz", "pitch_semitones"),
    }
    assert all(math.isfinite(value) for value in scored.scores.values())
