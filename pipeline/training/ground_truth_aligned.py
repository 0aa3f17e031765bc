"""Mels as Tacotron 2 predicts them in step with a recording, for a vocoder to be trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm

from pipeline.tacotron2 import Tacotron2
from pipeline.training.features import Features
from pipeline.whole_file import whole_file
from text import Token, token_ids


def load_ground_truth_aligned(
    features: Features, tokens: Sequence[Sequence[Token]], tacotron2: Tacotron2, path: Path
) -> Features:
    """Return features whose mels are predicted, computed once and kept at `path`.

    A vocoder that was only ever shown recorded mels has not heard the mistakes of the predictor
    that it will speak for (arXiv:1712.05884, section 3.2.1).

    Args:
        features: The recordings.
        tokens: What is said in each.
        tacotron2: Predicts each frame from the recorded frames before it.
        path: An `.npy` file.
    """
    if not path.exists():
        mels = [
            predict_mel(tacotron2, clip, features.mel(i), seed=i)
            for i, clip in enumerate(tqdm(tokens, "predicted mels", unit="clip"))
        ]
        with whole_file(path) as part_path, part_path.open("wb") as file:
            np.save(file, np.concatenate(mels))
    return replace(features, mels=np.load(path, mmap_mode="r"))


@torch.no_grad()
def predict_mel(
    tacotron2: Tacotron2, tokens: Sequence[Token], mel: np.ndarray, *, seed: int
) -> np.ndarray:
    """Return the mel [T, M] predicted with a recorded mel [T, M] as the teacher.

    Args:
        tacotron2: In eval mode; its prenet still drops frames, by `seed`.
        tokens: What is said.
        mel: [T, M] natural log.
        seed: Of the prenet's dropout.
    """
    device = next(tacotron2.parameters()).device
    r, n_frames = tacotron2.config.reduction, len(mel)
    teacher = torch.from_numpy(np.array(mel.T))[None]  # [1, M, T]
    teacher = F.pad(teacher, (0, -n_frames % r), mode="replicate").to(device)
    symbol_ids = torch.tensor([token_ids(tokens)], device=device)
    predicted = tacotron2(
        symbol_ids,
        torch.tensor([symbol_ids.shape[1]]),
        teacher,
        torch.tensor([teacher.shape[-1]], device=device),
        generator=torch.Generator().manual_seed(seed),
    )
    return np.asarray(predicted.mel[0, :, :n_frames].T.cpu().numpy())
