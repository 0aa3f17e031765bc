"""Scores of speech that need no recording to compare with: how natural, sharp and lively it is."""

from __future__ import annotations

import math
from typing import NamedTuple

import librosa
import numpy as np
import torch

from pipeline.audio import resample
from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig, log_mel

DNSMOS_RATE = 16_000  # Hz
DNSMOS_LEVEL_DB = -26.0  # root mean square that audio is brought to, so that levels do not count
ACTIVE_DB = 40.0  # speech begins and ends where frames are that far below the loudest
MODULATION_WINDOW = 128  # frames: 1.5 s
MODULATION_MIN_HZ = 4.0
PITCH_RANGE_HZ = (65.0, 500.0)


class Naturalness(NamedTuple):
    """What one utterance scored."""

    scores: dict[str, float]  # by the names of `voice_scores.LABELS`
    deviation: np.ndarray  # [M]: standard deviation over time of each log-mel channel, in nepers


def naturalness(audio: np.ndarray, config: AudioConfig) -> Naturalness:
    """Return the scores of one utterance [S].

    Raises:
        PipelineError: The package `speechmos` is not installed.

    Source: Reddy et al. 2021 (arXiv:2010.15258) and 2022 (arXiv:2110.01763) for DNSMOS P.808 and
    P.835; Toda and Tokuda 2007 for global variance; Takamichi et al. 2016 for the modulation
    spectrum, which over-smoothed speech lacks.
    """
    mel = log_mel(torch.from_numpy(audio)[None], config)  # [1, M, T]
    active = active_frames(mel[0].numpy())
    scores = dnsmos(audio, config.sample_rate) | pitch_scores(audio, config.sample_rate)
    scores["modulation"] = modulation(active, config)
    return Naturalness(scores, active.std(axis=1))


def dnsmos(audio: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Return mean opinions from 1 to 5 as a neural network predicts them, of audio [S]."""
    try:
        from speechmos import dnsmos as predictor
    except ImportError as error:
        raise PipelineError(
            "The package speechmos is not installed; pip install -r requirements.txt has it"
        ) from error
    samples = resample(audio, sample_rate, DNSMOS_RATE)
    level = math.sqrt(float(np.square(samples).mean())) or 1.0
    samples = np.clip(samples * (10.0 ** (DNSMOS_LEVEL_DB / 20.0) / level), -1.0, 1.0)
    opinions = predictor.run(samples.astype(np.float64), DNSMOS_RATE)
    names = {"p808": "p808_mos", "overall": "ovrl_mos", "signal": "sig_mos", "noise": "bak_mos"}
    return {f"dnsmos_{name}": float(opinions[key]) for name, key in names.items()}


def modulation(mel: np.ndarray, config: AudioConfig) -> float:
    """Return the strength of a log mel's [M, T] movements above 4 Hz.

    It is the root of their mean power over channels and half-overlapping windows.
    """
    rate = config.sample_rate / config.hop_length
    is_fast = np.fft.rfftfreq(MODULATION_WINDOW, 1.0 / rate) > MODULATION_MIN_HZ
    moving = mel - mel.mean(axis=1, keepdims=True)
    starts = range(0, max(1, mel.shape[1] - MODULATION_WINDOW + 1), MODULATION_WINDOW // 2)
    powers = []
    for start in starts:
        window = moving[:, start : start + MODULATION_WINDOW]
        window = window * np.hanning(window.shape[1])
        spectrum = np.fft.rfft(window, MODULATION_WINDOW, axis=1)
        powers.append((np.abs(spectrum[:, is_fast]) ** 2).mean() / window.shape[1])
    return float(np.sqrt(np.mean(powers)))


def pitch_scores(audio: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Return the mean pitch of audio [S] in Hz and its standard deviation in semitones.

    Both are nan where nothing is voiced.

    Source: pYIN, Mauch and Dixon 2014 (doi:10.1109/ICASSP.2014.6853678), as librosa has it.
    """
    lowest_hz, highest_hz = PITCH_RANGE_HZ
    f0, is_voiced, _ = librosa.pyin(audio, fmin=lowest_hz, fmax=highest_hz, sr=sample_rate)
    semitones = 12.0 * np.log2(f0[is_voiced])
    is_spoken = len(semitones) > 1
    return {
        "pitch_hz": float(2.0 ** (semitones.mean() / 12.0)) if is_spoken else math.nan,
        "pitch_semitones": float(semitones.std(ddof=1)) if is_spoken else math.nan,
    }


def active_frames(mel: np.ndarray) -> np.ndarray:
    """Return a log mel [M, T] from its first frame of speech to its last."""
    power_db = 10.0 * np.log10(np.exp(2.0 * mel).sum(axis=0))
    frames = np.flatnonzero(power_db > power_db.max() - ACTIVE_DB)
    return mel[:, frames[0] : frames[-1] + 1]
