"""WaveGlow's audio piece by piece: the same samples as in one piece, with the memory of a window.

Every step reaches only so far: a coupling as far as its dilated convolutions, a spectrum as far as
its window. Each is a stage that hands its frames on when nothing that follows can change them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import torch
from torch import Tensor

from pipeline.waveglow.config import WaveGlowConfig
from pipeline.waveglow.flow import Conditions, Flow
from pipeline.waveglow.linear_prediction import (
    LinearPredictor,
    continue_synthesis,
    predictor_from_mel,
)
from pipeline.waveglow.model import CONTEXT_FRAMES, UPSAMPLE_TAPS, WaveGlow
from pipeline.waveglow.pitch_pulses import PULSE_REACH, stream_pulses
from pipeline.windows import Frames, Piece, begin, carried, frame_by_frame, in_windows


def stream_excitation(
    waveglow: WaveGlow,
    mels: Iterable[Tensor],
    *,
    sigma: float,
    generator: torch.Generator | None,
) -> Iterator[Piece]:
    """Yield mels [B, M, T] and what the flows make of them and of noise, [B, S], piece by piece."""
    config = waveglow.config
    pieces = begin(mels)
    if config.pulses:
        pieces = stream_pulses(pieces, config.audio)

    def condition(mel: Tensor, pulses: Tensor | None = None) -> Frames:
        n_groups = mel.shape[-1] * config.audio.hop_length // config.n_group
        conditions = waveglow.conditions(mel, pulses, n_groups)
        grouped = () if conditions.pulses is None else (conditions.pulses,)
        return mel, conditions.values, *grouped

    def add_noise(mel: Tensor, *conditions: Tensor) -> Frames:
        noise = sigma * waveglow.draw_noise(mel, generator=generator)
        n_early = config.n_group - config.n_rest
        return mel, noise[:, :n_early], noise[:, n_early:], *conditions

    pieces = in_windows(pieces, condition, reach=_condition_reach(config))
    pieces = frame_by_frame(pieces, add_noise)
    for k in reversed(range(config.n_flows)):
        undo = partial(_unflow, waveglow=waveglow, k=k)
        pieces = in_windows(pieces, undo, reach=_flow_reach(config))
    return frame_by_frame(pieces, _in_order)


def stream_synthesis(pieces: Iterable[Piece], config: WaveGlowConfig) -> Iterator[Piece]:
    """Yield mels and the audio of their excitations [B, S], piece by piece."""

    def predict(mel: Tensor, excitation: Tensor) -> Frames:
        predictor = predictor_from_mel(mel, config.audio, order=config.prediction_order)
        return mel, excitation, predictor.coefficients.transpose(1, 2), predictor.log_gain

    def synthesize(
        past: Tensor, mel: Tensor, excitation: Tensor, coefficients: Tensor, log_gain: Tensor
    ) -> tuple[Tensor, Frames]:
        block_length = excitation.shape[1] // log_gain.shape[1]
        predictor = LinearPredictor(coefficients.transpose(1, 2), log_gain, block_length)
        past, audio = continue_synthesis(past, excitation, predictor)
        return past, (mel, audio)

    nothing = torch.zeros(1, config.prediction_order, dtype=torch.float64)
    return carried(in_windows(pieces, predict, reach=1), synthesize, nothing)


def spectrum_reach(config: WaveGlowConfig) -> int:
    """Return how many frames away samples are that share a short-time spectrum."""
    return -(-config.audio.n_fft // config.audio.hop_length)


def look_ahead(config: WaveGlowConfig) -> int:
    """Return how many frames of mel come before the first sample is settled."""
    frames = _condition_reach(config) + config.n_flows * _flow_reach(config)
    frames += PULSE_REACH if config.pulses else 0
    frames += 1 if config.prediction_order else 0
    return frames


def _in_order(mel: Tensor, _: Tensor, z: Tensor, *__: Tensor) -> Frames:
    return mel, z.transpose(1, 2).flatten(1).float()  # [B, S]


def _unflow(
    mel: Tensor,
    early: Tensor,
    z: Tensor,
    values: Tensor,
    pulses: Tensor | None = None,
    *,
    waveglow: WaveGlow,
    k: int,
) -> Frames:
    """Undo flow k, and take in the noise that left before it."""
    config, flow = waveglow.config, waveglow.flows[k]
    assert isinstance(flow, Flow)
    groups_per_frame = z.shape[-1] // values.shape[-1]
    z = flow.inverse(z, Conditions(values, groups_per_frame, pulses))
    if config.leaves_early(k):
        z = torch.cat([early[:, -config.n_early_size :], z], dim=1)
        early = early[:, : -config.n_early_size]
    return mel, early, z, values, *(() if pulses is None else (pulses,))


def _condition_reach(config: WaveGlowConfig) -> int:
    if config.conditioning == "interpolate":
        return CONTEXT_FRAMES // 2
    return -(-UPSAMPLE_TAPS // config.audio.hop_length)


def _flow_reach(config: WaveGlowConfig) -> int:
    """Return how many frames a coupling sees to each side, those between frames included."""
    n_groups = (config.kernel_size // 2) * ((1 << config.n_layers) - 1)
    n_frames = -(-n_groups * config.n_group // config.audio.hop_length)
    return n_frames + (1 if config.conditioning == "interpolate" else 0)
