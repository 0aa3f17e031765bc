"""Recordings beside what the predictor says in step: what its flow postnet learns from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from pipeline.data.speech_batches import SpeechBatches, SpeechData
from pipeline.tacotron2 import Tacotron2


class PredictedClip(NamedTuple):
    """One recording, and how the predictor speaks it in step; mels are standardized."""

    mean: np.ndarray  # [T, M] float16
    contexts: np.ndarray  # [T / r, D] float16: what the decoder read
    recorded: np.ndarray  # [T, M] float16
    pitch: np.ndarray  # [T, 2] float32, of the recording: log2 Hz, and voicing


class InStep(NamedTuple):
    """All clips as a predictor speaks them at their recordings' times."""

    train: list[PredictedClip]
    validation: list[PredictedClip]


class Excerpts(NamedTuple):
    """As many frames of each of B clips."""

    mean: Tensor  # [B, M, T]
    contexts: Tensor  # [B, T / r, D]
    recorded: Tensor  # [B, M, T]
    pitch: Tensor  # [B, 2, T]


def speak_in_step(model: Tacotron2, data: SpeechData) -> InStep:
    """Return all clips as a model, on the CPU, speaks them at the recordings' times.

    The model hears itself, as always when it speaks. For the clips to train on the encoder's
    dropout goes on, so that mels of clips that the model was trained on are no nearer to the
    recordings than those of other texts.
    """
    return InStep(
        _predict_clips(model, data.train, with_dropout=True),
        _predict_clips(model, data.validation, with_dropout=False),
    )


@torch.no_grad()
def _predict_clips(
    model: Tacotron2, batches: SpeechBatches, *, with_dropout: bool
) -> list[PredictedClip]:
    config = model.config
    predicted = []
    was_training = model.training
    model.eval()
    model.encoder.dropout.train(with_dropout)
    for index in tqdm(range(len(batches.clips)), "predicted mels", unit="clip", dynamic_ncols=True):
        clip = batches.collate([index])
        torch.manual_seed(index)  # of the encoder's dropout
        spoken = model.infer(
            clip.symbol_ids,
            speaker=int(clip.speaker_ids[0]),
            prosody=clip.prosody,
            generator=torch.Generator().manual_seed(index),
            held_alignment=clip.alignment,
        )
        mean, recorded = (
            ((mel[0].T - config.mel_mean) / config.mel_std).half().numpy()
            for mel in (spoken.mean_mel, clip.mel)
        )
        contexts, pitch = spoken.contexts[0].half().numpy(), clip.pitch[0].T.numpy()
        predicted.append(PredictedClip(mean, contexts, recorded, pitch))
    model.train(was_training)
    return predicted


def draw_excerpts(
    clips: Sequence[PredictedClip], count: int, n_frames: int, *, reduction: int, seed: list[int]
) -> Excerpts:
    """Return excerpts that begin at a decoder step, of clips drawn by their length.

    Args:
        clips: Each of at least `n_frames`.
        count: B.
        n_frames: T, a multiple of the reduction.
        reduction: r, frames a decoder step.
        seed: Of the clips and places.
    """
    rng = np.random.default_rng(seed)
    lengths = np.array([len(clip.mean) for clip in clips])
    rows = []
    for index in rng.choice(len(clips), count, p=lengths / lengths.sum()):
        clip = clips[index]
        step = int(rng.integers((len(clip.mean) - n_frames) // reduction + 1))
        frames = slice(step * reduction, step * reduction + n_frames)
        steps = slice(step, step + n_frames // reduction)
        rows.append(
            (clip.mean[frames], clip.contexts[steps], clip.recorded[frames], clip.pitch[frames])
        )
    mean, contexts, recorded, pitch = (
        torch.from_numpy(np.stack(column)).float() for column in zip(*rows, strict=True)
    )
    return Excerpts(mean.transpose(1, 2), contexts, recorded.transpose(1, 2), pitch.transpose(1, 2))
