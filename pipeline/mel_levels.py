"""The levels of a predicted mel, brought to those of recordings.

    level of a channel -> which quantile of predicted mels -> that quantile of recorded ones

What a predictor draws lies closer to the middle than what a recording holds: pauses and the
closures of stops come out some decibels too loud, peaks a little too soft. A monotone curve for
each channel gives predicted levels the distribution of recorded ones. It looks at single frames,
so a mel in pieces becomes what the whole becomes.

Sources: histogram equalization, de la Torre et al. 2005 (doi:10.1109/TSA.2005.845805); what it
gives back to synthesized speech is the global variance of Toda and Tokuda 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

PERCENTILES = (1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99)
MIN_STEP = 1e-3  # nepers between neighbouring quantiles


@dataclass(frozen=True, kw_only=True)
class MelLevels:
    """Quantiles of each log-mel channel over time, Q rows of M values, in nepers.

    Raises:
        ValueError: The two are not of one shape, or a channel's quantiles do not rise.
    """

    predicted: list[list[float]]
    recorded: list[list[float]]

    def __post_init__(self) -> None:
        predicted, recorded = self._quantiles
        if predicted.ndim != 2 or predicted.shape != recorded.shape or len(predicted) < 2:
            raise ValueError(
                f"levels have {list(predicted.shape)} predicted and {list(recorded.shape)} "
                "recorded quantiles, expected as many of both, at least 2 for each channel"
            )
        if not all((np.diff(one, axis=0) > 0.0).all() for one in (predicted, recorded)):
            raise ValueError("levels do not rise from quantile to quantile in each channel")

    @cached_property
    def _quantiles(self) -> tuple[np.ndarray, np.ndarray]:
        return np.asarray(self.predicted, dtype=float), np.asarray(self.recorded, dtype=float)

    @property
    def n_mels(self) -> int:
        """The channels M."""
        return len(self.predicted[0])

    def match(self, mel: np.ndarray) -> np.ndarray:
        """Return a predicted log mel [M, T] at recorded levels, float32.

        Beyond the outermost quantiles a level moves by as much as these do.
        """
        predicted, recorded = self._quantiles
        shifts = (recorded - predicted).T  # [M, Q]
        rows = zip(mel, predicted.T, shifts, strict=True)
        return np.stack([row + np.interp(row, *curve) for row, *curve in rows]).astype(np.float32)


def measure_mel_levels(
    predicted: Sequence[np.ndarray], recorded: Sequence[np.ndarray]
) -> MelLevels:
    """Return the levels of log mels [M, T] of the same texts, without the silence around them."""

    def quantiles(mels: Sequence[np.ndarray]) -> list[list[float]]:
        rows = np.percentile(np.concatenate(mels, axis=1), PERCENTILES, axis=1)  # [Q, M]
        least = MIN_STEP * np.arange(len(rows))[:, None]  # so that no two are equal
        rising = np.maximum.accumulate(rows - least) + least
        return [[round(value, 3) for value in row] for row in rising.tolist()]

    return MelLevels(predicted=quantiles(predicted), recorded=quantiles(recorded))
