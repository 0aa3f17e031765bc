"""Both models as ONNX say under onnxruntime what they say in torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor

from pipeline.mel import log_mel
from pipeline.pretrained.onnx_graph import OPSET
from pipeline.pretrained.onnx_tacotron2 import frames_graph, postnet_graph
from pipeline.pretrained.onnx_waveglow import vocoder_graph
from pipeline.tacotron2 import Tacotron2, Tacotron2Config
from pipeline.waveglow import WaveGlowConfig, WaveGlowVocoder
from pipeline.windows import draw_noise
from tests.tiny_models import (
    TINY_TACOTRON2,
    WAVEGLOW_CONFIGS,
    random_tacotron2,
    random_waveglow,
    voiced_sound,
)

TOLERANCE = 1e-4
ALL_PARTS = replace(
    TINY_TACOTRON2,
    reduction=3,
    attention_window=2,
    attention_sharpness=2.0,
    mel_mean=-5.0,
    mel_std=2.0,
    n_speakers=3,
    prosody_channels=6,
    flow_channels=10,
    flow_layers=3,
    flow_pause_level=-0.8,
    flow_steady_channels=20,
    pitch_channels=6,
)
OUR_VOCODER = replace(WAVEGLOW_CONFIGS["linear prediction"], pulses=True, matching_rounds=2)


def run(model: onnx.ModelProto, **values: np.ndarray) -> dict[str, np.ndarray]:
    """Return what onnxruntime's CPU provider makes of a model's inputs."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    given = {one.name: values[one.name] for one in session.get_inputs()}
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, given), strict=True))


def assert_same(ours: np.ndarray, expected: Tensor) -> None:
    assert ours.shape == tuple(expected.shape)
    np.testing.assert_allclose(ours, expected.numpy(), rtol=0, atol=TOLERANCE)


def check_vocoder(config: WaveGlowConfig, mel: Tensor, *, denoise: float) -> None:
    model = random_waveglow(config)
    generator = torch.Generator().manual_seed(3)
    noise = model.draw_noise(mel, generator=generator)
    audio = run(
        vocoder_graph(model),
        mel=mel.numpy(),
        noise=noise.numpy(),
        sigma=np.array(0.7, dtype=np.float32),
        denoise=np.array(denoise, dtype=np.float32),
    )["audio"]
    expected = WaveGlowVocoder(model).vocode(
        mel, sigma=0.7, denoise=denoise, generator=generator.manual_seed(3)
    )
    assert_same(audio, expected)


@pytest.mark.parametrize("config", [*WAVEGLOW_CONFIGS.values(), OUR_VOCODER])
def test_a_vocoder_as_onnx_makes_the_same_audio(config: WaveGlowConfig) -> None:
    check_vocoder(config, log_mel(voiced_sound(12 * 256 - 1)), denoise=0.1)


@pytest.mark.parametrize("n_frames", [1, 2, 3])
def test_audio_too_short_for_a_spectrum_stays_as_it_is(n_frames: int) -> None:
    mel = torch.randn(1, 80, n_frames, generator=torch.Generator().manual_seed(0))
    check_vocoder(OUR_VOCODER, mel, denoise=0.0)


@pytest.mark.parametrize("config", [TINY_TACOTRON2, ALL_PARTS])
@pytest.mark.parametrize("n_symbols", [1, 9, 30])
def test_a_predictor_as_onnx_makes_the_same_mel(config: Tacotron2Config, n_symbols: int) -> None:
    model = random_tacotron2(config)
    generator = torch.Generator().manual_seed(1)
    symbol_ids = torch.randint(config.n_symbols, (1, n_symbols), generator=generator)
    check_predictor(model, symbol_ids, max_frames=60, speaker=max(0, config.n_speakers - 1))


def check_predictor(model: Tacotron2, symbol_ids: Tensor, *, max_frames: int, speaker: int) -> None:
    generator = torch.Generator().manual_seed(0)
    expected = model.infer(symbol_ids, speaker=speaker, generator=generator, max_frames=max_frames)
    generator.manual_seed(0)
    shape = (max_frames // model.config.reduction, 2, model.config.prenet_size)
    frames = run(
        frames_graph(model),
        symbol_ids=symbol_ids.numpy(),
        speaker=np.array([speaker]),
        dropout=model.decoder.dropout(shape, generator).numpy(),
    )
    _, n_mels, n_frames = frames["frames"].shape
    noise = draw_noise((1, n_mels, 1), n_frames, generator=generator)
    given = {"frames": frames["frames"], "contexts": frames["contexts"], "noise": noise.numpy()}
    assert_same(run(postnet_graph(model), **given)["mel"], expected.mel)
    assert_same(frames["alignment"], expected.alignment)
    assert_same(frames["gate_logits"], expected.gate_logits)
    assert bool(frames["attention_ended"]) == (expected.ending == "attention")


def test_a_predictor_as_onnx_stops_at_the_gate() -> None:
    model = random_tacotron2()
    assert model.decoder.gate.bias is not None
    torch.nn.init.constant_(model.decoder.gate.bias, 5.0)
    symbol_ids = np.array([[5, 6, 7]])
    dropout = np.zeros((9, 2, model.config.prenet_size), dtype=np.float32)
    frames = run(frames_graph(model), symbol_ids=symbol_ids, dropout=dropout)
    assert frames["gate_logits"].shape == (1, 1)
    assert not frames["attention_ended"]


def all_nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    inside = [
        node
        for one in graph.node
        for attribute in one.attribute
        for node in (all_nodes(attribute.g) if attribute.HasField("g") else [])
    ]
    return [*graph.node, *inside]


def test_all_operators_are_those_of_the_standard_set() -> None:
    predictor = random_tacotron2(ALL_PARTS)
    vocoder = vocoder_graph(random_waveglow(OUR_VOCODER))
    for model in (frames_graph(predictor), postnet_graph(predictor), vocoder):
        assert [(one.domain, one.version) for one in model.opset_import] == [("", OPSET)]
        for node in all_nodes(model.graph):
            assert node.domain == ""
            assert onnx.defs.has(node.op_type)
