"""The pitch that mels show, against known pitches and librosa's pYIN, and the pulses made of it."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from pipeline.mel import AudioConfig, log_mel
from pipeline.waveglow.pitch_pulses import pitch_from_mel, pulses_from_pitch

CONFIG = AudioConfig()
RATE, HOP = CONFIG.sample_rate, CONFIG.hop_length
RECORDING = Path(__file__).parents[1] / "docs" / "samples" / "1-recorded.flac"


def vowel(f0: np.ndarray) -> np.ndarray:
    """Return a vowel [S] of this pitch at each sample, and some noise."""
    phase, noise = 2 * np.pi * np.cumsum(f0) / RATE, np.random.default_rng(0)
    formants = [(600, 80), (1_400, 120), (2_600, 200)]
    audio = np.zeros(len(f0))
    for k in range(1, 120):
        below = k * f0 < 10_000
        gain = sum(1.0 / np.hypot(k * f0 - hz, 2 * width) for hz, width in formants)
        audio += below * gain * np.cos(k * phase)
    return np.asarray(0.3 * audio / np.abs(audio).max() + 1e-3 * noise.standard_normal(len(f0)))


def mel_of(audio: np.ndarray) -> Tensor:
    return log_mel(torch.from_numpy(np.asarray(audio, dtype=np.float32))[None], CONFIG)


def pulses_of(mel: Tensor, phase: Tensor | None = None) -> Tensor:
    return pulses_from_pitch(pitch_from_mel(mel, CONFIG), CONFIG, phase=phase)


def cents(seen: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return np.asarray(1_200 * np.log2(seen / expected))


@pytest.mark.parametrize("hz", [85.0, 100.0, 127.3, 161.8, 200.0, 247.1, 310.0, 402.5, 480.0])
def test_a_steady_pitch_is_found_to_a_cent(hz: float) -> None:
    pitch = pitch_from_mel(mel_of(vowel(np.full(RATE // 2, hz))), CONFIG)
    middle = pitch.f0[0, 4:-4].numpy()
    assert np.abs(cents(middle, np.array(hz))).max() < 1
    assert pitch.voicing[0, 4:-4].min() == 1.0


def test_a_glide_is_followed() -> None:
    f0 = np.geomspace(120.0, 360.0, 2 * RATE)
    pitch = pitch_from_mel(mel_of(vowel(f0)), CONFIG)
    expected = f0[: HOP * pitch.f0.shape[1] : HOP]
    assert np.abs(cents(pitch.f0[0].numpy(), expected))[4:-4].max() < 5


def test_noise_and_silence_are_unvoiced() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(2 * RATE)
    assert pitch_from_mel(mel_of(noise), CONFIG).voicing.mean() < 0.1
    silence = pitch_from_mel(mel_of(np.zeros(RATE)), CONFIG)
    assert silence.voicing.max() == 0.0
    assert torch.isfinite(silence.f0).all()


def test_a_recording_has_the_pitch_that_pyin_hears() -> None:
    audio, rate = soundfile.read(RECORDING)
    assert rate == RATE
    expected, voiced, _ = librosa.pyin(
        audio, fmin=65, fmax=480, sr=RATE, frame_length=1_024, hop_length=HOP
    )
    pitch = pitch_from_mel(mel_of(audio), CONFIG)
    f0, ours = pitch.f0[0].numpy(), pitch.voicing[0].numpy() > 0.5
    assert len(f0) == len(expected)
    both = voiced & ours
    error = np.abs(cents(f0[both], expected[both]))
    assert both.sum() > 50
    assert np.median(error) < 20
    assert np.mean(error > 600) < 0.02  # octaves
    assert np.mean(voiced == ours) > 0.8


def test_pulses_come_once_a_period_and_as_high_as_voicing() -> None:
    mel = mel_of(vowel(np.full(RATE, 200.0)))
    pulses = pulses_of(mel)[0].numpy()
    assert pulses.shape == (mel.shape[2] * HOP,)
    inner = pulses[RATE // 10 : -RATE // 10]
    peaks = np.flatnonzero((inner[1:-1] > inner[:-2]) & (inner[1:-1] >= inner[2:]))
    assert len(peaks) == pytest.approx(200 * len(inner) / RATE, abs=2)
    assert np.abs(np.diff(peaks) - RATE / 200).max() < 2
    assert inner.max() <= 1.0
    assert inner[1:-1][peaks].min() > 0.9


def test_the_phase_says_where_pulses_begin() -> None:
    mel = mel_of(vowel(np.full(RATE // 2, 200.0))).expand(3, -1, -1)
    first, half, whole = pulses_of(mel, torch.tensor([0.0, 0.5, 1.0]))
    assert torch.allclose(first, whole, atol=1e-5)
    assert (first * half).max() < 0.05


def test_a_batch_has_the_pulses_of_its_members() -> None:
    mels = torch.cat([mel_of(vowel(np.full(RATE // 2, hz))) for hz in (110.0, 230.0)])
    together = pulses_of(mels)
    alone = torch.cat([pulses_of(mel[None]) for mel in mels])
    assert torch.allclose(together, alone, atol=1e-6)
