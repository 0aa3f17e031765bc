"""Speech from a mel without a neural network: the line that a vocoder has to beat."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.mel import AudioConfig, mel_filterbank

N_ITERATIONS = 60


@dataclass(frozen=True, kw_only=True)
class GriffinLimConfig:
    """What the mels are made of."""

    audio: AudioConfig = field(default_factory=AudioConfig)


class GriffinLim(nn.Module):
    """A vocoder without weights, noise or denoiser: sigma and denoise change nothing."""

    def __init__(self, config: GriffinLimConfig) -> None:
        super().__init__()
        self.config = config

    def vocode(
        self,
        mel: Tensor,
        *,
        sigma: float,  # noqa: ARG002
        denoise: float,  # noqa: ARG002
        generator: torch.Generator | None,
    ) -> Tensor:
        """Return audio [B, hop_length * T] for mels [B, M, T]; the seed is the generator's."""
        seed = 0 if generator is None else generator.initial_seed() % 2**32
        clips = [griffin_lim(one, self.config.audio, seed=seed) for one in mel.cpu().numpy()]
        return torch.from_numpy(np.stack(clips)).to(mel.device)


def griffin_lim(mel: np.ndarray, config: AudioConfig, *, seed: int = 0) -> np.ndarray:
    """Return audio [hop_length * T] whose mel is near to a log mel [M, T].

    Magnitudes come from the mel by non-negative least squares, phases from the fast algorithm.

    Args:
        mel: [M, T] natural log.
        config: What the mel is made of.
        seed: Of the first phases.

    Source: Griffin and Lim 1984; Perraudin et al. 2013, with momentum; both as in librosa.
    """
    import librosa

    mel = np.pad(mel, ((0, 0), (0, 1)), mode="edge")  # T + 1 centred frames span T hops
    magnitude = librosa.util.nnls(mel_filterbank(config), np.exp(mel))  # [K, T + 1]
    audio = librosa.griffinlim(
        magnitude,
        n_iter=N_ITERATIONS,
        hop_length=config.hop_length,
        win_length=config.n_fft,
        n_fft=config.n_fft,
        pad_mode="reflect",
        random_state=seed,
    )
    return np.asarray(audio, dtype=np.float32)
