"""Small pictures without axes, for the page: mel spectrogram and attention."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
import torch

from pipeline import Speech
from pipeline.mel import AudioConfig, log_mel

MAX_WIDTH = 1_600  # pixels; a longer result is averaged down


LOG_RANGE = (-10.0, 1.0)  # of log mels; the same for all, so that pictures can be compared


def mel_png(mel: np.ndarray) -> bytes:
    """Return a PNG of a mel spectrogram [M, T], low frequencies at the bottom."""
    return _png(_narrow(mel)[::-1], *LOG_RANGE)


def heard_png(speech: Speech) -> bytes:
    """Return a PNG of the spectrogram of what is heard, not of what the vocoder was given."""
    config = AudioConfig(sample_rate=speech.sample_rate, hop_length=speech.hop_length)
    return mel_png(log_mel(torch.from_numpy(speech.audio)[None], config)[0].numpy())


def attention_png(alignment: np.ndarray) -> bytes:
    """Return a PNG of an alignment [decoder steps, N]: steps go right, symbols go up."""
    return _png(_narrow(alignment.T)[::-1], 0.0, 1.0)


def _narrow(values: np.ndarray) -> np.ndarray:
    """Return [rows, at most MAX_WIDTH], neighbouring columns averaged."""
    width = values.shape[1]
    edges = np.linspace(0, width, min(width, MAX_WIDTH), endpoint=False).astype(int)
    sums = np.add.reduceat(values, edges, axis=1)
    return np.asarray(sums / np.diff(edges, append=width))


def _png(values: np.ndarray, low: float, high: float) -> bytes:
    from PIL import Image

    levels = np.clip((values - low) / (high - low) * 255.0, 0, 255).astype(np.uint8)
    picture = Image.fromarray(levels, mode="P")
    picture.putpalette(_palette())
    output = io.BytesIO()
    picture.save(output, format="PNG")
    return output.getvalue()


@lru_cache(maxsize=1)
def _palette() -> bytes:
    """Return magma: equal steps look equal, also in grey and to the colour-blind."""
    from matplotlib import colormaps

    colours = colormaps["magma"](np.arange(256), bytes=True)[:, :3]
    return bytes(colours.tobytes())
