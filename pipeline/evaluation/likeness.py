"""How like two voices are, as a speaker verifier hears them.

The verifier is the LSTM of the package resemblyzer, trained by its authors on VoxCeleb and
LibriSpeech to tell some eight thousand speakers apart. Of the package only the weights are used.

Source: Wan et al. 2018 (arXiv:1710.10467), generalized end-to-end loss.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.audio import read_audio, resample
from pipeline.data.corpora import Clip
from pipeline.data.cutting import FRAME_SECONDS, frame_levels
from pipeline.errors import PipelineError

RATE = 16_000  # Hz
N_FFT, HOP_LENGTH, N_MELS = 400, 160, 40
WINDOW_FRAMES = 160  # of 10 ms: what the verifier was trained on
WINDOW_HOP = 77
LEVEL_DB = -30.0  # root mean square that audio is brought to
LOUD_PERCENTILE = 95
QUIET_DB = 35.0  # frames that far below the loud ones are left out: pauses have no voice
PACKAGE = "resemblyzer"


class SpeakerVerifier(nn.Module):
    """Mels to a point on the unit sphere, near to those of the same speaker."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(N_MELS, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def forward(self, mels: Tensor) -> Tensor:
        """Map mels [B, T, M] to [B, 256], each of length 1."""
        _, (hidden, _) = self.lstm(mels)
        return nn.functional.normalize(self.linear(hidden[-1]).relu(), dim=1)


def is_installed() -> bool:
    """Say whether the verifier's weights are there."""
    return importlib.util.find_spec(PACKAGE) is not None


@cache
def load_verifier() -> SpeakerVerifier:
    """Return the verifier with its trained weights.

    Raises:
        PipelineError: They are not installed, or are not what is expected.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise PipelineError(
            f"The package {PACKAGE}, which holds a speaker verifier's weights, is not installed; "
            f"pip install --no-deps {PACKAGE}==0.1.4 has them"
        )
    path = Path(found.submodule_search_locations[0]) / "pretrained.pt"
    verifier = SpeakerVerifier()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
        names = verifier.state_dict().keys()
        verifier.load_state_dict({name: state[name] for name in names})
    except (OSError, KeyError, RuntimeError) as error:
        raise PipelineError(f"Cannot read the speaker verifier {path}: {error}") from error
    return verifier.eval()


@torch.no_grad()
def voice_print(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return what the verifier makes of one utterance [S], [256] of length 1.

    It is the mean over windows of 1.6 s; a shorter utterance is repeated.
    """
    from librosa.feature import melspectrogram

    samples = _speech(resample(audio, sample_rate, RATE))
    level = float(np.sqrt(np.square(samples).mean())) or 1.0
    samples = samples * (10.0 ** (LEVEL_DB / 20.0) / level)
    n_needed = WINDOW_FRAMES * HOP_LENGTH
    if len(samples) < n_needed:
        samples = np.resize(samples, n_needed)
    mel = melspectrogram(y=samples, sr=RATE, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS)
    frames = mel.T.astype(np.float32)  # [T, M], power, not its logarithm
    starts = range(0, len(frames) - WINDOW_FRAMES + 1, WINDOW_HOP)
    windows = np.stack([frames[start : start + WINDOW_FRAMES] for start in starts])
    mean = load_verifier()(torch.from_numpy(windows)).mean(dim=0)
    return np.asarray(nn.functional.normalize(mean, dim=0).numpy())


def voice_prints(clips: Sequence[Clip]) -> list[np.ndarray]:
    """Return the voice prints of recordings."""
    return [voice_print(read_audio(clip.path, RATE), RATE) for clip in clips]


def mean_likeness(print_: np.ndarray, others: Sequence[np.ndarray]) -> float:
    """Return the mean cosine of a voice print to some others; nan where there are none."""
    return float(np.mean(np.stack(others) @ print_)) if len(others) else math.nan


def likeness_to_speaker(
    prints: Sequence[np.ndarray], recorded: Sequence[np.ndarray]
) -> list[float]:
    """Return each clip's mean cosine to the recordings of all other clips.

    The clip's own recording is left out, so that recordings themselves can be scored alike.

    Args:
        prints: Of each clip, recorded or spoken.
        recorded: Of each clip's recording.
    """
    return [mean_likeness(one, [*recorded[:i], *recorded[i + 1 :]]) for i, one in enumerate(prints)]


def _speech(audio: np.ndarray) -> np.ndarray:
    """Return audio [S] without its quiet frames."""
    levels = frame_levels(audio, RATE)
    if not len(levels):
        return audio
    length = int(FRAME_SECONDS * RATE)
    frames = audio[: len(levels) * length].reshape(-1, length)
    is_loud = levels > np.percentile(levels, LOUD_PERCENTILE) - QUIET_DB
    return np.asarray(frames[is_loud].ravel())
