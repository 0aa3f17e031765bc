"""What it takes to train WaveGlow: excerpts of recordings, the likelihood, what to show."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.training.features import Features
from pipeline.waveglow import WaveGlow

VALIDATION_EXCERPTS = 32
LISTEN_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class WaveGlowRecipe:
    """How WaveGlow is trained."""

    batch_size: int = 8
    excerpt_frames: int = 32
    learning_rate: float = 1e-3
    fine_tuning_rate: float = 2e-4  # of weights that already speak
    sigma: float = 1.0  # of the prior in the loss; the published models used 1.0
    seed: int = 0


Excerpts = tuple[Tensor, Tensor]
"""mel [B, M, T + 1] and audio [B, hop_length * T]."""


class WaveGlowTask(nn.Module):
    """The model with its recordings; `forward` is one training loss."""

    name = "waveglow"
    model: WaveGlow

    def __init__(
        self, model: WaveGlow, train: Features, validation: Features, recipe: WaveGlowRecipe
    ) -> None:
        super().__init__()
        self.model = model
        self.recipe = recipe
        self.learning_rate = recipe.learning_rate
        self.batch_size = recipe.batch_size
        self.train_features = train
        self.validation_features = validation

    def batch(self, step: int) -> Excerpts:
        """Return the excerpts of a step: a pure function of the seed and the step."""
        rng = np.random.default_rng([self.recipe.seed, step])
        return self._excerpts(self.train_features, rng, self.recipe.batch_size)

    def split(self, batch: Excerpts, rank: int, n_ranks: int) -> Excerpts:
        """Return this process's share of a batch."""
        mel, audio = batch
        return mel[rank::n_ranks], audio[rank::n_ranks]

    def n_samples(self, batch: Excerpts) -> int:
        """Return the audio samples of a batch."""
        return batch[1].numel()

    def forward(self, batch: Excerpts) -> dict[str, Tensor]:
        """Return the loss of a batch, and its log-likelihood in nats a sample."""
        mel, audio = batch
        loss = self.model(mel, audio, sigma=self.recipe.sigma).loss
        constant = 0.5 * math.log(2.0 * math.pi * self.recipe.sigma**2)
        return {"loss": loss, "log likelihood": -loss - constant}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the mean loss over the same excerpts of the validation clips each time."""
        rng = np.random.default_rng(0)
        mel, audio = self._excerpts(self.validation_features, rng, VALIDATION_EXCERPTS)
        device = next(self.model.parameters()).device
        losses = [
            self.model(mel[i : i + 8].to(device), audio[i : i + 8].to(device)).loss.item()
            for i in range(0, VALIDATION_EXCERPTS, 8)
        ]
        return {"loss": float(np.mean(losses))}

    def show(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the first validation clip [S], vocoded and recorded, and no pictures."""
        config = self.validation_features.config
        n_frames = int(LISTEN_SECONDS * config.sample_rate / config.hop_length)
        mel = torch.from_numpy(np.array(self.validation_features.mel(0)[:n_frames].T))[None]
        device = next(self.model.parameters()).device
        audio = self.model.infer(mel.to(device), generator=torch.Generator().manual_seed(0))
        recorded = self.validation_features.audio(0)[: audio.shape[1]]
        return {"vocoded": audio[0].float().cpu().numpy(), "recorded": recorded}, {}

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
        return torch.from_numpy(np.stack(mels)), torch.from_numpy(np.stack(audios))


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
