"""Small models with random weights, and sound that is enough like speech, for several tests."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pipeline.mel import AudioConfig
from pipeline.tacotron2 import Tacotron2, Tacotron2Config
from pipeline.waveglow import WaveGlow, WaveGlowConfig
from pipeline.waveglow.flow import Flow

PUBLISHED_SHAPE = WaveGlowConfig(n_channels=16, n_layers=3)  # flows and exits as published
FEW_MELS = AudioConfig(n_mels=8)  # keeps files small: the upsampling has 1,024 taps a mel and mel
SMALL_FILE = WaveGlowConfig(audio=FEW_MELS, n_channels=16, n_layers=3)
WAVEGLOW_CONFIGS = {
    "published shape": PUBLISHED_SHAPE,
    "alternate couplings": WaveGlowConfig(n_channels=8, n_layers=2, couplings="alternate"),
    "linear prediction": WaveGlowConfig(
        n_flows=4,
        n_group=16,
        n_layers=3,
        n_channels=12,
        conditioning="interpolate",
        conditioning_channels=10,
        prediction_order=22,
    ),
    "pitch pulses": WaveGlowConfig(
        n_flows=4,
        n_group=16,
        n_layers=2,
        n_channels=12,
        conditioning="interpolate",
        conditioning_channels=10,
        pulses=True,
    ),
    "large groups": WaveGlowConfig(
        n_flows=5, n_group=32, n_early_every=2, n_early_size=4, n_layers=2, n_channels=8
    ),
    "one flow": WaveGlowConfig(n_flows=1, n_layers=1, n_channels=4, kernel_size=5),
}
TINY_TACOTRON2 = Tacotron2Config(
    embedding_size=16,
    encoder_layers=2,
    prenet_size=12,
    attention_rnn_size=20,
    decoder_rnn_size=24,
    attention_size=8,
    location_channels=4,
    location_kernel=5,
    postnet_channels=14,
    postnet_layers=3,
)


def random_waveglow(config: WaveGlowConfig, seed: int = 0) -> WaveGlow:
    """Return a WaveGlow whose couplings do something: an untrained one's are the identity."""
    torch.manual_seed(seed)
    model = WaveGlow(config).eval()
    with torch.no_grad():
        for flow in model.flows:
            assert isinstance(flow, Flow)
            bound = 0.3 / math.sqrt(config.n_channels)
            torch.nn.init.uniform_(flow.coupling.end.weight, -bound, bound)
            torch.nn.init.uniform_(flow.coupling.end.bias, -0.05, 0.05)
            if flow.coupling.pulses is not None:
                torch.nn.init.uniform_(flow.coupling.pulses.weight, -bound, bound)
            matrix = flow.invertible_conv
            matrix += 0.02 * torch.randn_like(matrix)  # no longer a pure rotation
    return model


def random_tacotron2(config: Tacotron2Config = TINY_TACOTRON2, seed: int = 0) -> Tacotron2:
    """Return a Tacotron 2 in eval mode whose normalizations have something to do."""
    torch.manual_seed(seed)
    model = Tacotron2(config).eval()
    for name, tensor in model.state_dict().items():
        if name.endswith("running_mean"):
            tensor.uniform_(-0.2, 0.2)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 2.0)
    return model


def voiced_sound(n_samples: int, *, batch_size: int = 1, seed: int = 0) -> Tensor:
    """Return [B, S] float32: a gliding pitch with formant-like decay, and breath."""
    generator = torch.Generator().manual_seed(seed)
    seconds = torch.arange(n_samples, dtype=torch.float64) / AudioConfig().sample_rate
    pitch_hz = 110.0 + 60.0 * torch.rand(batch_size, 1, generator=generator, dtype=torch.float64)
    phase = 2 * math.pi * (pitch_hz * seconds + 20.0 * seconds**2)  # [B, S]
    tones = sum((torch.sin(k * phase) / k for k in range(1, 20)), torch.zeros_like(phase))
    breath = torch.randn(batch_size, n_samples, generator=generator, dtype=torch.float64)
    return (0.1 * tones + 0.01 * breath).float()
