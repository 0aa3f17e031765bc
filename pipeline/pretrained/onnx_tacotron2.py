"""Tacotron 2 as ONNX: one graph from symbols to the decoder's frames, one of the postnets.

The decoder's steps are a `Loop`, which ends where ours does. Between the two graphs noise is drawn:
how much is known only when the number of frames is.
"""

from __future__ import annotations

import math

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from pipeline.pretrained.onnx_flow_postnet import follow_flow
from pipeline.pretrained.onnx_graph import Graph, Value
from pipeline.pretrained.onnx_layers import array, convolution, linear
from pipeline.tacotron2 import Tacotron2
from pipeline.tacotron2.convolutions import NormedConvolution
from pipeline.tacotron2.decoder import Decoder
from pipeline.tacotron2.output import steps_at_end_allowed
from pipeline.tacotron2.prosody import Prosody


def frames_graph(model: Tacotron2) -> onnx.ModelProto:
    """Return the graph of encoder and decoder.

    Inputs: symbol_ids [1, N] int64; speaker [1] int64, of a model that has speakers; dropout
    [steps, 2, P] for the prenet, 0 or 2 each: as many steps are made at most. Outputs: frames
    [1, M, T] standardized, before the postnet; contexts [1, T / r, D]; gate_logits [1, T / r],
    above 0 where speech has ended; alignment [1, T / r, N]; attention_ended [] bool, whether the
    attention has been at the last symbol for so long that speech has ended.
    """
    config, graph = model.config, Graph()
    encoded = _encode(graph, model)  # [1, N, D]
    dropout = graph.input("dropout", np.float32, ["steps", 2, config.prenet_size])
    outputs, alignment, attention_ended = _decode(graph, model.decoder, encoded, dropout)
    n_mels = config.audio.n_mels
    frames = outputs.cut(0, -1, axis=2).reshape(1, -1, n_mels).transpose(0, 2, 1)
    gate_logits = outputs.cut(-1, None, axis=2).reshape(1, -1)
    graph.output("frames", frames, [1, n_mels, "frames"])
    graph.output("contexts", alignment @ encoded, [1, "taken_steps", config.embedding_size])
    graph.output("gate_logits", gate_logits, [1, "taken_steps"])
    graph.output("alignment", alignment, [1, "taken_steps", "symbols"])
    graph.output("attention_ended", attention_ended, [], np.bool_)
    return graph.model("Tacotron 2: from symbols to frames, before the postnet")


def postnet_graph(model: Tacotron2) -> onnx.ModelProto:
    """Return the graph of the postnets.

    Inputs: frames [1, M, T] as the decoder makes them; of a model with a flow postnet, contexts
    [1, T / r, D] and noise [1, M, T] of a standard normal distribution. Output: mel [1, M, T],
    natural logarithm.
    """
    config, graph = model.config, Graph()
    frames = graph.input("frames", np.float32, [1, config.audio.n_mels, "frames"])
    x = frames
    for i, layer in enumerate(model.postnet.convolutions):
        x = _normed_convolution(layer, x)
        if i < len(model.postnet.convolutions) - 1:
            x = graph.op("Tanh", x)
    mel = frames + x
    if model.flow_postnet is not None:
        mel = follow_flow(model.flow_postnet, mel)
    mel = mel * config.mel_std + config.mel_mean
    graph.output("mel", mel, [1, config.audio.n_mels, "frames"])
    return graph.model("Tacotron 2: its postnets, from frames to the mel")


def _normed_convolution(layer: nn.Module, x: Value) -> Value:
    """Return what a convolution makes of [1, C, L] whose weights have its normalization in them."""
    assert isinstance(layer, NormedConvolution)
    norm, conv = layer.norm, layer.conv
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert conv.bias is not None
    factor = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    weight = conv.weight.double() * factor[:, None, None]
    bias = (conv.bias.double() - norm.running_mean.double()) * factor + norm.bias.double()
    reach = conv.kernel_size[0] // 2
    return x.graph.op("Conv", x, array(weight), array(bias), pads=[reach, reach])


