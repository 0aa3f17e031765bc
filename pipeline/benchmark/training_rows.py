"""The rows of training: throughput and largest batch of both models, by precision."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.benchmark.report import Measurement
from pipeline.benchmark.timing import Timer
from pipeline.tacotron2 import Tacotron2, Tacotron2Config
from pipeline.waveglow import WaveGlow, WaveGlowConfig

Precision = Literal["fp32", "tf32", "fp16", "bf16"]
PRECISIONS: dict[str, tuple[Precision, ...]] = {
    "cpu": ("fp32",),
    "cuda": ("fp32", "tf32", "fp16", "bf16"),
}
N_FRAMES = {"cpu": 8, "cuda": 64}  # of a WaveGlow's excerpt; on a GPU 16,384 samples
N_SPOKEN_FRAMES = {"cpu": 16, "cuda": 600}  # of a Tacotron 2's sentence
N_SYMBOLS = {"cpu": 8, "cuda": 128}
MAX_BATCH = 4_096
ON_A_CPU = (
    "On a CPU training is measured with a batch of 1, excerpts of 8 frames and sentences of 16, in "
    "fp32: enough to compare two versions of this program, not to plan a training."
)


class Trainee(NamedTuple):
    """A model, and the loss of a batch of so many random clips."""

    what: str
    model: nn.Module
    loss: Callable[[int], Tensor]
    samples_per_clip: int


def training_rows(
    timer: Timer, waveglow: WaveGlowConfig, tacotron2: Tacotron2Config
) -> tuple[list[Measurement], list[str]]:
    """Return samples of audio a second and, on a GPU, the largest batch, by precision."""
    device = timer.device
    rows: list[Measurement] = []
    for precision in PRECISIONS[device.type]:  # models anew: the same weights, and memory is free
        rows += _rows_of(timer, waveglow_trainee(waveglow, device), precision)
    for precision in PRECISIONS[device.type]:
        rows += _rows_of(timer, tacotron2_trainee(tacotron2, device), precision)
    return rows, [ON_A_CPU] if device.type == "cpu" else []


def waveglow_trainee(config: WaveGlowConfig, device: torch.device) -> Trainee:
    """Return a WaveGlow trained for its likelihood on noise."""
    model, n_frames = WaveGlow(config).to(device).train(), N_FRAMES[device.type]
    n_samples = n_frames * config.audio.hop_length

    def loss(count: int) -> Tensor:
        mel = torch.randn(count, config.audio.n_mels, n_frames, device=device) - 5.0
        audio = 0.1 * torch.randn(count, n_samples, device=device)
        likelihood: Tensor = model(mel, audio).loss
        return likelihood

    return Trainee(f"WaveGlow, {config.n_channels} channels", model, loss, n_samples)


def tacotron2_trainee(config: Tacotron2Config, device: torch.device) -> Trainee:
    """Return a Tacotron 2 trained with the frames before each step given."""
    model, n_symbols = Tacotron2(config).to(device).train(), N_SYMBOLS[device.type]
    n_frames = N_SPOKEN_FRAMES[device.type] // config.reduction * config.reduction

    def loss(count: int) -> Tensor:
        ids = torch.randint(1, config.n_symbols, (count, n_symbols), device=device)
        mel = torch.randn(count, config.audio.n_mels, n_frames, device=device) - 5.0
        lengths = ids.new_full((count,), n_symbols), ids.new_full((count,), n_frames)
        told = model(ids, lengths[0], mel, lengths[1])
        ends = torch.zeros_like(told.gate_logits)
        gate = F.binary_cross_entropy_with_logits(told.gate_logits, ends)
        return F.mse_loss(told.mel.float(), mel) + gate

    return Trainee("Tacotron 2", model, loss, n_frames * config.audio.hop_length)


def training_step(trainee: Trainee, precision: Precision) -> Callable[[int], None]:
    """Return what one step of Adam does with a batch of so many clips."""
    device = next(trainee.model.parameters()).device
    optimizer = torch.optim.Adam(trainee.model.parameters(), lr=1e-5)
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")

    def step(count: int) -> None:
        optimizer.zero_grad(set_to_none=True)
        with in_precision(precision, device):
            loss = trainee.loss(count)
        torch.autograd.backward(scaler.scale(loss))
        scaler.step(optimizer)
        scaler.update()

    return step


@contextlib.contextmanager
def in_precision(precision: Precision, device: torch.device) -> Iterator[None]:
    """Compute in a precision, and leave torch's settings as they were."""
    settings: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [setting.allow_tf32 for setting in settings]
    half = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(precision)
    try:
        for setting in settings:
            setting.allow_tf32 = precision == "tf32"
        with torch.autocast(device.type, dtype=half, enabled=half is not None):
            yield
    finally:
        for setting, value in zip(settings, before, strict=True):
            setting.allow_tf32 = value


def largest_batch(fits: Callable[[int], bool]) -> int:
    """Return the largest batch that fits, up to `MAX_BATCH`; 0 if not even one clip does."""
    good, bad = 0, 1
    while bad <= MAX_BATCH and fits(bad):
        good, bad = bad, 2 * bad
    while bad - good > max(1, good // 16):  # within a sixteenth: each try takes seconds
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return min(good, MAX_BATCH)


def _rows_of(timer: Timer, trainee: Trainee, precision: Precision) -> list[Measurement]:
    """Return the throughput with half of the largest batch, and that batch; on a CPU with one."""
    step = training_step(trainee, precision)
    what, rows, count = f"training {trainee.what}, {precision}", [], 1
    if timer.device.type == "cuda":
        largest = largest_batch(lambda count: _fits(step, count))
        size = Measurement(row="train", what=f"{what}, largest batch", value=largest, unit="clips")
        rows, count = [size], largest // 2
    if count:
        (seconds,) = timer.rounds(lambda: step(count))
        rate = count * trainee.samples_per_clip / statistics.median(seconds)
        rows.append(Measurement(row="train", what=what, value=rate, unit="samples/s"))
    return rows


def _fits(step: Callable[[int], None], count: int) -> bool:
    try:
        step(count)
    except torch.OutOfMemoryError:
        return False
    finally:
        torch.cuda.empty_cache()
    return True
