"""What it takes to train the flow postnet: first flow matching, then against a discriminator.

What a discriminator teaches differs from frame to frame. High up that is what noise does; low
down, where single harmonics are heard, it is roughness, and once the pitch is given there is
little left to draw. So low channels learn by regression, with that of their changes, and only the
others are judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from pipeline.data.speech_batches import SpeechClip, SpeechData
from pipeline.errors import PipelineError
from pipeline.tacotron2 import Tacotron2
from pipeline.tacotron2.flow_postnet import FlowPostnet
from pipeline.training.discriminator import PatchDiscriminator
from pipeline.training.predicted_clips import Excerpts, InStep, draw_excerpts, speak_in_step
from pipeline.training.tacotron2_task import Shown, Vocode, spoken_clip

VALIDATION_EXCERPTS = 64
VALIDATION_TIMES = 4  # of the flow, for each excerpt
REGRESSED_WIDTH = 3.0  # channels, of the crossing from those regressed to those judged


@dataclass(frozen=True, kw_only=True)
class FlowPostnetRecipe:
    """How the flow postnet is trained."""

    batch_size: int = 64
    excerpt_frames: int = 128
    learning_rate: float = 1e-3
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class AdversarialRecipe(FlowPostnetRecipe):
    """How it is then trained against a discriminator."""

    batch_size: int = 10
    excerpt_frames: int = 64
    learning_rate: float = 1e-4
    feature_weight: float = 1.5
    l1_weight: float = 0.3
    regressed_channels: int = 25  # up to 1 kHz
    regression_weight: float = 3.0


class FlowPostnetTask(nn.Module):
    """A trained predictor that stays as it is, and its flow postnet; `forward` is one loss."""

    name = "tacotron2"
    betas = (0.9, 0.98)
    model: Tacotron2
    vocode: Vocode | None = None  # what is shown is heard too

    def __init__(
        self,
        model: Tacotron2,
        train: Sequence[SpeechClip],
        validation: Sequence[SpeechClip],
        recipe: FlowPostnetRecipe,
        *,
        in_step: InStep | None = None,
    ) -> None:
        """Let the predictor speak all clips, unless a task before has done so already: `in_step`.

        Raises:
            PipelineError: All clips are shorter than an excerpt.
        """
        super().__init__()
        assert model.flow_postnet is not None
        assert recipe.excerpt_frames % model.config.reduction == 0
        model.requires_grad_(False)
        model.flow_postnet.requires_grad_(True)
        self.model = model
        self.recipe = recipe
        self.learning_rate = recipe.learning_rate
        self.batch_size = recipe.batch_size
        self.data = SpeechData(
            train, validation, model.config, batch_size=recipe.batch_size, seed=recipe.seed
        )
        self.in_step = in_step or speak_in_step(model, self.data)
        self.predicted, self._predicted_validation = (
            [clip for clip in clips if len(clip.mean) >= recipe.excerpt_frames]
            for clips in self.in_step
        )
        if not self.predicted or not self._predicted_validation:
            raise PipelineError(
                f"No clip to train or to validate with has {recipe.excerpt_frames} frames, "
                "which is an excerpt; give longer recordings"
            )

    @property
    def postnet(self) -> FlowPostnet:
        """The part that learns."""
        assert self.model.flow_postnet is not None
        return self.model.flow_postnet

    def batch(self, step: int) -> Excerpts:
        """Return the excerpts of a step: a pure function of the seed and the step."""
        return draw_excerpts(
            self.predicted,
            self.batch_size,
            self.recipe.excerpt_frames,
            reduction=self.model.config.reduction,
            seed=[self.recipe.seed, step],
        )

    def split(self, batch: Excerpts, rank: int, n_ranks: int) -> Excerpts:
        """Return this process's share of a batch."""
        return Excerpts(*(field[rank::n_ranks] for field in batch))

    def n_samples(self, batch: Excerpts) -> int:
        """Return the audio samples that a batch's mels stand for."""
        return len(batch.mean) * batch.mean.shape[-1] * self.model.config.audio.hop_length

    def train(self, mode: bool = True) -> FlowPostnetTask:
        """Switch the flow postnet to training; the predictor stays as it speaks."""
        super().train(mode)
        self.model.eval()
        self.postnet.train(mode)
        return self

    def forward(self, batch: Excerpts) -> dict[str, Tensor]:
        """Return the losses of a batch at a time of the flow drawn for each excerpt."""
        matching = self._matching_loss(batch, torch.rand_like(batch.mean[:, 0, 0]))
        contour = self._contour_loss(batch)
        return {"loss": matching + contour, "matching": matching, "pitch": contour}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the loss of validation excerpts, at fixed times and with fixed noise."""
        batch = self._validation_excerpts()
        times = (torch.arange(VALIDATION_TIMES) + 0.5) / VALIDATION_TIMES
        with torch.random.fork_rng():
            torch.manual_seed(0)
            losses = [
                self._matching_loss(batch, torch.full_like(batch.mean[:, 0, 0], time)).item()
                for time in times.tolist()
            ]
        return {"loss": float(np.mean(losses)), "pitch": self._contour_loss(batch).item()}

    def show(self) -> Shown:
        """Return one validation clip's text as it is spoken freely."""
        return spoken_clip(self.model, self.data, self.vocode)

    def _validation_excerpts(self) -> Excerpts:
        excerpts = draw_excerpts(
            self._predicted_validation,
            VALIDATION_EXCERPTS,
            self.recipe.excerpt_frames,
            reduction=self.model.config.reduction,
            seed=[self.recipe.seed],
        )
        device = next(self.model.parameters()).device
        return Excerpts(*(field.to(device) for field in excerpts))

    def _matching_loss(self, batch: Excerpts, time: Tensor) -> Tensor:
        return self.postnet.loss(
            batch.recorded,
            batch.mean,
            batch.contexts,
            _all_valid(batch),
            noise=torch.randn_like(batch.mean),
            time=time,
            pitch=batch.pitch,
        )

    def _contour_loss(self, batch: Excerpts) -> Tensor:
        contour = self.postnet.pitch_contour
        if contour is None:
            return torch.zeros(())
        return contour.loss(batch.mean, batch.contexts, _all_valid(batch), batch.pitch)


