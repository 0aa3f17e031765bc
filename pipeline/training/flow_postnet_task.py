"""What it takes to train the flow postnet: mels as predicted, and as recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.data.speech_batches import (
    SpeechBatch,
    SpeechClip,
    SpeechData,
    share_of_batch,
)
from pipeline.tacotron2 import Tacotron2, TeacherForced
from pipeline.tacotron2.prosody import PITCH
from pipeline.training.tacotron2_task import pictures_of

WIDENED_SHARE = 2.0 / 3.0
VALIDATION_TIMES = 4  # of the flow, for each clip


@dataclass(frozen=True, kw_only=True)
class FlowPostnetRecipe:
    """How the flow postnet is trained."""

    batch_size: int = 32
    learning_rate: float = 1e-3
    seed: int = 0


class FlowPostnetTask(nn.Module):
    """A trained predictor that stays as it is, and its flow postnet; `forward` is one loss."""

    name = "tacotron2"
    model: Tacotron2

    def __init__(
        self,
        model: Tacotron2,
        train: Sequence[SpeechClip],
        validation: Sequence[SpeechClip],
        recipe: FlowPostnetRecipe,
    ) -> None:
        super().__init__()
        assert model.flow_postnet is not None
        model.requires_grad_(False)
        model.flow_postnet.requires_grad_(True)
        self.model = model
        self.learning_rate = recipe.learning_rate
        self.batch_size = recipe.batch_size
        self.data = SpeechData(
            train, validation, model.config, batch_size=recipe.batch_size, seed=recipe.seed
        )

    def batch(self, step: int) -> SpeechBatch:
        """Return the batch of a step: a pure function of the seed and the step."""
        return self.data.train.batch(step)

    def split(self, batch: SpeechBatch, rank: int, n_ranks: int) -> SpeechBatch:
        """Return this process's share of a batch."""
        return share_of_batch(batch, rank, n_ranks)

    def n_samples(self, batch: SpeechBatch) -> int:
        """Return the audio samples that a batch's mels stand for."""
        return self.data.n_samples(batch)

    def train(self, mode: bool = True) -> FlowPostnetTask:
        """Switch the flow postnet to training; the predictor stays as it speaks.

        The encoder's dropout goes on, so that mels of clips that it was trained on are no nearer
        to the recordings than those of other texts.
        """
        super().train(mode)
        for name, module in self.model.named_children():
            module.train(mode and name == "flow_postnet")
        self.model.encoder.dropout.train(mode)
        return self

    def forward(self, batch: SpeechBatch) -> dict[str, Tensor]:
        """Return the loss of a batch at a time of the flow drawn for each clip."""
        time = torch.rand_like(batch.mel[:, 0, 0])
        return {"loss": self._loss(batch, predict_in_step(self.model, batch), time)}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the loss of the validation clips, at fixed times and with fixed noise."""
        losses = []
        for batch in self.data.validation_batches(next(self.model.parameters()).device):
            with torch.random.fork_rng():
                torch.manual_seed(0)
                output = predict_in_step(self.model, batch)
                times = (torch.arange(VALIDATION_TIMES) + 0.5) / VALIDATION_TIMES
                for time in times.tolist():
                    at = torch.full_like(batch.mel[:, 0, 0], time)
                    losses.append(self._loss(batch, output, at).item())
        return {"loss": float(np.mean(losses))}

    def show(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return no audio, and pictures [rows, columns] of one validation clip spoken freely."""
        return {}, pictures_of(self.model, self.data)

    def _loss(self, batch: SpeechBatch, output: TeacherForced, time: Tensor) -> Tensor:
        noise = torch.randn_like(batch.mel)
        return self.model.flow_loss(batch.mel, output, batch.frame_lengths, noise=noise, time=time)


@torch.no_grad()
def predict_in_step(model: Tacotron2, batch: SpeechBatch) -> TeacherForced:
    """Return what a model predicts in step with recordings, from frames of its own.

    The first pass sees no frames, the second those of the first: near to what speaking frame by
    frame gives, but all steps at once.
    """
    mel = torch.full_like(batch.mel, model.config.mel_mean)
    for _ in range(2):
        output: TeacherForced = model(
            *batch[:4],
            speaker_ids=batch.speaker_ids,
            prosody=batch.prosody,
            teacher_mel=mel,
            held_alignment=batch.alignment,
        )
        mel = output.mel
    return output


@torch.no_grad()
def widen_prosody(model: Tacotron2, data: SpeechData) -> None:
    """Set what the model's predicted pitch is multiplied by, so that speech has more melody.

    A prediction is a mean, and varies less than what it predicts: by how much, the validation
    clips tell. Two thirds of what is missing give the recorded spread, since pitch also moves
    within phones; all of it would make neighbouring phones leap.
    """
    if model.prosody is None:
        return
    predicted, recorded = [], []
    for batch in data.validation_batches(next(model.parameters()).device):
        _, prosody = model.encode(*batch[:2], batch.speaker_ids)
        assert prosody is not None
        for row, length in enumerate(batch.symbol_lengths.tolist()):
            predicted.append(prosody[row, :length])
            recorded.append(batch.prosody[row, :length])
    ratio = (torch.cat(recorded).std(0) / torch.cat(predicted).std(0))[PITCH]
    model.prosody.scale[PITCH] = 1.0 + WIDENED_SHARE * (ratio - 1.0)
