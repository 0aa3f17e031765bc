"""Mels as Tacotron 2 predicts them in step with a recording, for a vocoder to be trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from pipeline.atomic_write import atomic_write
from pipeline.data.alignment import PhoneTimes
from pipeline.data.features import Features
from pipeline.data.speech_batches import alignment_in_clip
from pipeline.tacotron2 import Tacotron2
from text import Token, token_ids


def load_ground_truth_aligned(
    features: Features,
    tokens: Sequence[Sequence[Token]],
    times: Sequence[PhoneTimes | None],
    tacotron2: Tacotron2,
    path: Path,
    *,
    speaker: int = 0,
) -> Features:
    """Return features whose mels are predicted, computed once and kept at `path`.

    A vocoder that was only ever shown recorded mels has not heard the mistakes of the predictor
    that it will speak for (arXiv:1712.05884, section 3.2.1).

    Args:
        features: The recordings.
        tokens: What is said in each.
        times: When; a clip whose text was not found in it keeps its recorded mel.
        tacotron2: The predictor, in eval mode.
        path: An `.npy` file.
        speaker: Which of the predictor's.
    """
    if not path.exists():
        mels = [
            features.mel(i)
            if when is None
            else predict_mel(tacotron2, clip, when, features.mel(i), speaker=speaker, seed=i)
            for i, (clip, when) in enumerate(
                zip(tqdm(tokens, "predicted mels", unit="clip"), times, strict=True)
            )
        ]
        with atomic_write(path) as part_path, part_path.open("wb") as file:
            np.save(file, np.concatenate(mels))
    return replace(features, mels=np.load(path, mmap_mode="r"))


def predict_mel(
    tacotron2: Tacotron2,
    tokens: Sequence[Token],
    times: PhoneTimes,
    mel: np.ndarray,
    *,
    speaker: int = 0,
    seed: int,
) -> np.ndarray:
    """Return the mel [T, M] as the predictor speaks it, phone by phone at the recording's times.

    It sees its own frames, as always when it speaks. Silence before and after speech, which it
    is not trained on, stays as recorded.

    Args:
        tacotron2: In eval mode.
        tokens: What is said.
        times: When.
        mel: [T, M] recorded, natural log.
        speaker: Which of the predictor's.
        seed: Of the prenet's dropout.
    """
    device = next(tacotron2.parameters()).device
    start, alignment = alignment_in_clip(tokens, times, len(mel), tacotron2.config)
    spoken = tacotron2.infer(
        torch.tensor([token_ids(tokens)], device=device),
        speaker=speaker,
        generator=torch.Generator().manual_seed(seed),
        held_alignment=torch.from_numpy(alignment)[None].to(device),
    )
    predicted = spoken.mel[0].T.cpu().numpy()
    return np.concatenate([mel[:start], predicted, mel[start + len(predicted) :]])
