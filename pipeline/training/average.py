"""The exponential moving average of a model's weights, which is what gets published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = tuple[Tensor, ...] | list[Tensor]


def average_of(model: nn.Module, decay: float) -> AveragedModel:
    """Return an average of parameters and running statistics that begins with the model's own.

    Args:
        model: What `update_parameters` will be given.
        decay: Share of the average that stays at each step; a young average follows faster.
    """

    def follow(averages: Tensors, values: Tensors, n_averaged: Tensor | int) -> None:
        if averages[0].is_floating_point():
            n = int(n_averaged)
            torch._foreach_lerp_(averages, values, 1.0 - min(decay, (1 + n) / (10 + n)))
        else:
            torch._foreach_copy_(averages, values)  # counts are not averaged

    average = AveragedModel(model, multi_avg_fn=follow, use_buffers=True)
    average.update_parameters(model)
    average.eval()
    return average


@contextmanager
def averaged_model_of(task: nn.Module, average: AveragedModel) -> Iterator[None]:
    """Give a task the averaged model, in eval mode, for as long as the block lasts."""
    own = task.get_submodule("model")
    task.set_submodule("model", average.module)
    try:
        yield
    finally:
        task.set_submodule("model", own)