class AdversarialTask(FlowPostnetTask):
    """The flow postnet with the few steps that it speaks with, and a discriminator of its mels.

    `forward` is the loss of both players: the generator's gradient does not reach the
    discriminator's weights, nor the discriminator's the generator's. The pitch is the recorded
    one, and what predicts it stays as flow matching left it.
    """

    regressed: Tensor  # [M, 1]: 1 for channels that learn by regression, 0 for those judged

    betas = (0.5, 0.9)

    def __init__(
        self,
        model: Tacotron2,
        train: Sequence[SpeechClip],
        validation: Sequence[SpeechClip],
        recipe: AdversarialRecipe,
        *,
        in_step: InStep | None = None,
    ) -> None:
        super().__init__(model, train, validation, recipe, in_step=in_step)
        if self.postnet.pitch_contour is not None:
            self.postnet.pitch_contour.requires_grad_(False)
        self.weights = recipe
        self.discriminator = PatchDiscriminator(model.config)
        channels = torch.arange(model.config.audio.n_mels)
        regressed = torch.sigmoid((recipe.regressed_channels - channels) / REGRESSED_WIDTH)
        regressed[0] = 0.0  # below any pitch
        self.register_buffer("regressed", regressed[:, None], persistent=False)

    def train(self, mode: bool = True) -> AdversarialTask:
        """Switch to training; the flow postnet stays as it speaks, without dropout."""
        super().train(mode)
        self.postnet.eval()
        return self

    def forward(self, batch: Excerpts) -> dict[str, Tensor]:
        """Return the losses of a batch, with fresh noise (least squares, arXiv:1611.04076)."""
        given = batch.mean, batch.contexts.transpose(1, 2)
        made = self._make(batch)
        recorded = batch.mean + self.postnet.speaking(batch.mean) * (batch.recorded - batch.mean)
        low = self.regressed * made.detach()
        real_scores, real_features = self.discriminator(
            low + (1.0 - self.regressed) * recorded, *given
        )
        made_scores, _ = self.discriminator(made.detach(), *given)
        discrimination = (real_scores - 1.0).square().mean() + made_scores.square().mean()
        opponent = {name: value.detach() for name, value in self.discriminator.named_parameters()}
        judged = low + (1.0 - self.regressed) * made
        scores, features = functional_call(self.discriminator, opponent, (judged, *given))
        adversarial = (scores - 1.0).square().mean()
        distance = _feature_distance(features, real_features)
        l1 = (made - recorded).abs().mean()
        error = self.regressed * (made - recorded)  # [B, M, T]
        n_regressed = self.regressed.sum()
        roughness = error.diff(dim=2).abs().sum(1).mean() / n_regressed
        regression = error.abs().sum(1).mean() / n_regressed + roughness
        weights = self.weights
        generation = (
            adversarial
            + weights.feature_weight * distance
            + weights.l1_weight * l1
            + weights.regression_weight * regression
        )
        return {
            "loss": discrimination + generation,
            "discriminator": discrimination,
            "adversarial": adversarial,
            "features": distance,
            "l1": l1,
            "regression": regression,
        }

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return how far mels of validation excerpts are from the recorded, with fixed noise.

        `loss` is the sum of two that are at odds: `l1`, their distance, in standard deviations of
        mels, which a blurred mel makes small; and `spread`, by how much, up or down, the logarithm
        of a channel's standard deviation is off, a mean over channels, which it makes large.
        """
        batch = self._validation_excerpts()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            made = self._make(batch)
        ratio = made.std((0, 2)) / batch.recorded.std((0, 2))
        spread = ratio.log().abs().mean()
        l1 = (made - batch.recorded).abs().mean()
        return {"loss": (spread + l1).item(), "spread": spread.item(), "l1": l1.item()}

    def _make(self, batch: Excerpts) -> Tensor:
        noise = torch.randn_like(batch.mean)
        made: Tensor = self.postnet(
            batch.mean, batch.contexts, _all_valid(batch), noise=noise, pitch=batch.pitch
        )
        return made


def _all_valid(batch: Excerpts) -> Tensor:
    return torch.ones_like(batch.mean[:, :1], dtype=torch.bool)


def _feature_distance(made: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Return the mean distance of a discriminator's features, in units of the recorded ones.

    Feature matching as in Larsen et al. 2016 (arXiv:1512.09300).
    """
    distances = [
        (ours - theirs.detach()).abs().mean() / (theirs.detach().abs().mean() + 1e-3)
        for ours, theirs in zip(made, real, strict=True)
    ]
    return torch.stack(distances).mean()
