"""The weights of a published file: each is taken exactly once, in the shape that is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pipeline.errors import PipelineError


class NamedWeights:
    """Hands weights out by name and keeps account; `check` names everything that went wrong."""

    def __init__(self, weights: Mapping[str, Tensor], source: str) -> None:
        self._left = dict(weights)
        self._source = source
        self._missing: list[str] = []
        self._misshapen: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def shape(self, name: str) -> torch.Size:
        """Return a weight's shape, from which sizes of the model are inferred.

        Raises:
            PipelineError: There is no such weight.
        """
        if name not in self._left:
            raise PipelineError(f"{self._source} lacks the weight {name}; it is not a whole model")
        return self._left[name].shape

    def count(self, pattern: str) -> int:
        """Return how many of pattern.format(0), pattern.format(1), ... are there."""
        n = 0
        while pattern.format(n) in self._left:
            n += 1
        return n

    def take(self, name: str, shape: Sequence[int]) -> Tensor:
        """Return a weight in single precision; zeros where it fails, which `check` then tells."""
        tensor = self._left.pop(name, None)
        if tensor is None:
            self._missing.append(name)
        elif tensor.shape != torch.Size(shape):
            self._misshapen.append(f"{name} {list(tensor.shape)}, expected {list(shape)}")
        else:
            return tensor.float() if tensor.is_floating_point() else tensor
        return torch.zeros(*shape)

    def take_folded(self, name: str, shape: Sequence[int]) -> Tensor:
        """Return `name`.weight; where it is weight-normed, of direction and length together."""
        if f"{name}.weight" in self._left:
            return self.take(f"{name}.weight", shape)
        length = self.take(f"{name}.weight_g", (shape[0], *[1] * (len(shape) - 1)))
        direction = self.take(f"{name}.weight_v", shape)
        return torch._weight_norm(direction, length, 0)

    def check(self) -> None:
        """Raise PipelineError if a weight was missing, misshapen, or is left over."""
        problems = {
            "lacks": self._missing,
            "has misshapen": self._misshapen,
            "has no place for": sorted(self._left),
        }
        told = [
            f"{what} {', '.join(names[:4])}" + (f" and {len(names) - 4} more" * (len(names) > 4))
            for what, names in problems.items()
            if names
        ]
        if told:
            raise PipelineError(
                f"{self._source} does not fit the model it seems to hold: it {'; it '.join(told)}"
            )
