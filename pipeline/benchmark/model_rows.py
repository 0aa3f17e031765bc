"""The rows of the two models in their published sizes, ours beside NeMo's."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from pipeline.benchmark.limits import (
    Limits,
    computes_bf16,
    count_operations,
    product_in_bf16,
    weight_bytes,
)
from pipeline.benchmark.nemo_models import has_nemo, nemo_model
from pipeline.benchmark.report import Measurement
from pipeline.benchmark.timing import Timer, median_ratio
from pipeline.errors import PipelineError
from pipeline.mel import log_mel
from pipeline.tacotron2 import Tacotron2, Tacotron2Config
from pipeline.waveglow import WaveGlow, WaveGlowConfig

N_SYMBOLS = 128
N_STEPS = 200  # of the decoder: at one frame a step 2.3 s of speech
NO_BF16 = "The processor has no instructions for bf16, so WaveGlow was not measured in it."
NO_NEMO = "NeMo is not installed, so its columns are empty; pip install -r requirements.txt has it."
MAX_DIFFERENCE = 1e-3  # of the audio's peak: beyond it the two do not compute the same


def waveglow_row(
    timer: Timer, limits: Limits, config: WaveGlowConfig
) -> tuple[list[Measurement], list[str]]:
    """Return how long WaveGlow takes for the audio of a second's mel frames.

    Raises:
        PipelineError: NeMo's audio is another than ours.
    """
    audio = config.audio
    n_frames = round(audio.sample_rate / audio.hop_length)
    with _seeded():
        model = random_waveglow(config).to(timer.device)
        mel = torch.randn(1, audio.n_mels, n_frames).to(timer.device) - 5.0  # [1, M, T]

    def ours() -> Tensor:
        return model.infer(mel, sigma=0.0)

    theirs = _nemo_audio(model, mel) if has_nemo() else None
    notes = [NO_NEMO if theirs is None else _agreement(ours(), theirs())]
    measurement = _compare(
        timer,
        ours,
        theirs,
        row="waveglow",
        what=f"WaveGlow, {config.n_channels} channels, {n_frames} frames",
    )
    operations = waveglow_operations(model, n_frames)
    share = operations / measurement.value / limits.product
    rows = [replace(measurement, limit="product", share=share)]
    if not computes_bf16(timer.device):
        return rows, [*notes, NO_BF16]
    row, note = _in_bf16(timer, model, mel, what=f"{measurement.what}, bf16", operations=operations)
    return [*rows, row], [*notes, note]


def _in_bf16(
    timer: Timer, model: WaveGlow, mel: Tensor, *, what: str, operations: int
) -> tuple[Measurement, str]:
    """Return the row of couplings in bf16, and how far the mel of its audio then is."""

    def ours() -> Tensor:
        with torch.autocast(timer.device.type, dtype=torch.bfloat16):
            return model.infer(mel, sigma=0.0)

    measurement = _compare(timer, ours, None, row="waveglow", what=what)
    share = operations / measurement.value / product_in_bf16(timer)
    exact, rounded = (log_mel(audio.float()) for audio in (model.infer(mel, sigma=0.0), ours()))
    distance = (exact - rounded).abs().mean().item()
    note = f"In bf16 the mel of WaveGlow's audio differs by {distance:.1g} nepers on average."
    return replace(measurement, limit="product", share=share), note


def random_waveglow(config: WaveGlowConfig) -> WaveGlow:
    """Return a WaveGlow whose couplings do something: an untrained one's are the identity."""
    model = WaveGlow(config).eval()
    for name, parameter in model.named_parameters():
        if ".coupling.end." in name:
            torch.nn.init.uniform_(parameter, -0.01, 0.01)
    return model


