"""The sizes of a Tacotron 2."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.mel import AudioConfig


@dataclass(frozen=True, kw_only=True)
class Tacotron2Config:
    """Sizes of a Tacotron 2; the defaults are the published ones."""

    audio: AudioConfig = field(default_factory=AudioConfig)
    n_symbols: int = 148
    embedding_size: int = 512  # also the width of the encoder's convolutions and of its output
    encoder_layers: int = 3
    encoder_kernel: int = 5
    prenet_size: int = 256
    attention_rnn_size: int = 1_024
    decoder_rnn_size: int = 1_024
    attention_size: int = 128
    location_channels: int = 32
    location_kernel: int = 31
    postnet_channels: int = 512
    postnet_layers: int = 5
    postnet_kernel: int = 5
    convolution_dropout: float = 0.5  # in encoder and postnet, when training
    reduction: int = 1  # r: frames a decoder step
    attention_window: int = 0  # when speaking, symbols seen to each side of the last; 0 for all
    attention_sharpness: float = 1.0  # when speaking, energies are multiplied by this
    mel_mean: float = 0.0  # inside the model mels are (mel - mean) / std
    mel_std: float = 1.0
    n_speakers: int = 0  # 0: one speaker, without an embedding
    prosody_channels: int = 0  # of the predictor of pitch and energy; 0: there is none
    flow_channels: int = 0  # of the flow postnet; 0: there is none
    flow_layers: int = 8
    flow_kernel: int = 3
    flow_noise: float = 0.5  # standard deviation that the flow starts with, in units of mel_std
    flow_temperature: float = 1.0  # when speaking, that noise is multiplied by this
    flow_steps: int = 4  # of Euler's method, when speaking
    flow_pause_level: float | None = None  # frames below this mean level stay as predicted
    flow_steady_channels: int = 0  # channels below are drawn without noise, when speaking
    pitch_channels: int = 0  # of the predictor of the flow's pitch contour; 0: there is none

    def __post_init__(self) -> None:
        if self.embedding_size % 2:
            raise ValueError(f"embedding_size {self.embedding_size} is odd; two LSTMs share it")
        for name in ("encoder_kernel", "location_kernel", "postnet_kernel", "flow_kernel"):
            if getattr(self, name) % 2 == 0:
                raise ValueError(f"{name} {getattr(self, name)} is even; expected an odd one")
        if self.reduction < 1 or self.postnet_layers < 2:
            raise ValueError(
                f"reduction {self.reduction}, postnet_layers {self.postnet_layers}: "
                "expected at least 1 and 2"
            )
        if self.flow_steps < 1 or self.flow_noise <= 0 or self.flow_temperature < 0:
            raise ValueError(
                f"flow_steps {self.flow_steps}, flow_noise {self.flow_noise}, flow_temperature "
                f"{self.flow_temperature}: expected at least 1, above 0, and 0 or more"
            )
