"""The exponential moving average of a model's weights, which is what gets published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Averages parameters and running statistics; young averages follow the weights faster."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.n_updates = 0
        self.weights = {name: value.clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take one step towards the model's weights."""
        self.n_updates += 1
        share = 1.0 - min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
        averages, values = [], []
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                averages.append(self.weights[name])
                values.append(value)
            else:
                self.weights[name].copy_(value)
        torch._foreach_lerp_(averages, values, share)

    @contextmanager
    def in_place_of(self, model: nn.Module) -> Iterator[None]:
        """Put the averaged weights into the model, in eval mode, for as long as the block lasts."""
        own = {name: value.clone() for name, value in model.state_dict().items()}
        was_training = model.training
        model.load_state_dict(self.weights)
        model.eval()
        try:
            yield
        finally:
            model.load_state_dict(own)
            model.train(was_training)

    def state_dict(self) -> dict[str, int | dict[str, Tensor]]:
        """Return what `load_state_dict` takes."""
        return {"n_updates": self.n_updates, "weights": self.weights}

    def load_state_dict(self, state: dict[str, int | dict[str, Tensor]]) -> None:
        """Go on from a saved average."""
        n_updates, weights = state["n_updates"], state["weights"]
        assert isinstance(n_updates, int)
        assert isinstance(weights, dict)
        self.n_updates = n_updates
        for name, value in weights.items():
            self.weights[name].copy_(value)
