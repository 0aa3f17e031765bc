"""How high and how loud each symbol was spoken, read off a recording's mel."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from pipeline.atomic_write import atomic_write
from pipeline.data.features import Features
from pipeline.mel import AudioConfig
from pipeline.waveglow.pitch_pulses import pitch_from_mel

MIN_VOICED_FRAMES = 1.0  # a symbol with fewer takes its pitch from those around it
CLEAR_VOICING = 0.5
VOICE_RANGE = (-0.6, 0.9)  # octaves from a speaker's median; what lies beyond is hardly ever speech


@dataclass(frozen=True)
class ProsodyStatistics:
    """Mean and standard deviation of a speaker's prosody, pitch and energy [2] each."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, prosody: np.ndarray) -> ProsodyStatistics:
        """Return the statistics of symbols [N, 2]."""
        return cls(prosody.mean(0), np.maximum(prosody.std(0), 1e-3))

    def standardize(self, prosody: np.ndarray) -> np.ndarray:
        """Return prosody [N, 2] in standard deviations from the mean."""
        return np.asarray((prosody - self.mean) / self.deviation)


def frame_pitch(mel: np.ndarray, config: AudioConfig) -> np.ndarray:
    """Return log2 of the pitch in Hz, and the voicing, of each frame of a mel [T, M]: [T, 2]."""
    f0, voicing = pitch_from_mel(torch.from_numpy(np.array(mel.T))[None], config)
    both = torch.stack([f0[0].log2(), voicing[0].double()], dim=1)
    return np.asarray(both.float().cpu().numpy(), dtype=np.float32)


def load_pitch(features: Features, cache_dir: Path) -> np.ndarray:
    """Return `frame_pitch` of all frames of some features, [total T, 2], computed once and kept."""
    digest = hashlib.sha256(np.ascontiguousarray(features.mels).data).hexdigest()[:16]
    path = cache_dir / f"pitch-{digest}.npy"
    if not path.exists():
        clips = tqdm(range(len(features.offsets) - 1), "pitch", unit="clip", dynamic_ncols=True)
        pitches = [frame_pitch(features.mel(i), features.config) for i in clips]
        with atomic_write(path) as part_path, part_path.open("wb") as file:
            np.save(file, np.concatenate(pitches))
    return np.array(np.load(path))


def within_voice_range(pitch: np.ndarray) -> np.ndarray:
    """Return pitch [T, 2] of one speaker, unvoiced where it is out of the speaker's range.

    The harmonics of low voices are near each other in a mel, and some frames of theirs look like
    half the pitch or the lowest there is.
    """
    log2_hz, voicing = pitch.T
    is_clear = voicing > CLEAR_VOICING
    if not is_clear.any():
        return pitch
    offset = log2_hz - np.median(log2_hz[is_clear])
    is_within = (offset > VOICE_RANGE[0]) & (offset < VOICE_RANGE[1])
    return np.stack([log2_hz, voicing * is_within], axis=1).astype(pitch.dtype)


def symbol_prosody(mel: np.ndarray, pitch: np.ndarray, alignment: np.ndarray) -> np.ndarray:
    """Return each symbol's mean pitch, log2 Hz, and mean log energy, [N, 2] float32.

    Args:
        mel: [T, M] natural log.
        pitch: [T, 2] of `frame_pitch`.
        alignment: [T / r, N]: share of each step's time that each symbol is spoken in.
    """
    r = len(mel) // len(alignment)
    shares = np.repeat(alignment, r, axis=0)  # [T, N]
    log2_hz, voicing = pitch.T
    voiced = shares * voicing[:, None]
    n_voiced = voiced.sum(0)
    is_voiced = n_voiced >= MIN_VOICED_FRAMES
    result = np.zeros((shares.shape[1], 2), dtype=np.float32)
    if is_voiced.any():
        places = np.arange(len(is_voiced))
        known = (log2_hz @ voiced)[is_voiced] / n_voiced[is_voiced]
        result[:, 0] = np.interp(places, places[is_voiced], known)
    else:
        result[:, 0] = log2_hz.mean()
    result[:, 1] = (mel.mean(1) @ shares) / np.maximum(shares.sum(0), 1e-3)
    is_silent = shares.sum(0) < 1e-3  # symbols that take no time
    result[is_silent, 1] = mel.mean()
    return result
