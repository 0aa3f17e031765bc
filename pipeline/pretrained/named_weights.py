"""The weights of a published file: each is taken exactly once, in the shape that is expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from pipeline.errors import PipelineError


class NamedWeights:
    """Hands weights out by name and keeps account; `check` names everything that went wrong."""

    def __init__(
        self, weights: Mapping[str, Tensor], canonical: Callable[[str], str], source: str
    ) -> None:
        """Take over the weights, each under the name that `canonical` makes of its own.

        Raises:
            PipelineError: Two of them get the same name.
        """
        self._left = {canonical(name): tensor for name, tensor in weights.items()}
        if len(self._left) < len(weights):
            names = [canonical(name) for name in weights]
            twice = next(name for name in names if names.count(name) > 1)
            raise PipelineError(f"{source} holds the weight {twice} twice, under two names")
        self._source = source
        self._missing: list[str] = []
        self._misshapen: list[str] = []
        self._not_finite: list[str] = []

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
        """Return a weight in single precision; ones where it fails, which `check` then tells."""
        tensor = self._left.pop(name, None)
        if tensor is None:
            self._missing.append(name)
        elif tensor.shape != torch.Size(shape):
            self._misshapen.append(f"{name} {list(tensor.shape)}, expected {list(shape)}")
        else:
            return self._finite(name, tensor)
        return torch.ones(*shape)

    def take_folded(self, name: str, shape: Sequence[int]) -> Tensor:
        """Return `name`.weight; where it is weight-normed, of direction and length together."""
        if f"{name}.weight" in self._left:
            return self.take(f"{name}.weight", shape)
        length = self.take(f"{name}.weight_g", (shape[0], *[1] * (len(shape) - 1)))
        direction = self.take(f"{name}.weight_v", shape)
        return self._finite(name, direction * (length / length_of(direction)))

    def check(self) -> None:
        """Raise PipelineError if a weight was missing, misshapen, or is left over."""
        problems = {
            "lacks": self._missing,
            "has misshapen": self._misshapen,
            "has not finite": self._not_finite,
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

    def _finite(self, name: str, tensor: Tensor) -> Tensor:
        if not torch.isfinite(tensor).all():
            self._not_finite.append(name)
        return tensor.float() if tensor.is_floating_point() else tensor


def length_of(direction: Tensor) -> Tensor:
    """Return the length [C, 1, ...] of each output channel's weights [C, ...]."""
    lengths: Tensor = torch.linalg.vector_norm(direction.flatten(1), dim=1)
    return lengths.view(-1, *[1] * (direction.dim() - 1))
