"""Objective scores of produced speech against the recording it should repeat, sample by sample."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import torch

from pipeline.audio import resample
from pipeline.mel import AudioConfig, log_mel

N_CEPSTRA = 13
PITCH_MIN_HZ, PITCH_MAX_HZ = 60.0, 500.0
PITCH_WINDOW = 2_048  # samples: two periods of the lowest pitch, and a bit
PESQ_RATE = 16_000  # Hz
TONE_WINDOW = 8_192  # samples: bins of 2.7 Hz
TONE_NEIGHBOURHOOD_HZ = 150.0
DB_PER_NEPER = 20.0 / math.log(10.0)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How near produced speech comes to a recording; nan where a score does not exist."""

    mel_distance: float  # mean absolute difference of log mels, in nepers
    mel_distance_at_best_gain: float  # the same after one gain for the whole clip
    gain_db: float  # that gain, of the produced audio
    mcd_db: float  # mel cepstral distortion
    pesq: float  # wide band, 1 to 4.6
    stoi: float  # 0 to 1
    f0_cents: float  # root mean square, over frames voiced in both
    voicing_error: float  # share of frames voiced in only one of both
    tonal_db: float  # tones at multiples of the group rate above their surroundings


def score(
    recorded: np.ndarray, produced: np.ndarray, config: AudioConfig, *, n_group: int | None
) -> Scores:
    """Return all scores of one clip.

    Args:
        recorded: [S] float in [-1, 1].
        produced: [S] likewise, in time with it.
        config: Settings of the mels that are compared.
        n_group: Samples a group of the vocoder, at whose rate tonal artefacts are looked for; None
            for a vocoder without groups.
    """
    mels = [log_mel(torch.from_numpy(a)[None], config)[0].numpy() for a in (recorded, produced)]
    distance_at_best, gain_db = mel_distance_at_best_gain(*mels)
    f0_cents, voicing_error = pitch_errors(recorded, produced, config)
    return Scores(
        mel_distance=mel_distance(*mels),
        mel_distance_at_best_gain=distance_at_best,
        gain_db=gain_db,
        mcd_db=mel_cepstral_distortion(*mels),
        pesq=wideband_pesq(recorded, produced, config.sample_rate),
        stoi=intelligibility_index(recorded, produced, config.sample_rate),
        f0_cents=f0_cents,
        voicing_error=voicing_error,
        tonal_db=tonal_artefact(produced, config.sample_rate, n_group=n_group),
    )


def mel_distance(recorded: np.ndarray, produced: np.ndarray) -> float:
    """Return the mean absolute difference of two log mels [M, T], in nepers."""
    return float(np.abs(produced - recorded).mean())


def mel_distance_at_best_gain(recorded: np.ndarray, produced: np.ndarray) -> tuple[float, float]:
    """Return the distance when one gain may be applied to the whole clip, and that gain in dB.

    A gain adds a constant to log mels; the median difference is the one that minimizes the mean
    absolute rest.
    """
    gain = float(np.median(recorded - produced))
    return mel_distance(recorded, produced + gain), gain * DB_PER_NEPER


def mel_cepstral_distortion(
    recorded: np.ndarray, produced: np.ndarray, *, n_cepstra: int = N_CEPSTRA
) -> float:
    """Return the mel cepstral distortion of two log mels [M, T] in dB, averaged over frames.

    Source: Kubichek 1993: 10 sqrt(2) / ln 10 times the Euclidean distance of mel cepstra 1 to
    `n_cepstra`, that is the root mean square over frequency, in dB, of the difference of two
    smoothed log spectra, whatever their levels.
    """
    from scipy.fft import dct

    difference = dct(produced - recorded, axis=0, norm="ortho")[1 : n_cepstra + 1]
    per_frame = np.sqrt((difference**2).sum(axis=0) / len(recorded))
    return float(DB_PER_NEPER * per_frame.mean())


def wideband_pesq(recorded: np.ndarray, produced: np.ndarray, sample_rate: int) -> float:
    """Return the wide-band PESQ (ITU-T P.862.2), or nan where it finds no speech."""
    import pesq

    reference, degraded = (resample(a, sample_rate, PESQ_RATE) for a in (recorded, produced))
    try:
        return float(pesq.pesq(PESQ_RATE, reference, degraded, "wb"))
    except pesq.PesqError:
        return math.nan


def intelligibility_index(recorded: np.ndarray, produced: np.ndarray, sample_rate: int) -> float:
    """Return the short-time objective intelligibility (Taal et al. 2011), or nan without speech."""
    import pystoi

    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        index = float(pystoi.stoi(recorded, produced, sample_rate, extended=False))
    return math.nan if complaints else index


def pitch(audio: np.ndarray, config: AudioConfig) -> np.ndarray:
    """Return the fundamental frequency [T] in Hz by probabilistic YIN, nan where unvoiced."""
    import librosa

    hz, _, _ = librosa.pyin(
        audio,
        fmin=PITCH_MIN_HZ,
        fmax=PITCH_MAX_HZ,
        sr=config.sample_rate,
        frame_length=PITCH_WINDOW,
        hop_length=config.hop_length,
        resolution=0.2,
    )
    return np.asarray(hz)


def pitch_errors(
    recorded: np.ndarray, produced: np.ndarray, config: AudioConfig
) -> tuple[float, float]:
    """Return the root mean square error of pitch in cents, and the share of frames whose voicing
    differs; the first is nan where no frame is voiced in both."""
    true, seen = pitch(recorded, config), pitch(produced, config)
    is_voiced = ~np.isnan(true), ~np.isnan(seen)
    voicing_error = float((is_voiced[0] != is_voiced[1]).mean())
    both = is_voiced[0] & is_voiced[1]
    if not both.any():
        return math.nan, voicing_error
    cents = 1_200.0 * np.log2(seen[both] / true[both])
    return float(np.sqrt((cents**2).mean())), voicing_error


def tonal_artefact(audio: np.ndarray, sample_rate: int, *, n_group: int | None) -> float:
    """Return how far steady tones at multiples of the group rate stand out, in dB.

    WaveGlow makes audio in groups of samples, and errors that repeat from group to group are
    heard as whistling tones. Each multiple of the group rate below the Nyquist frequency
    is held against the median of its neighbourhood; the worst one counts. The spectrum is the
    median over time, so that harmonics of speech that pass by do not count as steady.

    Args:
        audio: [S].
        sample_rate: In Hz.
        n_group: Samples a group; None where there are no groups.

    Returns:
        About 0 where nothing stands out; nan without groups or for audio shorter than the window.
    """
    from scipy.signal import welch

    if n_group is None or len(audio) < TONE_WINDOW:
        return math.nan
    hz, power = welch(audio, sample_rate, "hann", TONE_WINDOW, average="median")
    bin_hz = hz[1]
    worst = -math.inf
    for multiple in np.arange(1, n_group // 2 + n_group % 2) * sample_rate / n_group:
        distance = np.abs(hz - multiple)
        tone = power[distance < 2 * bin_hz].max()
        floor = np.median(power[(distance > 4 * bin_hz) & (distance < TONE_NEIGHBOURHOOD_HZ)])
        if floor > 0:
            worst = max(worst, 10 * math.log10(tone / floor))
    return worst if worst > -math.inf else math.nan
