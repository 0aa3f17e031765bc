"""Several sentences decoded side by side on a CPU, in numpy.

For a single sentence, a step reads all weights from memory for one product each. Side by side,
they are read once for all sentences; the attention, whose text differs, is each sentence's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from pipeline.tacotron2.decoder import Decoder, Memory
from pipeline.tacotron2.inference import EndDetector
from pipeline.tacotron2.numpy_decoder import NumpyDecoder, lstm_step
from pipeline.tacotron2.output import DecoderOutput, Ending

# Sentences at a time. Products always have so many rows, full or not: a row's numbers then depend
# on nothing else. With more rows BLAS treats the last ones differently.
SLOTS = 8


def decode_together(
    decoder: Decoder,
    memories: Sequence[Memory],
    n_steps: Sequence[int],
    generators: Sequence[torch.Generator],
) -> list[tuple[DecoderOutput, Ending]]:
    """Decode sentences from their own frames, each to the same numbers whatever the others are.

    The numbers are those of `inference.decode` up to rounding.

    Args:
        decoder: The model, on a CPU and not in training.
        memories: The texts, at most `SLOTS`; those of similar length waste the least.
        n_steps: How many steps each is allowed.
        generators: Where each one's dropout of the prenet comes from.
    """
    size = decoder.config.prenet_size
    dropouts = np.zeros((max(n_steps), len(decoder.prenet), SLOTS, size), dtype=np.float32)
    for slot, (allowed, generator) in enumerate(zip(n_steps, generators, strict=True)):
        shape = (allowed, len(decoder.prenet), 1, size)
        dropouts[:allowed, :, slot] = decoder.dropout(shape, generator)[:, :, 0].numpy()
    steps = _BatchSteps(decoder, memories)
    detectors = [EndDetector(decoder.config.reduction) for _ in memories]
    endings: dict[int, Ending] = {}
    for n_done, dropout in enumerate(dropouts, 1):
        speaking = [slot for slot in range(len(memories)) if slot not in endings]
        for slot, (gate_logit, at_end) in steps.step(dropout, speaking).items():
            ending = detectors[slot].ending(gate_logit, at_end)
            if ending or n_done == n_steps[slot]:
                endings[slot] = ending or "limit"
        if len(endings) == len(memories):
            break
    return [(text.result(), endings[slot]) for slot, text in enumerate(steps.texts)]


class _BatchSteps:
    """The state of all sentences, [SLOTS, ...], and the texts that they read."""

    def __init__(self, decoder: Decoder, memories: Sequence[Memory]) -> None:
        config = decoder.config
        self.texts = [NumpyDecoder(decoder, memory) for memory in memories]
        self.model = self.texts[0]  # the weights are the same in all
        self.last_frame = _zeros(config.audio.n_mels)
        self.attention_hidden = _zeros(config.attention_rnn_size)
        self.attention_cell = _zeros(config.attention_rnn_size)
        self.decoder_hidden = _zeros(config.decoder_rnn_size)
        self.decoder_cell = _zeros(config.decoder_rnn_size)
        self.read = np.tile(self.model.bias, (SLOTS, 1))

    def step(self, dropout: np.ndarray, speaking: Sequence[int]) -> dict[int, tuple[float, bool]]:
        """Decode the next r frames of the slots that speak; return what `StepDecoder.step` does.

        Args:
            dropout: [2, SLOTS, P] for the prenet.
            speaking: Those slots; what becomes of the others is of no account.
        """
        model, (first, second) = self.model, self.model.ends
        seen = self.last_frame
        for weight, factor in zip(model.prenet, dropout, strict=True):
            seen = np.maximum(seen @ weight.T, 0.0) * factor
        given = np.concatenate([seen, self.attention_hidden], axis=1)
        self.attention_hidden, self.attention_cell = lstm_step(
            given @ model.attention_rnn.T + self.read[:, :first], self.attention_cell
        )
        queries = self.attention_hidden @ model.query.T
        for slot in speaking:
            self.texts[slot].attend(queries[slot])
            self.read[slot] = self.texts[slot].read
        given = np.concatenate([self.attention_hidden, self.decoder_hidden], axis=1)
        self.decoder_hidden, self.decoder_cell = lstm_step(
            given @ model.decoder_rnn.T + self.read[:, first:second], self.decoder_cell
        )
        outputs = self.decoder_hidden @ model.output.T + self.read[:, second:]
        self.last_frame = outputs[:, -1 - self.last_frame.shape[1] : -1]
        return {slot: self.texts[slot].put(outputs[slot]) for slot in speaking}


def _zeros(size: int) -> np.ndarray:
    return np.zeros((SLOTS, size), dtype=np.float32)
