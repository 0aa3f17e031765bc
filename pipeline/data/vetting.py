"""What recordings are worth: measured clip by clip, and the bad ones named with the reason."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from pipeline.audio import to_pcm
from pipeline.data.cutting import FLOOR_PERCENTILE, SILENCE_DB, frame_levels

ACTIVE_DB = 30.0  # below its loudest frames a clip no longer speaks
LOUD_PERCENTILE = 95
MIN_SECONDS = 1.0
MIN_LEVEL_DB = -60.0
MIN_SNR_DB = 12.0
MIN_BANDWIDTH_HZ = 6_500.0  # vocoders see mels up to 8,000 Hz
MAX_CLIPPED = 0.001  # share of samples
MAX_SILENCE = 0.85  # share of frames
BANDWIDTH_WINDOW_SECONDS = 0.05
BANDWIDTH_DB = 75.0  # below the loudest part of the spectrum there is nothing


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """Facts of one clip, at its own sample rate."""

    seconds: float
    sample_rate: int  # Hz, of the file
    level_db: float  # root mean square while speaking, of full scale
    peak_db: float
    noise_db: float  # root mean square of its quietest frames
    silence: float  # share of frames in which nobody speaks
    clipped: float  # share of samples
    dc: float  # mean, of full scale
    bandwidth_hz: float  # above it there is nothing
    fingerprint: str  # of its samples; equal for copies, whatever their names and formats


def measure(audio: np.ndarray, sample_rate: int) -> Measurements:
    """Return what vetting looks at.

    Args:
        audio: [S] float, finite, mono.
        sample_rate: In Hz.
    """
    dc = float(audio.mean()) if len(audio) else 0.0
    centred = audio - dc
    levels = frame_levels(centred, sample_rate)
    if not len(levels):
        levels = np.array([SILENCE_DB])
    is_active = levels > np.percentile(levels, LOUD_PERCENTILE) - ACTIVE_DB
    active_power = np.mean(10.0 ** (levels[is_active] / 10.0)) if is_active.any() else 0.0
    return Measurements(
        seconds=len(audio) / sample_rate,
        sample_rate=sample_rate,
        level_db=_db(active_power),
        peak_db=_db(float(np.square(audio).max(initial=0.0))),
        noise_db=float(np.percentile(levels, FLOOR_PERCENTILE)),
        silence=float(1.0 - is_active.mean()),
        clipped=_clipped_share(audio),
        dc=dc,
        bandwidth_hz=_bandwidth(centred, sample_rate),
        fingerprint=hashlib.sha256(to_pcm(audio).tobytes()).hexdigest()[:16],
    )


def rejection_reason(seen: Measurements) -> str | None:
    """Return why a clip is left out, or None for a good one."""
    snr_db = seen.level_db - seen.noise_db
    checks = [
        (seen.seconds < MIN_SECONDS, f"{seen.seconds:.2f} s long, {MIN_SECONDS:g} s needed"),
        (
            seen.level_db < MIN_LEVEL_DB,
            f"silent: speech at {seen.level_db:.0f} dB, {MIN_LEVEL_DB:.0f} dB needed",
        ),
        (
            seen.silence > MAX_SILENCE,
            f"{seen.silence:.0%} of it is silence, at most {MAX_SILENCE:.0%} allowed",
        ),
        (
            seen.clipped > MAX_CLIPPED,
            f"{seen.clipped:.2%} of its samples are clipped, at most {MAX_CLIPPED:.1%} allowed",
        ),
        (
            seen.bandwidth_hz < MIN_BANDWIDTH_HZ,
            f"nothing above {seen.bandwidth_hz:.0f} Hz, {MIN_BANDWIDTH_HZ:.0f} Hz needed; it was "
            "recorded or sent at a lower rate",
        ),
        (
            snr_db < MIN_SNR_DB,
            f"noisy: speech {snr_db:.0f} dB above the noise, {MIN_SNR_DB:.0f} dB needed",
        ),
    ]
    return next((reason for is_bad, reason in checks if is_bad), None)


def _db(power: float) -> float:
    return float(max(SILENCE_DB, 10.0 * np.log10(power))) if power > 0 else SILENCE_DB


def _clipped_share(audio: np.ndarray) -> float:
    """Return the share of samples that stand at the clip's extremes, three or more in a row.

    Clipping at the converter and before a later change of volume looks the same: flat tops.
    """
    if not len(audio):
        return 0.0
    half_step = 0.5 / 32_768
    is_flat = (audio >= audio.max() - half_step) | (audio <= audio.min() + half_step)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_flat.astype(np.int8), [0]])))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= 3].sum() / len(audio))


def _bandwidth(audio: np.ndarray, sample_rate: int) -> float:
    """Return the frequency above which the long-term spectrum is empty.

    A recording that was resampled from a lower rate has nothing but rounding noise up there.
    """
    from scipy.signal import welch

    window = int(BANDWIDTH_WINDOW_SECONDS * sample_rate)
    if len(audio) < window or not np.any(audio):
        return 0.0
    hz, power = welch(audio, sample_rate, "hann", window)
    return float(hz[power > power.max() * 10.0 ** (-BANDWIDTH_DB / 10.0)].max())