def waveglow_operations(model: WaveGlow, n_frames: int) -> int:
    """Return the operations for the audio of so many frames, as the network is published.

    Nothing is computed: tensors have a shape and no content. A coupling in bf16 is computed as it
    is published, without the rearrangements that single precision has on a CPU.
    """
    device = next(model.parameters()).device
    shapes_alone = FakeTensorMode(allow_non_fake_inputs=True)
    with shapes_alone, torch.autocast(device.type, dtype=torch.bfloat16):
        mel = torch.empty(1, model.config.audio.n_mels, n_frames, device=device)
        return count_operations(lambda: model.infer(mel, sigma=0.0))


def tacotron2_row(
    timer: Timer, limits: Limits, config: Tacotron2Config
) -> tuple[list[Measurement], list[str]]:
    """Return how long Tacotron 2 takes for a sentence, with a fixed number of decoder steps.

    Raises:
        PipelineError: The decoder stopped before.
    """
    with _seeded():
        model = Tacotron2(config).to(timer.device).eval()
        # Attends to all symbols alike: the decoder would stop where the last one has most weight.
        torch.nn.init.zeros_(model.decoder.attention.v.weight)
        ids = torch.randint(1, config.n_symbols, (1, N_SYMBOLS)).to(timer.device)

    def ours() -> None:
        generator = torch.Generator().manual_seed(0)
        n_frames = N_STEPS * config.reduction
        said = model.infer(ids, gate_threshold=1.0, max_frames=n_frames, generator=generator)
        if said.gate_logits.shape[1] != N_STEPS:
            raise PipelineError(
                f"The decoder took {said.gate_logits.shape[1]} steps, expected {N_STEPS}: "
                "its attention was at the end of the text"
            )

    measurement = _compare(
        timer,
        ours,
        _nemo_prediction(model, ids) if has_nemo() else None,
        row="tacotron2",
        what=f"Tacotron 2, {N_SYMBOLS} symbols, {N_STEPS} steps",
    )
    bytes_read = weight_bytes(model.decoder) * N_STEPS
    share = bytes_read / measurement.value / limits.copy
    return [replace(measurement, limit="copy", share=share)], [] if has_nemo() else [NO_NEMO]


def _nemo_audio(model: WaveGlow, mel: Tensor) -> Callable[[], Tensor]:
    theirs = nemo_model(model).waveglow
    theirs.remove_weightnorm()  # as NeMo does before it vocodes

    def audio() -> Tensor:
        with torch.no_grad():
            spoken: Tensor = theirs.norm_dist_to_audio(spec=mel, sigma=0.0)
        return spoken

    return audio


def _nemo_prediction(model: Tacotron2, ids: Tensor) -> Callable[[], object]:
    theirs = nemo_model(model)
    theirs.decoder.max_decoder_steps = N_STEPS
    theirs.decoder.gate_threshold = 1.0  # no gate ever opens

    def predict() -> None:
        with torch.no_grad():  # as ours has it; NeMo leaves that to its caller
            theirs.generate_spectrogram(tokens=ids)

    return predict


def _agreement(ours: Tensor, theirs: Tensor) -> str:
    difference = ((ours - theirs).abs().max() / theirs.abs().max()).item()
    if not difference < MAX_DIFFERENCE:
        raise PipelineError(
            f"WaveGlow's audio differs from NeMo's by {difference:.1e} of its peak, expected less "
            f"than {MAX_DIFFERENCE:g}; their times cannot be compared"
        )
    return f"WaveGlow's audio differs from NeMo's by {difference:.1e} of its peak."


def _compare(
    timer: Timer,
    ours: Callable[[], object],
    theirs: Callable[[], object] | None,
    *,
    row: str,
    what: str,
) -> Measurement:
    """Return the medians of both, taken in turn, or of ours alone."""
    seconds = timer.rounds(*(work for work in (ours, theirs) if work is not None))
    measurement = Measurement(row=row, what=what, value=statistics.median(seconds[0]), unit="s")
    if theirs is None:
        return measurement
    return replace(
        measurement,
        nemo=statistics.median(seconds[1]),
        times_nemo=median_ratio(seconds[1], seconds[0]),
    )


@contextmanager
def _seeded() -> Iterator[None]:
    """Make random weights the same each time, and leave torch's own generator as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