def _encode(graph: Graph, model: Tacotron2) -> Value:
    """Return what the decoder reads, [1, N, D]."""
    symbol_ids = graph.input("symbol_ids", np.int64, [1, "symbols"])
    x = graph.op("Gather", array(model.embedding.weight), symbol_ids).transpose(0, 2, 1)
    for layer in model.encoder.convolutions:
        x = graph.op("Relu", _normed_convolution(layer, x))
    lstm = model.encoder.lstm
    names = [f"{kind}_l0{way}" for kind in ("weight_ih", "weight_hh") for way in ("", "_reverse")]
    weights = [_onnx_gates(array(getattr(lstm, name))) for name in names]
    names = [f"bias_{part}_l0{way}" for way in ("", "_reverse") for part in ("ih", "hh")]
    biases = [_onnx_gates(array(getattr(lstm, name))) for name in names]
    states = graph.op(
        "LSTM",
        x.transpose(2, 0, 1),  # [N, 1, D]
        np.stack(weights[:2]),
        np.stack(weights[2:]),
        np.concatenate(biases).reshape(2, -1),
        direction="bidirectional",
        hidden_size=lstm.hidden_size,
    )  # [N, 2, 1, D / 2]
    encoded = states.reshape(1, -1, model.config.embedding_size)
    if model.speaker is not None:
        speaker = graph.input("speaker", np.int64, [1])
        encoded = encoded + graph.op("Gather", array(model.speaker.weight), speaker)
    if model.prosody is not None:
        encoded = encoded + _prosody(model.prosody, encoded)
    return encoded


def _onnx_gates(weights: np.ndarray) -> np.ndarray:
    """Return the gates of an LSTM, [4 H, ...], in the order of ONNX: in, out, forget, cell."""
    enter, forget, cell, leave = np.split(weights, 4)
    return np.concatenate([enter, leave, forget, cell])


def _prosody(prosody: Prosody, encoded: Value) -> Value:
    """Return what the predicted prosody adds to encoded symbols, [1, N, D]."""
    x = encoded
    for layer, norm in zip(prosody.layers, prosody.norms, strict=True):
        assert isinstance(norm, nn.LayerNorm)
        x = x.graph.op("Relu", convolution(layer, x.transpose(0, 2, 1))).transpose(0, 2, 1)
        scale, bias = array(norm.weight), array(norm.bias)
        x = x.graph.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=norm.eps)
    spoken = linear(prosody.output, x) * array(prosody.scale)
    return convolution(prosody.embedding, spoken.transpose(0, 2, 1)).transpose(0, 2, 1)


def _decode(
    graph: Graph, decoder: Decoder, encoded: Value, dropout: Value
) -> tuple[Value, Value, Value]:
    """Return outputs [1, steps, r * M + 1], alignment [1, steps, N] and its having ended [].

    The context is a mean of encoded symbols, and what it goes into is linear in it: as in
    `NumpyDecoder`, that is computed once for each symbol.
    """
    config, attend = decoder.config, _Attention(graph, decoder, encoded)
    first, second = decoder.attention_rnn, decoder.decoder_rnn
    output = torch.cat([decoder.projection.weight, decoder.gate.weight])
    output_bias = torch.cat([decoder.projection.bias, decoder.gate.bias])
    read = [
        encoded.reshape(-1, config.embedding_size) @ array(weight[:, own:]).T + array(bias)
        for weight, own, bias in (
            (first.weight_ih, config.prenet_size, first.bias_ih + first.bias_hh),
            (second.weight_ih, first.hidden_size, second.bias_ih + second.bias_hh),
            (output, second.hidden_size, output_bias),
        )
    ]  # [N, X] each; weights that sum to one leave a bias as it is
    before = array(first.bias_ih + first.bias_hh)[None]  # the first step has read nothing
    allowed = steps_at_end_allowed(config.reduction)

    def step(number: Value, *state: Value) -> tuple[Value, list[Value], list[Value]]:
        seen, hidden, cell, hidden_2, cell_2, read_before, weights, cumulative, at_end = state
        kept = graph.op("Gather", dropout, number)  # [2, P]
        for i, layer in enumerate(decoder.prenet):
            seen = graph.op("Relu", linear(layer, seen)) * kept.cut(i, i + 1, axis=0)
        own = torch.cat([first.weight_ih[:, : config.prenet_size], first.weight_hh], 1)
        hidden, cell = _lstm_step(graph, own, [seen, hidden], read_before, cell)
        weights = attend(hidden, weights, cumulative)  # [1, N]
        read_before, read_2, read_output = (weights @ part for part in read)
        own = torch.cat([second.weight_ih[:, : first.hidden_size], second.weight_hh], 1)
        hidden_2, cell_2 = _lstm_step(graph, own, [hidden, hidden_2], read_2, cell_2)
        made = hidden_2 @ array(output[:, : second.hidden_size]).T + read_output
        is_last = graph.op("Equal", _place(weights), attend.n_symbols - 1)
        at_end = graph.op("Where", is_last, at_end + 1, [0])
        ends = graph.op("Or", made.cut(-1, None, axis=1).reshape(1) > 0.0, at_end > allowed)
        seen = made.cut(-1 - config.audio.n_mels, -1, axis=1)
        following = [seen, hidden, cell, hidden_2, cell_2, read_before]
        following += [weights, cumulative + weights, at_end]
        return graph.op("Not", ends).scalar(), following, [made, weights]

    sizes = [config.audio.n_mels, *[first.hidden_size] * 2, *[second.hidden_size] * 2]
    state = [graph.constant(np.zeros((1, size), np.float32)) for size in sizes]
    nothing = graph.op("Expand", 0.0, graph.op("Concat", [1], attend.n_symbols, axis=0))
    state += [graph.constant(before), nothing, nothing, graph.constant([0])]
    last, (outputs, alignment) = graph.loop(dropout.size(0), state, step, n_yielded=2)
    outputs = outputs.transpose(1, 0, 2)
    return outputs, alignment.transpose(1, 0, 2), (last[-1] > allowed).scalar()


