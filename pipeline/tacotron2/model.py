"""Tacotron 2: symbol ids to log-mel frames, by attention over the encoded text.

    symbol_ids [B, N] -> encoder, speaker, prosody [B, N, D] -> decoder, r frames a step
        -> postnet -> flow postnet -> mel [B, M, T]

Source: Shen et al. 2018 (arXiv:1712.05884). Where the paper and NVIDIA's published weights
differ (dropout on the LSTMs' outputs, one gate a step, no bias in the attention), we follow the
weights. Speaker, prosody and flow postnet are not in the paper, and off in the published sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.mel import AudioConfig
from pipeline.tacotron2.batch_decoder import decode_together
from pipeline.tacotron2.config import Tacotron2Config
from pipeline.tacotron2.convolutions import Postnet, is_within
from pipeline.tacotron2.decoder import Decoder, Memory
from pipeline.tacotron2.encoder import Encoder
from pipeline.tacotron2.flow_postnet import FlowPostnet
from pipeline.tacotron2.inference import GATE_THRESHOLD, decode
from pipeline.tacotron2.output import DecoderOutput, Ending
from pipeline.tacotron2.prosody import Prosody
from pipeline.windows import draw_noise


class TeacherForced(NamedTuple):
    """What the decoder predicts when it is given the recorded frames."""

    decoded: Tensor  # [B, M, T]: before the postnet
    mel: Tensor  # [B, M, T]: after it
    gate_logits: Tensor  # [B, T / r]: positive where speech has ended
    alignment: Tensor  # [B, T / r, N]
    prosody: Tensor | None  # [B, N, 2]: as predicted from the text


class Prediction(NamedTuple):
    """What the decoder says on its own."""

    mel: Tensor  # [1, M, T]
    mean_mel: Tensor  # [1, M, T]: before the flow postnet
    contexts: Tensor  # [1, T / r, D]: what the decoder read
    gate_logits: Tensor  # [1, T / r]
    alignment: Tensor  # [1, T / r, N]
    ending: Ending


class Tacotron2(nn.Module):
    """Encoder, decoder and postnets."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.n_symbols, config.embedding_size)
        bound = (6.0 / (config.n_symbols + config.embedding_size)) ** 0.5
        nn.init.uniform_(self.embedding.weight, -bound, bound)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.postnet = Postnet(config)
        d = config.embedding_size
        self.speaker = nn.Embedding(config.n_speakers, d) if config.n_speakers else None
        self.prosody = Prosody(d, config.prosody_channels) if config.prosody_channels else None
        self.flow_postnet = FlowPostnet(config) if config.flow_channels else None

    def forward(
        self,
        symbol_ids: Tensor,
        symbol_lengths: Tensor,
        mel: Tensor,
        frame_lengths: Tensor,
        *,
        speaker_ids: Tensor | None = None,
        prosody: Tensor | None = None,
        teacher_mel: Tensor | None = None,
        held_alignment: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> TeacherForced:
        """Predict each group of r frames from the text and the recorded frames before it.

        Args:
            symbol_ids: [B, N], padded with anything.
            symbol_lengths: [B].
            mel: [B, M, T] recorded frames, T a multiple of r.
            frame_lengths: [B]: valid frames.
            speaker_ids: [B], where the model has speakers.
            prosody: [B, N, 2] as recorded, to speak with instead of the predicted one.
            teacher_mel: [B, M, T] seen by the prenet instead of `mel`, where training hides frames.
            held_alignment: [B, T / r, N] of known weights for the decoder to read the text by; the
                attention's own, returned, are then what it would have read, step by step.
            generator: Where the prenet's dropout comes from; the global one if None.

        Raises:
            ValueError: T is not a multiple of r.
        """
        n_frames, r = mel.shape[-1], self.config.reduction
        if n_frames % r:
            raise ValueError(f"{n_frames} frames are not a multiple of the reduction factor {r}")
        memory, predicted = self.encode(symbol_ids, symbol_lengths, speaker_ids, prosody)
        teacher = self._standardize(mel if teacher_mel is None else teacher_mel)
        previous = F.pad(teacher[..., r - 1 :: r], (1, -1)).permute(2, 0, 1)  # [T / r, B, M]
        if held_alignment is None:
            decoded, gate_logits, alignment = self.decoder(previous, memory, generator)
        else:
            decoded, gate_logits, alignment = self.decoder.forward_held(
                previous, memory, held_alignment, generator
            )
        is_valid = is_within(frame_lengths, n_frames)[:, None]  # [B, 1, T]
        refined = decoded + self.postnet(decoded, is_valid)
        mels = self.restore(decoded), self.restore(refined)
        return TeacherForced(*mels, gate_logits, alignment, predicted)

    @torch.no_grad()
    def infer(
        self,
        symbol_ids: Tensor,
        *,
        speaker: int = 0,
        prosody: Tensor | None = None,
        generator: torch.Generator | None = None,
        gate_threshold: float = GATE_THRESHOLD,
        max_frames: int | None = None,
        held_alignment: Tensor | None = None,
    ) -> Prediction:
        """Speak one sentence.

        Args:
            symbol_ids: [1, N].
            speaker: Which of the model's speakers.
            prosody: [1, N, 2] to speak with instead of the predicted one.
            generator: Where the prenet's dropout and the flow's noise come from, on the CPU.
            gate_threshold: Probability of the gate at which speech has ended.
            max_frames: Limit; by default one that scales with the text (`frame_limit`).
            held_alignment: [1, T / r, N] of known weights, to speak in step with a recording.

        Returns:
            The mel and how it ended: by the gate, by the attention having reached the last symbol
            and stayed there, or by the limit, which is the end of a held alignment.
        """
        memory, held = self.read(symbol_ids, speaker, prosody=prosody, max_frames=max_frames)
        if held_alignment is not None:
            held, gate_threshold = held_alignment.unbind(1), 1.0
        output, ending = decode(
            self.decoder, memory, held, gate_threshold=gate_threshold, generator=generator
        )
        return self._refined(memory, output, ending, generator)

    @torch.no_grad()
    def infer_together(
        self,
        symbol_ids: Sequence[Tensor],
        *,
        speaker: int = 0,
        generators: Sequence[torch.Generator],
    ) -> list[Prediction]:
        """Speak at most `SLOTS` sentences, decoded side by side on the CPU.

        Args:
            symbol_ids: [1, N] each; the lengths may differ.
            speaker: Which of the model's speakers.
            generators: For each sentence what `infer` takes.

        Returns:
            What `infer` returns for each, up to rounding, and whatever the others are.
        """
        texts = [self.read(ids, speaker) for ids in symbol_ids]
        memories = [memory for memory, _ in texts]
        decoded = decode_together(
            self.decoder, memories, [len(held) for _, held in texts], generators
        )
        return [
            self._refined(memory, output, ending, generator)
            for memory, (output, ending), generator in zip(
                memories, decoded, generators, strict=True
            )
        ]

    def _refined(
        self,
        memory: Memory,
        output: DecoderOutput,
        ending: Ending,
        generator: torch.Generator | None,
    ) -> Prediction:
        """Return a prediction from the decoder's frames, by way of the postnets."""
        is_valid = torch.ones_like(output.frames[:, :1], dtype=torch.bool)
        mean = mel = output.frames + self.postnet(output.frames, is_valid)
        contexts = torch.bmm(output.alignment, memory.encoded)
        if self.flow_postnet is not None:
            shape = (1, mean.shape[1], 1)
            noise = draw_noise(shape, mean.shape[-1], generator=generator).to(mean)
            mel = self.flow_postnet(mean, contexts, is_valid, noise=noise)
        mels = self.restore(mel), self.restore(mean)
        return Prediction(*mels, contexts, output.gate_logits, output.alignment, ending)

    def read(
        self,
        symbol_ids: Tensor,
        speaker: int,
        *,
        prosody: Tensor | None = None,
        max_frames: int | None = None,
    ) -> tuple[Memory, Sequence[Tensor | None]]:
        """Return a text [1, N] as the decoder reads it, and no held weights for each step allowed.

        Other arguments are those of `infer`.
        """
        n_symbols = symbol_ids.shape[1]
        speaker_ids = torch.tensor([speaker], device=symbol_ids.device)
        memory, _ = self.encode(symbol_ids, torch.tensor([n_symbols]), speaker_ids, prosody)
        limit = frame_limit(n_symbols, self.config.audio) if max_frames is None else max_frames
        return memory, [None] * max(1, limit // self.config.reduction)

    def _standardize(self, mel: Tensor) -> Tensor:
        return (mel - self.config.mel_mean) / self.config.mel_std

    def restore(self, standard: Tensor) -> Tensor:
        """Return the mel of a standardized one, of which the model is made inside."""
        return standard * self.config.mel_std + self.config.mel_mean

    def encode(
        self,
        symbol_ids: Tensor,
        symbol_lengths: Tensor,
        speaker_ids: Tensor | None = None,
        prosody: Tensor | None = None,
    ) -> tuple[Memory, Tensor | None]:
        """Return what the decoder reads, and the predicted prosody [B, N, 2] if there is any."""
        encoded = self.encoder(self.embedding(symbol_ids), symbol_lengths)
        is_valid = is_within(symbol_lengths, symbol_ids.shape[1]).to(encoded.device)
        if self.speaker is not None:
            assert speaker_ids is not None
            encoded = encoded + self.speaker(speaker_ids)[:, None]
        predicted = None
        if self.prosody is not None:
            predicted = self.prosody(encoded, is_valid)
            spoken = predicted * self.prosody.scale if prosody is None else prosody
            encoded = encoded + self.prosody.embed(spoken)
        encoded = encoded * is_valid[..., None]
        return Memory(encoded, self.decoder.attention.memory_layer(encoded), ~is_valid), predicted


def frame_limit(n_symbols: int, audio: AudioConfig) -> int:
    """Return the frames after which a sentence of `n_symbols` must have ended.

    Slow speech has about 8 symbols a second; twice that time and two seconds more is a failure.
    """
    seconds = 2.0 + n_symbols / 4.0
    return int(seconds * audio.sample_rate / audio.hop_length)
