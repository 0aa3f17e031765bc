"""What it takes to train WaveGlow: excerpts of recordings, the losses, what to show.

The likelihood comes first, alone. A small flow that has learned most of it still spreads noise
between harmonics, so from then on its samples are held to the recordings' spectra as well. They
are told where pulses are; the likelihood is not, since nobody knows a recording's phase.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.data.features import Features
from pipeline.training.spectral_distance import energy_distance, steadiness_of_groups
from pipeline.vocoder_defaults import TRAINED
from pipeline.waveglow import WaveGlow, WaveGlowVocoder
from pipeline.waveglow.pitch_pulses import Pitch, pitch_from_mel, pulses_from_pitch

VALIDATION_BATCH = 8
LISTEN_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class WaveGlowRecipe:
    """How WaveGlow is trained."""

    batch_size: int = 8  # excerpts, or samples of half as many
    excerpt_frames: int = 32
    learning_rate: float = 1e-3
    fine_tuning_rate: float = 4e-4  # of weights that already speak
    sigma: float = 1.0  # of the prior in the loss; the published models used 1.0
    likelihood_steps: int = 9_000  # with the likelihood as the only loss
    likelihood_share: float = 0.5  # of the excerpts whose likelihood is computed after that
    sampling_sigma: float = TRAINED.sigma  # of the noise that samples are made from
    spectral_weight: float = 12.0  # nats a sample for each neper
    bias_weight: float = 600.0  # nats a sample for each unit of power
    validation_excerpts: int = 32  # the same ones each time
    seed: int = 0


class Excerpts(NamedTuple):
    """A batch."""

    mel: Tensor  # [B, M, T + 1]
    audio: Tensor  # [B, hop_length * T]
    noise: Tensor | None = None  # [2, B, G, L] for two samples of each; None: likelihood alone
    phase: Tensor | None = None  # [2, B] in periods, where the samples' pulses begin


class WaveGlowTask(nn.Module):
    """The model with its recordings; `forward` is one training loss."""

    name = "waveglow"
    betas = (0.9, 0.98)
    model: WaveGlow

    def __init__(
        self, model: WaveGlow, train: Features, validation: Features, recipe: WaveGlowRecipe
    ) -> None:
        super().__init__()
        self.model = model
        self.recipe = recipe
        self.learning_rate = recipe.learning_rate
        self.batch_size = max(1, recipe.batch_size // 2)  # of those that samples are made of
        self.train_features = train
        self.validation_features = validation

    def batch(self, step: int) -> Excerpts:
        """Return the excerpts of a step: a pure function of the seed and the step."""
        recipe, rng = self.recipe, np.random.default_rng([self.recipe.seed, step])
        if step < recipe.likelihood_steps:
            return self._excerpts(self.train_features, rng, recipe.batch_size)
        excerpts = self._excerpts(self.train_features, rng, self.batch_size)
        return self._with_draws(excerpts, rng)

    def split(self, batch: Excerpts, rank: int, n_ranks: int) -> Excerpts:
        """Return this process's share of a batch."""
        ours = slice(rank, None, n_ranks)
        draws = (None if each is None else each[:, ours] for each in (batch.noise, batch.phase))
        return Excerpts(batch.mel[ours], batch.audio[ours], *draws)

    def n_samples(self, batch: Excerpts) -> int:
        """Return the audio samples of a batch."""
        return batch.audio.numel()

    def forward(self, batch: Excerpts) -> dict[str, Tensor]:
        """Return the loss of a batch and its parts."""
        mel, audio, noise, phase = batch
        recipe, model = self.recipe, self.model
        count = len(mel) if noise is None else math.ceil(recipe.likelihood_share * len(mel))
        no_pulses = torch.zeros_like(audio[:count])
        loss = model(mel[:count], audio[:count], sigma=recipe.sigma, pulses=no_pulses).loss
        parts = {"log likelihood": -loss - 0.5 * math.log(2.0 * math.pi * recipe.sigma**2)}
        if noise is not None and phase is not None:
            pitch = pitch_from_mel(mel, model.config.audio)
            mels, both = mel.repeat(2, 1, 1), Pitch(*(each.repeat(2, 1) for each in pitch))
            pulses = pulses_from_pitch(both, model.config.audio, phase=phase.flatten().cpu())
            noises = recipe.sampling_sigma * noise.flatten(0, 1)
            excitation = model.excitation(mels, noises, pulses=pulses)
            samples = model.from_excitation(mels, excitation).float().view(2, *audio.shape)
            with torch.autocast(audio.device.type, enabled=False):
                voicing = pitch.voicing.to(audio)
                distance = energy_distance(samples, audio, voicing, model.config.audio)
            bias = steadiness_of_groups(excitation, model.config.n_group)
            loss = loss + recipe.spectral_weight * distance + recipe.bias_weight * bias
            parts |= {"energy distance": distance, "bias": bias}
        return {"loss": loss, **parts}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return all losses of the same excerpts, with the same noise, each time."""
        rng = np.random.default_rng(0)
        device = next(self.model.parameters()).device
        losses: list[dict[str, Tensor]] = []
        for _ in range(0, self.recipe.validation_excerpts, VALIDATION_BATCH):
            excerpts = self._excerpts(self.validation_features, rng, VALIDATION_BATCH)
            batch = self._with_draws(excerpts, rng)
            losses.append(
                self(Excerpts(*(field.to(device) for field in batch if field is not None)))
            )
        return {name: float(np.mean([part[name].item() for part in losses])) for name in losses[0]}

    def show(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the first validation clip [S], vocoded and recorded, and no pictures."""
        config = self.validation_features.config
        n_frames = int(LISTEN_SECONDS * config.sample_rate / config.hop_length)
        mel = torch.from_numpy(np.array(self.validation_features.mel(0)[:n_frames].T))[None]
        generator, sigma = torch.Generator().manual_seed(0), self.recipe.sampling_sigma
        vocoder = WaveGlowVocoder(self.model)  # made anew: the weights have changed
        audio = vocoder.vocode(mel, sigma=sigma, denoise=0.0, generator=generator)
        recorded = self.validation_features.audio(0)[: audio.shape[1]]
        return {"vocoded": audio[0].cpu().numpy(), "recorded": recorded}, {}

    def _excerpts(self, features: Features, rng: np.random.Generator, count: int) -> Excerpts:
        """Draw excerpts; each frame of the corpus is about equally likely to be in one."""
        n_frames = self.recipe.excerpt_frames
        lengths = np.diff(features.offsets)
        starts = np.maximum(lengths - n_frames, 0)
        mels, audios = [], []
        for clip in rng.choice(len(lengths), size=count, p=lengths / lengths.sum()):
            start = int(rng.integers(starts[clip] + 1))
            mel, audio = excerpt(features, int(clip), start, n_frames)
            mels.append(mel)
            audios.append(audio)
        return Excerpts(torch.from_numpy(np.stack(mels)), torch.from_numpy(np.stack(audios)))

    def _with_draws(self, excerpts: Excerpts, rng: np.random.Generator) -> Excerpts:
        count, n_samples = excerpts.audio.shape
        n_group = self.model.config.n_group
        noise = rng.standard_normal((2, count, n_group, n_samples // n_group), dtype=np.float32)
        phase = rng.random((2, count))
        return excerpts._replace(noise=torch.from_numpy(noise), phase=torch.from_numpy(phase))


def excerpt(
    features: Features, clip: int, start: int, n_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return mel [M, n_frames + 1] and audio [hop_length * n_frames] from frame `start` of a clip.

    The one frame more is what the last groups of samples are interpolated towards. A clip that
    ends too soon is continued by its last frame and by silence.
    """
    hop = features.config.hop_length
    frames = np.minimum(np.arange(start, start + n_frames + 1), features.n_frames(clip) - 1)
    audio = features.audio(clip)[hop * start : hop * (start + n_frames)]
    return features.mel(clip)[frames].T, np.pad(audio, (0, hop * n_frames - len(audio)))
