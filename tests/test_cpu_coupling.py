"""The coupling network's fast path on a CPU says what the plain network says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from pipeline.mel import between_frames, log_mel
from pipeline.waveglow import WaveGlow, cpu_coupling, cpu_inference
from pipeline.waveglow.winograd import add_convolved, combined_taps
from tests.tiny_models import WAVEGLOW_CONFIGS, random_waveglow, voiced_sound

N_FRAMES = 3


@pytest.fixture(params=WAVEGLOW_CONFIGS.values(), ids=WAVEGLOW_CONFIGS.keys())
def model(request: pytest.FixtureRequest) -> WaveGlow:
    return random_waveglow(request.param)


@pytest.fixture
def plainly(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A context in which couplings are computed as the paper has them."""
    with monkeypatch.context() as patched:
        yield patched


def sound_and_mel(n_samples: int = N_FRAMES * 256) -> tuple[Tensor, Tensor]:
    audio = voiced_sound(N_FRAMES * 256, batch_size=2)
    return audio[:, :n_samples], log_mel(audio)[..., :N_FRAMES]


@pytest.mark.parametrize("n_samples", [N_FRAMES * 256, 256 + 96])
@pytest.mark.parametrize("wants_gradients", [True, False])
def test_both_paths_say_the_same(
    model: WaveGlow, plainly: pytest.MonkeyPatch, n_samples: int, wants_gradients: bool
) -> None:
    audio, mel = sound_and_mel(n_samples)
    with torch.set_grad_enabled(wants_gradients):
        fast = model(mel, audio)
        plainly.setattr(cpu_coupling, "runs_here", lambda _: False)
        plain = model(mel, audio)
    assert torch.allclose(fast.z, plain.z, atol=1e-5)
    assert torch.allclose(fast.log_det, plain.log_det, rtol=1e-5)


def test_what_is_kept_ready_follows_the_weights(
    model: WaveGlow, plainly: pytest.MonkeyPatch
) -> None:
    audio, mel = sound_and_mel()
    results = []
    with torch.no_grad():
        results.append(model(mel, audio).z)
        for weight in model.parameters():  # as an optimizer changes them
            weight.mul_(1.01)
        results.append(model(mel, audio).z)
        for weight in model.parameters():  # as they are loaded, and moved
            weight.data = 1.01 * weight.data
        results.append(model(mel, audio).z)
        assert torch.equal(model(mel, audio).z, results[-1])
        plainly.setattr(cpu_coupling, "runs_here", lambda _: False)
        assert torch.allclose(model(mel, audio).z, results[-1], atol=1e-5)
    assert not torch.allclose(results[0], results[1], atol=1e-3)
    assert not torch.allclose(results[1], results[2], atol=1e-3)


def test_one_path_undoes_the_other(model: WaveGlow, plainly: pytest.MonkeyPatch) -> None:
    audio, mel = sound_and_mel()
    with torch.no_grad():
        z = model(mel, audio).z
        plainly.setattr(cpu_coupling, "runs_here", lambda _: False)
        assert torch.allclose(model.inverse(mel, z), audio, rtol=0, atol=1e-4)


def test_gradients_are_the_same(model: WaveGlow, plainly: pytest.MonkeyPatch) -> None:
    audio, mel = sound_and_mel()

    def gradients() -> dict[str, Tensor]:
        model.zero_grad()
        model(mel, audio).loss.backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    fast = gradients()
    plainly.setattr(cpu_coupling, "runs_here", lambda _: False)
    for name, expected in gradients().items():
        assert torch.allclose(fast[name], expected, rtol=1e-3, atol=1e-5), name


def test_half_precision_takes_the_plain_path() -> None:
    assert cpu_coupling.runs_here(torch.zeros(1))
    assert not cpu_coupling.runs_here(torch.zeros(1, dtype=torch.bfloat16))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not cpu_coupling.runs_here(torch.zeros(1))


@pytest.mark.parametrize("n_groups", [7, 16, 48])
def test_conditions_are_added_as_they_lie_between_frames(n_groups: int) -> None:
    projected, hidden = torch.randn(2, 3, 4), torch.randn(2, 3, n_groups)
    expected = hidden + between_frames(projected, 16)[..., :n_groups]
    added = cpu_coupling.add_conditions(hidden.clone(), projected, 16)
    assert torch.allclose(added, expected, atol=1e-6)


@pytest.mark.parametrize("dilation", [1, 3, 8])
@pytest.mark.parametrize("n_steps", [1, 30, 96])
def test_winograds_convolution_is_a_dilated_one(n_steps: int, dilation: int) -> None:
    layer = torch.nn.Conv1d(5, 6, 3, dilation=dilation, padding=dilation, bias=False).double()
    x, n_rows = torch.randn(5, n_steps).double(), 96
    seen = torch.nn.functional.pad(x, (dilation, dilation + n_rows - n_steps)).T.contiguous()
    made = torch.ones(n_rows, 6).double()
    with torch.no_grad():
        add_convolved(made, seen, combined_taps(layer.weight), dilation=dilation)
        assert torch.allclose(made[:n_steps] - 1.0, layer(x).T, rtol=0, atol=1e-12)


def test_winograds_convolution_keeps_single_precision() -> None:
    """At the published size: within a few roundings of what is summed up in double precision."""
    layer = torch.nn.Conv1d(256, 512, 3, padding=1, bias=False)
    x = torch.randn(256, 64)
    seen = torch.nn.functional.pad(x, (1, 1)).T.contiguous()
    made = torch.zeros(64, 512)
    with torch.no_grad():
        add_convolved(made, seen, combined_taps(layer.weight), dilation=1)
        expected = layer.double()(x.double()).T
    assert (made - expected).abs().max() < 5e-6 * expected.abs().max()


def test_blocks_are_the_whole(model: WaveGlow, plainly: pytest.MonkeyPatch) -> None:
    audio, mel = sound_and_mel()
    with torch.no_grad():
        whole = model(mel, audio).z
        plainly.setattr(cpu_inference, "BLOCK_ROWS", 1)
        assert torch.allclose(model(mel, audio).z, whole, atol=1e-5)


def test_a_long_mel_is_cut_to_the_audio(model: WaveGlow, plainly: pytest.MonkeyPatch) -> None:
    audio, mel = voiced_sound(2 * 256, batch_size=1), torch.randn(1, 80, 40)
    with torch.no_grad():
        fast = model(mel, audio).z
        plainly.setattr(cpu_coupling, "runs_here", lambda _: False)
        assert torch.allclose(fast, model(mel, audio).z, atol=1e-5)


def test_gates_are_a_tanh_times_a_sigmoid() -> None:
    both = torch.linspace(-4.0, 4.0, 40).view(1, 4, 10)
    expected = both[:, :2].double().tanh() * both[:, 2:].double().sigmoid()
    rows = both[0].T * torch.tensor([2.0, 2.0, 1.0, 1.0])
    assert torch.allclose(cpu_coupling.gated(both).double(), expected, rtol=0, atol=1e-6)
    negative = cpu_inference.negative_gates(rows).double()
    assert torch.allclose(-negative, expected[0].T, rtol=0, atol=1e-6)
