"""The decoder's steps for one sentence on a CPU, in numpy."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pipeline.tacotron2.decoder import Decoder, Memory
from pipeline.tacotron2.output import DecoderOutput


class NumpyDecoder:
    """The same steps in numpy, float32.

    The context is a mean of encoded symbols, and all that it goes into is linear in it. So what
    each symbol adds there, X values, is computed once for the text, and a step takes means of that.
    """

    def __init__(self, decoder: Decoder, memory: Memory) -> None:
        config, attention = decoder.config, decoder.attention
        first, second = decoder.attention_rnn, decoder.decoder_rnn
        self.config = config
        self.n_symbols = memory.encoded.shape[1]
        self.prenet = [_array(layer.weight) for layer in decoder.prenet]
        # What each matrix is given: its own part, then the context.
        output = torch.cat([decoder.projection.weight, decoder.gate.weight])
        own = (config.prenet_size, first.hidden_size, second.hidden_size)
        weights = [first.weight_ih, second.weight_ih, output]
        of_context = torch.cat([weight[:, n:] for weight, n in zip(weights, own, strict=True)])
        self.context = _array(memory.encoded[0] @ of_context.T)  # [N, X]
        biases = [first.bias_ih + first.bias_hh, second.bias_ih + second.bias_hh]
        self.bias = _array(torch.cat([*biases, decoder.projection.bias, decoder.gate.bias]))  # [X]
        self.ends = np.cumsum([len(weight) for weight in weights])[:2]  # that part X in three
        self.attention_rnn = _array(torch.cat([first.weight_ih[:, : own[0]], first.weight_hh], 1))
        self.decoder_rnn = _array(torch.cat([second.weight_ih[:, : own[1]], second.weight_hh], 1))
        self.output = _array(output[:, : own[2]])
        # The convolution over past weights and the layer after it, as one matrix [2 * kernel, A].
        location = attention.location_dense.weight @ attention.location_conv.weight.flatten(1)
        self.location = _array(location.T)
        self.keys = _array(memory.keys[0])  # [N, A]
        self.query = _array(attention.query_layer.weight)
        self.energy = _array(attention.v.weight[0] * config.attention_sharpness)
        self._start()

    def _start(self) -> None:
        config = self.config
        self.last_frame = np.zeros(config.audio.n_mels, dtype=np.float32)
        self.attention_hidden = np.zeros(config.attention_rnn_size, dtype=np.float32)
        self.attention_cell = np.zeros_like(self.attention_hidden)
        self.decoder_hidden = np.zeros(config.decoder_rnn_size, dtype=np.float32)
        self.decoder_cell = np.zeros_like(self.decoder_hidden)
        self.read = self.bias
        reach = config.location_kernel // 2
        self.history = np.zeros((2, self.n_symbols + 2 * reach), dtype=np.float32)
        # [2, N, kernel], a view: the last weights and their sum so far, around each symbol
        self.around = np.lib.stride_tricks.sliding_window_view(
            self.history, config.location_kernel, axis=1
        )
        self.place = 0
        self.outputs: list[np.ndarray] = []
        self.weights: list[np.ndarray] = []

    def step(self, dropout: Tensor, held: Tensor | None) -> tuple[float, bool]:
        """Decode the next r frames, as `StepDecoder` has it."""
        seen = self.last_frame
        for weight, factor in zip(self.prenet, dropout[:, 0].numpy(), strict=True):
            seen = np.maximum(weight @ seen, 0.0) * factor
        given = np.concatenate([seen, self.attention_hidden])
        self.attention_hidden, self.attention_cell = lstm_step(
            self.attention_rnn @ given + self.read[: self.ends[0]], self.attention_cell
        )
        self.attend(self.query @ self.attention_hidden, held)
        given = np.concatenate([self.attention_hidden, self.decoder_hidden])
        self.decoder_hidden, self.decoder_cell = lstm_step(
            self.decoder_rnn @ given + self.read[self.ends[0] : self.ends[1]], self.decoder_cell
        )
        return self.put(self.output @ self.decoder_hidden + self.read[self.ends[1] :])

    def attend(self, query: np.ndarray, held: Tensor | None = None) -> None:
        """Read the text by what the attention's query [A] finds, or by held weights [1, N]."""
        weights = self._weights_for(query) if held is None else held[0].numpy()
        self._remember(weights)
        self.read = self._read_by(weights)
        self.weights.append(weights)

    def put(self, output: np.ndarray) -> tuple[float, bool]:
        """Keep the output [r * M + 1] of a step; return what `step` does."""
        self.last_frame = output[-1 - self.config.audio.n_mels : -1]
        self.outputs.append(output)
        return float(output[-1]), self.place == self.n_symbols - 1

    def result(self) -> DecoderOutput:
        """Return what was decoded so far."""
        outputs = torch.from_numpy(np.stack(self.outputs))  # [T / r, r * M + 1]
        frames = outputs[:, :-1].reshape(-1, self.config.audio.n_mels)
        alignment = torch.from_numpy(np.stack(self.weights))
        return DecoderOutput(frames.T[None], outputs[None, :, -1], alignment[None])

    def _weights_for(self, query: np.ndarray) -> np.ndarray:
        """Return the weights [N], sharpened and near the last place, as `Decoder` has them."""
        window = self.config.attention_window or self.n_symbols
        near = slice(max(0, self.place - window), self.place + window + 1)
        around = self.around[:, near].transpose(1, 0, 2)
        location = around.reshape(len(around), -1) @ self.location  # [places, A]
        mixed = np.tanh(location + self.keys[near] + query)
        energies = mixed @ self.energy
        likely = np.exp(energies - energies.max())
        weights = np.zeros(self.n_symbols, dtype=np.float32)
        weights[near] = likely / likely.sum()
        return weights

    def _read_by(self, weights: np.ndarray) -> np.ndarray:
        """Return what a step is told of the text, [X], from the symbols that have any weight."""
        places = weights.nonzero()[0]
        first, end = (places[0], places[-1] + 1) if len(places) else (0, 0)
        told: np.ndarray = weights[first:end] @ self.context[first:end] + self.bias
        return told

    def _remember(self, weights: np.ndarray) -> None:
        reach = self.config.location_kernel // 2
        self.history[0, reach : reach + self.n_symbols] = weights
        self.history[1, reach : reach + self.n_symbols] += weights
        self.place = int(weights.argmax())


def _array(weights: Tensor | torch.nn.Module) -> np.ndarray:
    assert isinstance(weights, Tensor)
    return np.ascontiguousarray(weights.detach().float().numpy())


def lstm_step(gates: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return hidden and cell state [..., H] of an LSTM cell whose gates are given [..., 4 H]."""
    size = cell.shape[-1]
    sigmoids = 0.5 * np.tanh(0.5 * gates) + 0.5
    enter, forget, leave = (sigmoids[..., k * size : (k + 1) * size] for k in (0, 1, 3))
    cell = forget * cell + enter * np.tanh(gates[..., 2 * size : 3 * size])
    return leave * np.tanh(cell), cell
