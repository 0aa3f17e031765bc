"""Audio settings and the one log-mel spectrogram that training, evaluation and inference share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

MAX_FFT = 65_536  # samples; no speech is cut into longer frames


@dataclass(frozen=True, kw_only=True)
class AudioConfig:
    """What a mel spectrogram is made of; stored with every checkpoint and compared strictly.

    Source: the settings that NVIDIA's published LJSpeech weights were trained with.
    """

    sample_rate: int = 22_050  # Hz
    n_fft: int = 1_024  # samples, also the length of the Hann window
    hop_length: int = 256  # samples from one frame to the next
    n_mels: int = 80
    mel_min_hz: float = 0.0
    mel_max_hz: float = 8_000.0
    magnitude_floor: float = 1e-5  # mel magnitudes below it are raised to it before the logarithm

    def __post_init__(self) -> None:
        if not 0 <= self.mel_min_hz < self.mel_max_hz <= self.sample_rate / 2:
            raise ValueError(
                f"Mel range {self.mel_min_hz} to {self.mel_max_hz} Hz does not fit "
                f"a sample rate of {self.sample_rate} Hz; expected 0 <= min < max <= rate / 2"
            )
        if self.n_fft % 2 or self.hop_length < 1 or self.hop_length > self.n_fft:
            raise ValueError(
                f"n_fft {self.n_fft} and hop_length {self.hop_length} do not go together; "
                "expected an even n_fft of at least the hop length"
            )
        if self.n_fft > MAX_FFT or not 1 <= self.n_mels <= self.n_fft // 2 + 1:
            raise ValueError(
                f"n_fft {self.n_fft} with n_mels {self.n_mels}; expected an n_fft of at most "
                f"{MAX_FFT}, and 1 to n_fft / 2 + 1 mels"
            )

    def n_frames(self, n_samples: int) -> int:
        """Return how many mel frames `log_mel` makes of `n_samples`."""
        return n_samples // self.hop_length + 1


def log_mel(audio: Tensor, config: AudioConfig = AudioConfig()) -> Tensor:
    """Return the log-amplitude mel spectrogram; frame t is centred on sample t * hop_length.

    Args:
        audio: [B, S] float in [-1, 1] at `config.sample_rate`, S > n_fft / 2.
        config: STFT lengths and mel range.

    Returns:
        [B, M, T] float32 natural logarithm, T = `config.n_frames(S)`.

    Raises:
        ValueError: The audio is too short for reflect padding, or not [B, S].

    Source: Shen et al. 2018 (arXiv:1712.05884), section 2.2; floor, range and periodic Hann
    window are those of the published LJSpeech weights, not the paper's.
    """
    if audio.dim() != 2 or audio.shape[1] <= config.n_fft // 2:
        raise ValueError(
            f"Audio has shape {list(audio.shape)}; expected [batch, samples] "
            f"with more than {config.n_fft // 2} samples"
        )
    return log_mel_of(spectrum(audio.float(), config).abs(), config)


def log_mel_of(magnitude: Tensor, config: AudioConfig) -> Tensor:
    """Return the log-amplitude mels [B, M, T] of a short-time spectrum's magnitudes [B, K, T]."""
    filterbank = torch.from_numpy(mel_filterbank(config)).to(magnitude)  # [M, K]
    return torch.matmul(filterbank, magnitude).clamp(min=config.magnitude_floor).log()


def between_frames(values: Tensor, n_steps: int) -> Tensor:
    """Interpolate [..., T] from frames to the middle of `n_steps` parts of each hop.

    Returns:
        [..., T * n_steps]; the last frame is held.
    """
    ends, lines = lines_between_frames(values, n_steps)
    return (ends @ lines).flatten(-2)


