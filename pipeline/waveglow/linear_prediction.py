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

from collections.abc import Callable
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.mel import AudioConfig, between_frames, mel_filterbank, over_bins

BLOCKS_PER_FRAME = 4  # mels are interpolated in time: a filter that jumps once a frame buzzes
MIN_LOG_GAIN = -9.2  # 1e-4: three steps of 16-bit audio; digital silence has no finite likelihood
NOISE_CORRECTION = 1e-5  # share of the energy added as white noise: keeps the recursion stable


class LinearPredictor(NamedTuple):
    """One linear predictor for each block of `hop_length / BLOCKS_PER_FRAME` samples."""

    coefficients: Tensor  # [B, n_blocks, P] float64
    log_gain: Tensor  # [B, n_blocks] float64
    block_length: int  # samples


def predictor_from_mel(mel: Tensor, config: AudioConfig, *, order: int) -> LinearPredictor:
    """Return the predictors for S = hop_length * T samples.

    Args:
        mel: [B, M, T] natural logarithm of magnitude.
        config: What the mel is made of.
        order: Number P of past samples that predict the next one.
    """
    blocks = between_frames(mel.double(), BLOCKS_PER_FRAME)  # [B, M, n_blocks]
    power = (2.0 * log_envelope(blocks.transpose(1, 2), config)).exp()  # [B, n_blocks, K]
    autocorrelation = power @ autocorrelation_matrix(config.n_fft, order + 1).to(
        power
    )  # [B, n_blocks, P + 1]
    autocorrelation[..., 0] *= 1.0 + NOISE_CORRECTION
    coefficients, error_power = levinson(autocorrelation)
    log_gain = (0.5 * error_power.log()).clamp(min=MIN_LOG_GAIN)
    return LinearPredictor(coefficients, log_gain, config.hop_length // BLOCKS_PER_FRAME)


def whiten(audio: Tensor, predictor: LinearPredictor) -> tuple[Tensor, Tensor]:
    """Return the excitation [B, S] of audio [B, S], and the log determinant [B].

    S may be shorter than the prediction covers: it is cut, as mels are cut to the audio.
    """
    n_samples, length = audio.shape[1], predictor.block_length
    _check_length(predictor, n_samples)
    n_blocks = -(-n_samples // length)
    coefficients = predictor.coefficients[:, :n_blocks]
    order = coefficients.shape[-1]
    padded = F.pad(audio.double(), (order, n_blocks * length - n_samples))
    residual = padded[:, order:].view(-1, n_blocks, length)  # [B, n_blocks, block_length]
    for k in range(order):
        past = padded[:, order - 1 - k : -1 - k].view(-1, n_blocks, length)
        residual = torch.addcmul(residual, coefficients[..., k, None], past, value=-1.0)
    log_gain = predictor.log_gain.repeat_interleave(length, 1)[:, :n_samples]
    excitation = residual.flatten(1)[:, :n_samples] * (-log_gain).exp()
    return excitation.to(audio.dtype), -log_gain.sum(1).to(audio.dtype)


def synthesize(excitation: Tensor, predictor: LinearPredictor) -> Tensor:
    """Return the audio [B, S] whose excitation [B, S] is given: the inverse of `whiten`.

    Gradients reach the excitation, not the prediction. Runs on the CPU in float64.
    """
    audio: Tensor = _Recursion.apply(_scaled(excitation, predictor), predictor)  # type: ignore[no-untyped-call]
    return audio.to(excitation)


def continue_synthesis(
    past: Tensor, excitation: Tensor, predictor: LinearPredictor
) -> tuple[Tensor, Tensor]:
    """Return what follows the last P samples, and the last P samples after it.

    Args:
        past: [B, P] or [1, P] float64 on the CPU; zeros before the first piece.
        excitation: [B, S].
        predictor: Of these S samples.

    Returns:
        [B, P] float64, and audio [B, S].
    """
    n_samples, order = excitation.shape[1], past.shape[1]
    bands = _band_matrices(predictor, n_samples)
    known = np.zeros((len(bands), order, order + 1))  # rows of samples that are given
    known[..., -1] = 1.0
    past = past.expand(len(bands), -1)
    values = torch.cat([past, _scaled(excitation, predictor)], dim=1)
    audio = _solve(np.concatenate([known, bands], axis=1), values)
    return audio[:, -order:], audio[:, order:].to(excitation)


def _scaled(excitation: Tensor, predictor: LinearPredictor) -> Tensor:
    """Return the excitation [B, S] times its gain, float64 on the CPU."""
    n_samples = excitation.shape[1]
    _check_length(predictor, n_samples)
    gain = predictor.log_gain.exp().repeat_interleave(predictor.block_length, 1)[:, :n_samples]
    return (excitation.double() * gain).cpu()


class _Recursion(torch.autograd.Function):
    """Solves (1 - A) x = e, where A [S, S] holds the coefficients below its diagonal.

    The whole recursion is one triangular band matrix for BLAS; the gradient is the same matrix
    transposed.
    """

    @staticmethod
    def forward(ctx: Any, excitation: Tensor, predictor: LinearPredictor) -> Tensor:
        """Return x [B, S] for e [B, S] float64."""
        ctx.bands = _band_matrices(predictor, excitation.shape[1])
        return _solve(ctx.bands, excitation)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:
        """Return the gradient of e, and none of the prediction."""
        return _solve(ctx.bands, gradients[0], transposed=True), None


def _band_matrices(predictor: LinearPredictor, n_samples: int) -> np.ndarray:
    """Return the transpose of each 1 - A in BLAS's band storage, [B, S, P + 1].

    Row n has what sample n is made of: minus a_P to a_1, and 1 for itself.
    """
    rows = F.pad(-predictor.coefficients.cpu().flip(-1), (0, 1), value=1.0)
    return rows.repeat_interleave(predictor.block_length, 1)[:, :n_samples].numpy()


def _solve(bands: np.ndarray, values: Tensor, *, transposed: bool = False) -> Tensor:
    solve_triangular_bands = _dtbsv()
    order = bands.shape[2] - 1
    rows = [
        solve_triangular_bands(order, band.T, row, diag=1, trans=int(not transposed))
        for band, row in zip(bands, values.detach().numpy(), strict=True)
    ]
    return torch.from_numpy(np.stack(rows))


@cache
def _dtbsv() -> Callable[..., np.ndarray]:
    """Return BLAS's dtbsv.

    The extension that `scipy.linalg.blas` takes it from is loaded by itself: in 0.01 s, where
    all that `scipy.linalg` imports takes 0.2 s, a fifth of what a cold `speak` adds to torch.
    """
    import scipy

    linalg_dir = str(Path(scipy.__file__).parent / "linalg")
    spec = PathFinder.find_spec("_fblas", [linalg_dir])
    if spec is None or spec.loader is None:  # built in another way
        from scipy.linalg import blas as fblas
    else:
        fblas = module_from_spec(spec)
        spec.loader.exec_module(fblas)
    dtbsv: Callable[..., np.ndarray] = fblas.dtbsv
    return dtbsv


def log_envelope(mel: Tensor, config: AudioConfig) -> Tensor:
    """Turn [..., M] log mels into the log amplitude [..., K] of noise of unit-variance samples."""
    area = mel_filterbank(config).sum(1, dtype=np.float64)
    # The Hann window keeps 3/8 of the energy; a Rayleigh-distributed magnitude has a mean of
    # sqrt(pi / 4) of its root mean square.
    unit = 0.5 * np.log(np.pi / 4 * 3 / 8 * config.n_fft)
    return over_bins(mel - torch.from_numpy(np.log(area) + unit).to(mel), config)


def autocorrelation_matrix(n_fft: int, n_lags: int) -> Tensor:
    """Return the matrix [K, n_lags] from a power spectrum to its autocorrelation."""
    bins, lags = torch.arange(n_fft // 2 + 1), torch.arange(n_lags)
    weight = torch.full((len(bins), 1), 2.0 / n_fft, dtype=torch.float64)
    weight[0] = weight[-1] = 1.0 / n_fft  # the two bins that have no mirror image
    return weight * torch.cos(2.0 * torch.pi / n_fft * bins[:, None].double() * lags)


def levinson(autocorrelation: Tensor) -> tuple[Tensor, Tensor]:
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


def _check_length(predictor: LinearPredictor, n_samples: int) -> None:
    covered = predictor.log_gain.shape[1] * predictor.block_length
    if n_samples > covered:
        raise ValueError(
            f"Audio of {n_samples} samples needs more mel frames: they cover {covered}"
        )
