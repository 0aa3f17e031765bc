"""What NeMo's configs say of mels, and the configs that NeMo builds our models from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig, mel_filterbank
from pipeline.tacotron2.config import Tacotron2Config
from pipeline.waveglow import WaveGlowConfig

_FEATURES = "nemo.collections.asr.parts.preprocessing.features.FilterbankFeatures"
_TACOTRON2 = "nemo.collections.tts.modules.tacotron2"
_PAD_VALUE = -11.52  # natural log of the mels' floor, as NeMo pads a batch
_PREFIX = "audio_to_melspec_precessor."  # NeMo's spelling


def mel_settings(config: Mapping[str, Any], weights: dict[str, Tensor], source: str) -> AudioConfig:
    """Return the mels that a NeMo model was trained on, and take its featurizer's tensors out.

    Args:
        config: Of the archive; older ones keep arguments under `params`.
        weights: Of the archive; the window and the filters are removed from it.
        source: What the file is called in errors.

    Raises:
        PipelineError: The mels are not log magnitudes as ours, or the archive's filters differ
            from what its settings say.
    """
    section = config.get("preprocessor")
    section = section.get("params", section) if isinstance(section, Mapping) else None
    if not isinstance(section, Mapping):
        raise PipelineError(f"{source} says nothing of its mels: no preprocessor in its config")
    try:
        rate = int(section.get("sample_rate", 16_000))
        audio = AudioConfig(
            sample_rate=rate,
            n_fft=int(section.get("n_fft") or section["n_window_size"]),
            hop_length=int(section["n_window_stride"]),
            n_mels=int(section.get("nfilt") or section.get("features") or 64),
            mel_min_hz=float(section.get("lowfreq") or 0),
            mel_max_hz=float(section.get("highfreq") or rate / 2),
            magnitude_floor=float(section["log_zero_guard_value"]),
        )
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        raise PipelineError(f"{source} has mel settings that do not hold: {error}") from error
    expected = {
        "n_window_size": audio.n_fft,
        "mag_power": 1.0,
        "log": True,
        "log_zero_guard_type": "clamp",
        "preemph": None,
        "normalize": None,
        "window": "hann",
    }
    for name, value in expected.items():
        if section.get(name, value) != value:
            raise PipelineError(
                f"{source} was trained on mels with {name} {section[name]}, expected {value}; "
                "our mels have no such setting"
            )
    _take_featurizer(weights, audio, source)
    return audio


def _take_featurizer(weights: dict[str, Tensor], audio: AudioConfig, source: str) -> None:
    for name in [name for name in weights if name.startswith(_PREFIX)]:
        tensor = weights.pop(name)
        kind = name.rpartition(".")[2]
        if kind == "fb":
            filters = torch.from_numpy(mel_filterbank(audio))
            if tensor.squeeze(0).shape != filters.shape or not torch.allclose(
                tensor.squeeze(0).float(), filters, atol=1e-6
            ):
                raise PipelineError(
                    f"{source}: the filters in it are not those of {audio}; "
                    "which of the two it was trained with is unknown"
                )
        elif kind != "window":
            raise PipelineError(f"{source} holds {name}, which no featurizer has")


def featurizer(audio: AudioConfig) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the config and the tensors of NeMo's featurizer for our mels.

    NeMo's Hann window is symmetric, ours periodic; of all else the mels are the same.
    """
    config = {
        "_target_": _FEATURES,
        "sample_rate": audio.sample_rate,
        "n_window_size": audio.n_fft,
        "n_window_stride": audio.hop_length,
        "window": "hann",
        "normalize": None,
        "n_fft": audio.n_fft,
        "preemph": None,
        "nfilt": audio.n_mels,
        "lowfreq": audio.mel_min_hz,
        "highfreq": audio.mel_max_hz,
        "log": True,
        "log_zero_guard_type": "clamp",
        "log_zero_guard_value": audio.magnitude_floor,
        "dither": 0.0,
        "pad_to": 1,
        "frame_splicing": 1,
        "pad_value": _PAD_VALUE,
        "mag_power": 1.0,
    }
    filters = np.array(mel_filterbank(audio))[None]  # [1, M, K]
    window = torch.hann_window(audio.n_fft, periodic=False)
    return config, {f"{_PREFIX}window": window, f"{_PREFIX}fb": torch.from_numpy(filters)}


def waveglow_config(config: WaveGlowConfig) -> dict[str, Any]:
    """Return the config from which NeMo builds a WaveGlow of our size."""
    return {
        "target": "nemo.collections.tts.models.waveglow.WaveGlowModel",
        "sigma": 1.0,
        "preprocessor": featurizer(config.audio)[0],
        "waveglow": {
            "_target_": "nemo.collections.tts.modules.waveglow.WaveGlowModule",
            "n_mel_channels": config.audio.n_mels,
            "n_flows": config.n_flows,
            "n_group": config.n_group,
            "n_early_every": config.n_early_every,
            "n_early_size": config.n_early_size,
            "n_wn_channels": config.n_channels,
            "n_wn_layers": config.n_layers,
            "wn_kernel_size": config.kernel_size,
        },
    }


def tacotron2_config(config: Tacotron2Config, labels: list[str]) -> dict[str, Any]:
    """Return the config from which NeMo builds a Tacotron 2 of our size.

    Args:
        config: Sizes.
        labels: What its symbols are called; NeMo adds three of its own behind them.
    """
    return {
        "target": "nemo.collections.tts.models.tacotron2.Tacotron2Model",
        "labels": labels,
        "preprocessor": featurizer(config.audio)[0],
        "encoder": {
            "_target_": f"{_TACOTRON2}.Encoder",
            "encoder_n_convolutions": config.encoder_layers,
            "encoder_embedding_dim": config.embedding_size,
            "encoder_kernel_size": config.encoder_kernel,
        },
        "decoder": {
            "_target_": f"{_TACOTRON2}.Decoder",
            "n_mel_channels": config.audio.n_mels,
            "n_frames_per_step": config.reduction,
            "encoder_embedding_dim": config.embedding_size,
            "attention_dim": config.attention_size,
            "attention_location_n_filters": config.location_channels,
            "attention_location_kernel_size": config.location_kernel,
            "attention_rnn_dim": config.attention_rnn_size,
            "decoder_rnn_dim": config.decoder_rnn_size,
            "prenet_dim": config.prenet_size,
            "max_decoder_steps": 1_000,
            "gate_threshold": 0.5,
            "p_attention_dropout": 0.1,
            "p_decoder_dropout": 0.1,
            "early_stopping": True,
        },
        "postnet": {
            "_target_": f"{_TACOTRON2}.Postnet",
            "n_mel_channels": config.audio.n_mels,
            "postnet_embedding_dim": config.postnet_channels,
            "postnet_kernel_size": config.postnet_kernel,
            "postnet_n_convolutions": config.postnet_layers,
            "p_dropout": 0.5,
        },
        # NeMo looks here before it parses a text; there is nothing to train on.
        "train_ds": {
            "dataset": {"_target_": "nemo.collections.asr.data.audio_to_text.AudioToCharDataset"},
            "defer_setup": True,
        },
    }