def lines_between_frames(values: Tensor, n_steps: int) -> tuple[Tensor, Tensor]:
    """Return factors [..., T, 2] and [2, n_steps]: their product, flat, is `between_frames`."""
    following = torch.cat([values[..., 1:], values[..., -1:]], dim=-1)
    position = (torch.arange(n_steps, device=values.device) + 0.5).to(values.dtype) / n_steps
    return torch.stack([values, following], dim=-1), torch.stack([1.0 - position, position])


def spectrum(audio: Tensor, config: AudioConfig) -> Tensor:
    """Return the complex short-time spectrum [B, K, T] of [B, S], reflect-padded and centred."""
    half = config.n_fft // 2
    padded = F.pad(audio[:, None], (half, half), mode="reflect")[:, 0]
    window = torch.hann_window(config.n_fft, device=audio.device, dtype=audio.dtype)
    return torch.stft(
        padded, config.n_fft, config.hop_length, window=window, center=False, return_complex=True
    )


def inverse_spectrum(spectra: Tensor, config: AudioConfig, *, n_samples: int) -> Tensor:
    """Return the audio [B, S] whose short-time spectrum is nearest to [B, K, T] in square error."""
    window = torch.hann_window(config.n_fft, device=spectra.device, dtype=spectra.real.dtype)
    return torch.istft(spectra, config.n_fft, config.hop_length, window=window, length=n_samples)


@lru_cache(maxsize=8)
def mel_filterbank(config: AudioConfig) -> np.ndarray:
    """Return triangular mel filters [M, K] float32, each of unit area over Hz.

    Source: Slaney's Auditory Toolbox (1998): linear below 1,000 Hz, logarithmic above; held
    against `librosa.filters.mel` in the tests. Written out because importing librosa takes longer
    than speaking a sentence.
    """
    n_bins = config.n_fft // 2 + 1
    bin_hz = np.linspace(0.0, config.sample_rate / 2, n_bins)
    mel_range = _hz_to_mel(np.array([config.mel_min_hz, config.mel_max_hz]))
    corner_hz = _mel_to_hz(np.linspace(mel_range[0], mel_range[1], config.n_mels + 2))
    lower, centre, upper = (corner_hz[i : config.n_mels + i, None] for i in range(3))
    rising = (bin_hz - lower) / (centre - lower)  # [M, K]
    falling = (upper - bin_hz) / (upper - centre)  # [M, K]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles * 2.0 / (upper - lower), dtype=np.float32)


def channel_centres(config: AudioConfig) -> np.ndarray:
    """Return where each mel filter has its centre of mass, in frequency bins [M] float64."""
    filters = mel_filterbank(config).astype(np.float64)
    return np.asarray((filters * np.arange(filters.shape[1])).sum(1) / filters.sum(1))


def over_bins(values: Tensor, config: AudioConfig) -> Tensor:
    """Turn a value for each mel channel, [..., M], into one for each frequency bin, [..., K].

    Channels sit at their filter's centre and are joined by straight lines; outside the mel
    range the outermost channel is held.
    """
    return values @ torch.from_numpy(_lines_between_channels(config)).to(values)


@lru_cache(maxsize=8)
def _lines_between_channels(config: AudioConfig) -> np.ndarray:
    bins, centres = np.arange(config.n_fft // 2 + 1), channel_centres(config)
    return np.stack([np.interp(bins, centres, row) for row in np.eye(len(centres))])  # [M, K]


_HZ_PER_LINEAR_MEL = 200.0 / 3.0
_BREAK_HZ = 1_000.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_LINEAR_MEL
_LOG_STEP = math.log(6.4) / 27.0  # 27 mels from 1,000 to 6,400 Hz


def _hz_to_mel(hz: np.ndarray) -> np.ndarray:
    above = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz / _HZ_PER_LINEAR_MEL, above)


def _mel_to_hz(mel: np.ndarray) -> np.ndarray:
    above = _BREAK_HZ * np.exp(_LOG_STEP * np.maximum(mel - _BREAK_MEL, 0.0))
    return np.where(mel < _BREAK_MEL, mel * _HZ_PER_LINEAR_MEL, above)