def _lstm_step(
    graph: Graph, weight: Tensor, given: list[Value], read: Value, cell: Value
) -> tuple[Value, Value]:
    """Return hidden and cell state [1, H] of an LSTM cell, whose context is `read` [1, 4 H]."""
    gates = graph.op("Concat", *given, axis=1) @ array(weight).T + read
    enter, forget, candidate, leave = graph.ops("Split", 4, gates, axis=1, num_outputs=4)
    kept = graph.op("Sigmoid", forget) * cell
    cell = kept + graph.op("Sigmoid", enter) * graph.op("Tanh", candidate)
    return graph.op("Sigmoid", leave) * graph.op("Tanh", cell), cell


def _place(weights: Value) -> Value:
    """Return where weights [1, N] are greatest, [1]; 0 where all are 0."""
    return weights.graph.op("ArgMax", weights, axis=1, keepdims=0)


class _Attention:
    """The weights of a step: sharpened, and near the last place."""

    def __init__(self, graph: Graph, decoder: Decoder, encoded: Value) -> None:
        attention = decoder.attention
        self.graph, self.config = graph, decoder.config
        self.n_symbols = encoded.size(1)  # [1]
        self.keys = linear(attention.memory_layer, encoded).transpose(0, 2, 1)  # [1, A, N]
        # The convolution over past weights and the layer after it are one: [A, 2, kernel].
        dense, location = attention.location_dense.weight, attention.location_conv.weight
        self.location = graph.constant(array(torch.einsum("ac,cik->aik", dense, location)))
        self.query = attention.query_layer
        self.energy = graph.constant(array(attention.v.weight * decoder.config.attention_sharpness))
        self.places = graph.op("Range", 0, self.n_symbols.scalar(), 1)  # [N]

    def __call__(self, query: Value, weights: Value, cumulative: Value) -> Value:
        """Return weights [1, N] for a query [1, H] after those of the last step and their sum."""
        graph, reach = self.graph, self.config.location_kernel // 2
        history = graph.op("Concat", weights, cumulative, axis=0).reshape(1, 2, -1)
        location = graph.op("Conv", history, self.location, pads=[reach, reach])  # [1, A, N]
        mixed = graph.op("Tanh", location + self.keys + linear(self.query, query).reshape(1, -1, 1))
        energies = (self.energy @ mixed).reshape(1, -1)
        if self.config.attention_window:
            distance = graph.op("Abs", self.places - _place(weights))
            is_far = distance > self.config.attention_window
            energies = graph.op("Where", is_far, -math.inf, energies)
        return graph.op("Softmax", energies, axis=1)
