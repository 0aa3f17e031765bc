"""A new speaker for a predictor that speaks already: where to begin, and which weights may move.

The symbol embedding and the encoder, which know how English is spelled and spoken, stay as they
are: five minutes of speech hold too few words to learn that from, and enough to forget it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.data.speech_batches import SpeechClip
from pipeline.tacotron2 import Tacotron2
from pipeline.training.flow_postnet_task import FlowPostnetRecipe, FlowPostnetTask
from pipeline.training.predicted_clips import Excerpts, InStep
from pipeline.training.tacotron2_task import Tacotron2Recipe, Tacotron2Task, Vocode

FEW_LAYERS = ("speaker.", "prosody.output.", "decoder.projection.", "postnet.")
ALL_THAT_SPEAKS = ("speaker.", "prosody.", "decoder.", "postnet.")


@dataclass(frozen=True, kw_only=True)
class SpeakerRecipe(Tacotron2Recipe):
    """How a predictor learns a new speaker."""

    batch_size: int = 8
    learning_rate: float = 2e-4
    moving: tuple[str, ...] = ALL_THAT_SPEAKS  # what the names of weights that move begin with


class SpeakerTask(Tacotron2Task):
    """A predictor of which only some weights move, and which is heard while it is trained."""

    def __init__(
        self,
        model: Tacotron2,
        train: Sequence[SpeechClip],
        validation: Sequence[SpeechClip],
        recipe: SpeakerRecipe,
        vocode: Vocode,
    ) -> None:
        super().__init__(model, train, validation, recipe)
        self.vocode = vocode
        for name, weight in model.named_parameters():
            weight.requires_grad_(name.startswith(recipe.moving))

    def train(self, mode: bool = True) -> SpeakerTask:
        """Switch to training; the encoder's normalization stays as it speaks."""
        super().train(mode)
        self.model.encoder.eval()
        self.model.encoder.dropout.train(mode)
        return self


class PitchContourTask(FlowPostnetTask):
    """A predictor that stays as it is, but for the pitch contour in its flow postnet.

    The contour begins with the range of its new speaker, by so much off as it is on the recordings.
    """

    def __init__(
        self,
        model: Tacotron2,
        train: Sequence[SpeechClip],
        validation: Sequence[SpeechClip],
        recipe: FlowPostnetRecipe,
        vocode: Vocode,
        *,
        in_step: InStep | None = None,
    ) -> None:
        super().__init__(model, train, validation, recipe, in_step=in_step)
        self.vocode = vocode
        contour = self.postnet.pitch_contour
        assert contour is not None
        self.postnet.requires_grad_(False)
        contour.requires_grad_(True)
        excerpts = self.batch(0)
        contour.eval().carry_over(excerpts.mean, excerpts.contexts, excerpts.pitch)

    def forward(self, batch: Excerpts) -> dict[str, Tensor]:
        """Return how far the contour is from the pitch of recordings."""
        return {"loss": self._contour_loss(batch)}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the loss of validation excerpts."""
        return {"loss": self._contour_loss(self._validation_excerpts()).item()}


def nearest_speaker(
    model: Tacotron2, train: Sequence[SpeechClip], validation: Sequence[SpeechClip]
) -> int:
    """Return the speaker of a model under whom it predicts recordings best.

    Args:
        model: Of one speaker or several.
        train: Recordings of somebody new, whose pitch and energy are standardized by these.
        validation: Recordings that are predicted.
    """
    losses = []
    for speaker in range(max(1, model.config.n_speakers)):
        known, asked = (
            [dataclasses.replace(clip, speaker=speaker) for clip in clips]
            for clips in (train, validation)
        )
        task = Tacotron2Task(model.eval(), known, asked, Tacotron2Recipe())
        losses.append(task.validate()["mel"])
    return int(np.argmin(losses))


def with_new_speaker(model: Tacotron2, like: int) -> Tacotron2:
    """Return a copy of a model with one more speaker, who begins as a copy of speaker `like`.

    A model without speakers is copied as it is.
    """
    weights, n_speakers = model.state_dict(), model.config.n_speakers
    if n_speakers:
        rows = weights["speaker.weight"]  # [speakers, D]
        weights["speaker.weight"] = torch.cat([rows, rows[like : like + 1]])
        n_speakers += 1
    new = Tacotron2(dataclasses.replace(model.config, n_speakers=n_speakers))
    new.load_state_dict(weights)
    return new.eval()
