"""What the machine can do at most, and how much of it a model asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pipeline.benchmark.timing import Timer

MATRIX_SIZE = {"cpu": 2_048, "cuda": 8_192}
COPY_BYTES = {"cpu": 2**28, "cuda": 2**31}  # far more than any cache holds


class Limits(NamedTuple):
    """The ceilings of a machine, with the threads in use."""

    product: float  # operations a second in a product of fp32 matrices; a multiply-add is two
    copy: float  # bytes a second in a copy, those read and those written


def measure_limits(timer: Timer) -> Limits:
    """Return what this machine reaches at best."""
    size = MATRIX_SIZE[timer.device.type]
    left, right = torch.randn(2, size, size, device=timer.device)
    product = torch.empty_like(left)
    source = torch.ones(COPY_BYTES[timer.device.type] // 4, device=timer.device)
    target = torch.empty_like(source)
    products, copies = timer.rounds(
        lambda: torch.mm(left, right, out=product), lambda: target.copy_(source)
    )
    return Limits(2.0 * size**3 / min(products), 2.0 * source.nbytes / min(copies))


def product_in_bf16(timer: Timer) -> float:
    """Return the operations a second in a product of bf16 matrices."""
    size = MATRIX_SIZE[timer.device.type]
    left, right = torch.randn(2, size, size, device=timer.device).bfloat16()
    (seconds,) = timer.rounds(lambda: left @ right)
    return 2.0 * size**3 / min(seconds)


def computes_bf16(device: torch.device) -> bool:
    """Say whether a device has instructions for bf16, or would only imitate them."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def count_operations(work: Callable[[], object]) -> int:
    """Return the operations of the products and convolutions in a work; a multiply-add is two."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        work()
    return counter.get_total_flops()


def weight_bytes(module: nn.Module) -> int:
    """Return the size of a module's weights: what is read each time that it is run."""
    return sum(parameter.nbytes for parameter in module.parameters())
