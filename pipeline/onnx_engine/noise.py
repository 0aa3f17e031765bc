"""The random numbers of torch's generator on a CPU, in numpy: the same seed is the same noise.

Both draw 32-bit words from a Mersenne Twister (Matsumoto and Nishimura 1998). Of a word torch keeps
24 bits as a number in [0, 1); normal numbers are made from those by Box and Muller's method, in
blocks of sixteen: eight radii, then eight angles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from pipeline.speech import sentence_seed

BLOCK = 16


def sentence_noise(seed: int, index: int, purpose: str) -> TorchNoise:
    """Return the noise of one sentence and purpose, as `pipeline.synthesizer` seeds it."""
    return TorchNoise(sentence_seed(seed, index, purpose))


class TorchNoise:
    """Draws what `torch.Generator().manual_seed(seed)` draws, float32."""

    def __init__(self, seed: int) -> None:
        legacy = np.random.RandomState(seed & 0xFFFFFFFF)  # fills its state as torch does
        self._words = np.random.MT19937()
        self._words.state = cast(Any, legacy.get_state(legacy=False))

    def uniform(self, shape: Sequence[int]) -> np.ndarray:
        """Return what `torch.rand` does: numbers in [0, 1)."""
        words = self._words.random_raw(int(np.prod(shape))) & 0xFFFFFF
        return np.asarray(words * 2.0**-24, dtype=np.float32).reshape(shape)

    def normal(self, shape: Sequence[int]) -> np.ndarray:
        """Return what `torch.randn` does: a standard normal distribution, to the last digits.

        Raises:
            ValueError: It is less than a block of values, which torch draws in another way.
        """
        size = int(np.prod(shape))
        if size < BLOCK:
            raise ValueError(f"{size} values are asked for; expected at least {BLOCK}")
        uniform = self.uniform([size])
        values = np.empty(size, dtype=np.float32)
        whole = size - size % BLOCK
        values[:whole] = _normal(uniform[:whole])
        if whole < size:
            values[-BLOCK:] = _normal(self.uniform([BLOCK]))  # the last block, drawn anew
        return values.reshape(shape)

    def normal_frames(self, shape: Sequence[int], n_frames: int) -> np.ndarray:
        """Return normal noise [..., k T] drawn frame by frame, T frames of a shape [..., k]."""
        return np.concatenate([self.normal(shape) for _ in range(n_frames)], axis=-1)


def _normal(uniform: np.ndarray) -> np.ndarray:
    """Return normal numbers for uniform ones, whole blocks of them."""
    radii, turns = np.moveaxis(uniform.reshape(-1, 2, BLOCK // 2), 1, 0)
    radius, angle = np.sqrt(-2.0 * np.log(1.0 - radii)), 2.0 * np.float32(np.pi) * turns
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)
