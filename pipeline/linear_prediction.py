"""Linear prediction driven by the mel: a fixed, invertible step between audio and excitation.

    mel frame -> spectral envelope -> autocorrelation -> coefficients a_1..a_P and gain g
    whiten:      e[n] = (x[n] - sum_k a_k x[n - k]) / g        (the true past as history)
    synthesize:  x[n] = g e[n] + sum_k a_k x[n - k]

Seen as a flow, `whiten` has a triangular Jacobian with 1 / g on its diagonal, so its log
determinant is minus the sum of log gains and a likelihood stays a likelihood.

Source: Makhoul 1975 (autocorrelation method); LPCNet (arXiv:1810.11846) for prediction from
the vocoder's own features; ExcitGlow (Oh et al. 2020) for a flow on the excitation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.mel import AudioConfig, mel_filterbank

BLOCKS_PER_FRAME = 4  # mels are interpolated in time: a filter that jumps once a frame buzzes
MIN_LOG_GAIN = -9.2  # 1e-4: three steps of 16-bit audio; digital silence has no finite likelihood
NOISE_CORRECTION = 1e-5  # share of the energy added as white noise: keeps the recursion stable


class Prediction(NamedTuple):
    """One linear predictor for each block of `hop_length / BLOCKS_PER_FRAME` samples."""

    coefficients: Tensor  # [B, n_blocks, P] float64
    log_gain: Tensor  # [B, n_blocks] float64
    block_length: int  # samples


def predictor_from_mel(mel: Tensor, config: AudioConfig, *, order: int) -> Prediction:
    """Return the predictors for S = hop_length * T samples.

    Args:
        mel: [B, M, T] natural logarithm of magnitude.
        config: What the mel is made of.
        order: Number P of past samples that predict the next one.
    """
    log_power = 2.0 * _log_envelope(_blocks(mel.double()), config)  # [B, n_blocks, K]
    autocorrelation = torch.fft.irfft(log_power.exp())[..., : order + 1]  # [B, n_blocks, P + 1]
    autocorrelation[..., 0] *= 1.0 + NOISE_CORRECTION
    coefficients, error_power = _levinson(autocorrelation)
    log_gain = (0.5 * error_power.log()).clamp(min=MIN_LOG_GAIN)
    return Prediction(coefficients, log_gain, config.hop_length // BLOCKS_PER_FRAME)


def whiten(audio: Tensor, prediction: Prediction) -> tuple[Tensor, Tensor]:
    """Return the excitation [B, S] of audio [B, S], and the log determinant [B].

    S may be shorter than the prediction covers: it is cut, as mels are cut to the audio.
    """
    n_samples = audio.shape[1]
    coefficients, log_gain = _per_sample(prediction, n_samples)  # [B, S, P], [B, S]
    order = coefficients.shape[-1]
    past = F.pad(audio.double(), (order, 0)).unfold(1, order, 1)[:, :-1].flip(-1)  # [B, S, P]
    residual = audio - (coefficients * past).sum(-1)
    return (residual * (-log_gain).exp()).to(audio.dtype), -log_gain.sum(1).to(audio.dtype)


def synthesize(excitation: Tensor, prediction: Prediction) -> Tensor:
    """Return the audio [B, S] whose excitation [B, S] is given: the inverse of `whiten`.

    The whole recursion is one triangular band matrix, solved by BLAS in float64 on the CPU.
    """
    from scipy.linalg.blas import dtbsv

    n_samples = excitation.shape[1]
    coefficients, log_gain = _per_sample(prediction, n_samples)
    order = coefficients.shape[-1]
    scaled = (excitation * log_gain.exp()).cpu().numpy()  # [B, S] float64
    band = np.ones((order + 1, n_samples), order="F")
    audio = np.empty_like(scaled)
    for row in range(len(scaled)):
        # band[k, n] is the matrix element (n + k, n): minus the k-th coefficient at sample n + k
        for k in range(1, order + 1):
            band[k, : n_samples - k] = -coefficients[row, k:, k - 1].cpu().numpy()
        audio[row] = dtbsv(order, band, scaled[row], lower=1, diag=1)
    return torch.from_numpy(audio).to(excitation)


def _blocks(mel: Tensor) -> Tensor:
    """Interpolate [B, M, T] to the middle of each block: [B, BLOCKS_PER_FRAME * T, M]."""
    following = torch.cat([mel[..., 1:], mel[..., -1:]], dim=-1)
    position = (torch.arange(BLOCKS_PER_FRAME, device=mel.device) + 0.5) / BLOCKS_PER_FRAME
    blocks = torch.lerp(mel[..., None], following[..., None], position.to(mel.dtype))
    return blocks.flatten(2).transpose(1, 2)


def _log_envelope(mel: Tensor, config: AudioConfig) -> Tensor:
    """Turn [..., M] log mels into the log amplitude [..., K] of noise of unit-variance samples.

    Channels sit at their filter's centre and are joined by straight lines; outside the mel
    range the outermost channel is held.
    """
    filters = mel_filterbank(config).astype(np.float64)  # [M, K]
    bins = np.arange(filters.shape[1])
    area = filters.sum(1)
    centre = (filters * bins).sum(1) / area
    matrix = np.stack([np.interp(bins, centre, row) for row in np.eye(len(centre))])  # [M, K]
    # The Hann window keeps 3/8 of the energy; a Rayleigh-distributed magnitude has a mean of
    # sqrt(pi / 4) of its root mean square.
    unit = 0.5 * np.log(np.pi / 4 * 3 / 8 * config.n_fft)
    flat = mel - torch.from_numpy(np.log(area) + unit).to(mel)
    return flat @ torch.from_numpy(matrix).to(mel)


def _levinson(autocorrelation: Tensor) -> tuple[Tensor, Tensor]:
    """Solve the normal equations: [..., P + 1] to coefficients [..., P] and error power [...]."""
    order = autocorrelation.shape[-1] - 1
    error = autocorrelation[..., 0]
    coefficients = autocorrelation[..., :0]
    for i in range(order):
        past = autocorrelation[..., 1 : i + 1].flip(-1)
        reflection = (autocorrelation[..., i + 1] - (coefficients * past).sum(-1)) / error
        mirrored = coefficients - reflection[..., None] * coefficients.flip(-1)
        coefficients = torch.cat([mirrored, reflection[..., None]], dim=-1)
        error = error * (1.0 - reflection.square())
    return coefficients, error


def _per_sample(prediction: Prediction, n_samples: int) -> tuple[Tensor, Tensor]:
    repeats = prediction.block_length
    covered = prediction.log_gain.shape[1] * repeats
    if n_samples > covered:
        raise ValueError(
            f"audio of {n_samples} samples needs more mel frames: they cover {covered}"
        )
    coefficients = prediction.coefficients.repeat_interleave(repeats, 1)[:, :n_samples]
    return coefficients, prediction.log_gain.repeat_interleave(repeats, 1)[:, :n_samples]
