"""Tacotron 2's weights under NVIDIA's names, which NeMo shares except for the embedding's."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

import torch
from torch import Tensor

from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig
from pipeline.pretrained.named_weights import NamedWeights
from pipeline.tacotron2 import Tacotron2, Tacotron2Config

_OURS_TO_PUBLISHED = {  # first that fits; what none fits has the same name in both
    r"^((encoder|postnet)\.convolutions\.\d+)\.conv\.": r"\1.0.conv.",
    r"^((encoder|postnet)\.convolutions\.\d+)\.norm\.": r"\1.1.",
    r"^decoder\.prenet\.(\d)\.": r"decoder.prenet.layers.\1.linear_layer.",
    r"^decoder\.attention\.(query_layer|memory_layer|v)\.": (
        r"decoder.attention_layer.\1.linear_layer."
    ),
    r"^decoder\.attention\.location_conv\.": (
        "decoder.attention_layer.location_layer.location_conv.conv."
    ),
    r"^decoder\.attention\.location_dense\.": (
        "decoder.attention_layer.location_layer.location_dense.linear_layer."
    ),
    r"^decoder\.projection\.": "decoder.linear_projection.linear_layer.",
    r"^decoder\.gate\.": "decoder.gate_layer.linear_layer.",
}
NEMO_EMBEDDING_SIZE = 512  # written into NeMo's model


def is_tacotron2(names: Mapping[str, Tensor]) -> bool:
    """Say whether these are names of a Tacotron 2 in either layout."""
    return any(name.endswith("decoder.gate_layer.linear_layer.weight") for name in names)


def tacotron2_from_published(
    weights: Mapping[str, Tensor], audio: AudioConfig, *, source: str
) -> Tacotron2:
    """Return our Tacotron 2 with published weights, in eval mode.

    Args:
        weights: By their published names.
        audio: The mels that the model was trained on.
        source: What the file is called in errors.

    Raises:
        PipelineError: A weight is missing, left over or misshapen, or the model predicts several
            frames a step, which NVIDIA's prenet sees in another way than ours.
    """
    named = NamedWeights(weights, _canonical, source)
    model = Tacotron2(_infer_config(named, audio, source))
    filled = {}
    for name, tensor in model.state_dict().items():
        published = published_name(name)
        if name.endswith("num_batches_tracked") and published not in named:
            filled[name] = torch.zeros_like(tensor)  # torch before 0.4.1 did not count batches
        else:
            filled[name] = named.take(published, tensor.shape)
    named.check()
    model.load_state_dict(filled)
    return model.eval()


def tacotron2_to_nemo(model: Tacotron2) -> dict[str, Tensor]:
    """Return the weights under NeMo's names; the embedding as it is.

    Raises:
        PipelineError: The model has parts that NeMo's Tacotron 2 has not.
    """
    config = model.config
    if (config.mel_mean, config.mel_std) != (0.0, 1.0):
        raise PipelineError(
            f"NeMo's Tacotron 2 cannot hold this model: its mels are standardized by mean "
            f"{config.mel_mean} and deviation {config.mel_std}, expected 0 and 1; "
            "train with --size full to export"
        )
    if config.embedding_size != NEMO_EMBEDDING_SIZE:
        raise PipelineError(
            f"NeMo's Tacotron 2 cannot hold this model: its embedding_size is "
            f"{config.embedding_size}, expected {NEMO_EMBEDDING_SIZE}; train with --size full"
        )
    weights = {published_name(name): tensor for name, tensor in model.state_dict().items()}
    weights["text_embedding.weight"] = weights.pop("embedding.weight")
    energies = published_name("decoder.attention.v.weight")
    weights[energies] = weights[energies] * config.attention_sharpness  # energies are linear in it
    first = "decoder.prenet.layers.0.linear_layer.weight"
    # NeMo's prenet sees all r frames of the last step, ours the last of them.
    unseen = torch.zeros(config.prenet_size, config.audio.n_mels * (config.reduction - 1))
    weights[first] = torch.cat([unseen, weights[first]], dim=1)
    return weights


def published_name(name: str) -> str:
    """Return NVIDIA's name of one of our weights."""
    for ours, published in _OURS_TO_PUBLISHED.items():
        if re.search(ours, name):
            return re.sub(ours, published, name)
    return name


def _canonical(name: str) -> str:
    return re.sub(r"^text_embedding\.", "embedding.", re.sub(r"^(module\.(1\.)?)+", "", name))


def _infer_config(named: NamedWeights, audio: AudioConfig, source: str) -> Tacotron2Config:
    def shape(ours: str) -> torch.Size:
        return named.shape(published_name(ours))

    n_symbols, embedding_size = shape("embedding.weight")
    prenet_size, n_mels = shape("decoder.prenet.0.weight")
    n_outputs = shape("decoder.projection.weight")[0]
    if n_outputs != n_mels:
        raise PipelineError(
            f"{source} predicts {n_outputs} values a step from {n_mels}; expected as many: "
            "several frames a step are not supported in published layouts"
        )
    channels, _, location_kernel = shape("decoder.attention.location_conv.weight")
    postnet_channels, _, postnet_kernel = shape("postnet.convolutions.0.conv.weight")
    try:
        return Tacotron2Config(
            audio=dataclasses.replace(audio, n_mels=n_mels),
            n_symbols=n_symbols,
            embedding_size=embedding_size,
            encoder_layers=named.count("encoder.convolutions.{}.0.conv.weight"),
            encoder_kernel=shape("encoder.convolutions.0.conv.weight")[2],
            prenet_size=prenet_size,
            attention_rnn_size=shape("decoder.attention_rnn.weight_hh")[1],
            decoder_rnn_size=shape("decoder.decoder_rnn.weight_hh")[1],
            attention_size=shape("decoder.attention.query_layer.weight")[0],
            location_channels=channels,
            location_kernel=location_kernel,
            postnet_channels=postnet_channels,
            postnet_layers=named.count("postnet.convolutions.{}.0.conv.weight"),
            postnet_kernel=postnet_kernel,
        )
    except ValueError as error:
        raise PipelineError(f"{source} holds no Tacotron 2 that can be built: {error}") from error
