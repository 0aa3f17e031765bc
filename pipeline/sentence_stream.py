"""The audio of one sentence while its mel is still being decoded."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.mel_levels import MelLevels
from pipeline.mel_shaping import match_levels, stretch
from pipeline.tacotron2 import Tacotron2
from pipeline.tacotron2.output import Ending
from pipeline.tacotron2.streaming import look_ahead, stream_mel
from pipeline.vocoder import StreamingVocoder, Vocoder
from pipeline.windows import cut, growing

FIRST_FRAMES = 16  # of the first piece of audio, 0.19 s; each that follows has twice as many, up to
MOST_FRAMES = 256  # 3 s


class Manner(NamedTuple):
    """How a sentence is spoken."""

    speaker: int
    levels: MelLevels | None
    rate: float
    sigma: float
    denoise: float


class Predicted(NamedTuple):
    """What Tacotron 2 made of a sentence."""

    mel: Tensor  # [1, M, T], as it is vocoded
    alignment: Tensor  # [1, decoder steps, N]
    ending: Ending
    seconds: float  # that it took


class _Recorder:
    """Pieces of a mel on their way, which keeps them and the time that they took."""

    def __init__(self, mels: Iterator[Tensor]) -> None:
        self._mels = mels
        self.kept: list[Tensor] = []
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Tensor]:
        while True:
            started = time.perf_counter()
            mel = next(self._mels, None)
            self.seconds += time.perf_counter() - started
            if mel is None:
                return
            self.kept.append(mel)
            yield mel


def stream_sentence(
    tacotron2: Tacotron2,
    vocoder: Vocoder,
    symbol_ids: Tensor,
    manner: Manner,
    *,
    prenet_generator: torch.Generator,
    noise_generator: torch.Generator,
) -> Iterator[Tensor | Predicted]:
    """Yield audio [1, S] in pieces, each as soon as it is settled, and then what was predicted.

    With a vocoder that must see a mel to its end, there is one piece.

    Args:
        tacotron2: The predictor.
        vocoder: Of the same mels.
        symbol_ids: [1, N].
        manner: How to speak.
        prenet_generator: Where the randomness of the predictor comes from.
        noise_generator: Where that of the vocoder comes from.
    """
    held_back = look_ahead(tacotron2.config)
    vocoder_ahead = 0
    if isinstance(vocoder, StreamingVocoder):
        vocoder_ahead = vocoder.look_ahead(denoise=manner.denoise)
        held_back += round(manner.rate * vocoder_ahead)
    endings: list[tuple[Tensor, Ending]] = []  # one, when the decoder has ended
    mels = stream_mel(
        tacotron2,
        symbol_ids,
        speaker=manner.speaker,
        generator=prenet_generator,
        piece_frames=_lengths(held_back),
        on_end=lambda alignment, ending: endings.append((alignment, ending)),
    )
    mels = match_levels((mel.float() for mel in mels), manner.levels)
    recorder = _Recorder(stretch(mels, manner.rate))
    sigma, denoise, generator = manner.sigma, manner.denoise, noise_generator
    if isinstance(vocoder, StreamingVocoder):
        pieces = cut(recorder, _lengths(vocoder_ahead))  # a short sentence comes whole
        yield from vocoder.stream(pieces, sigma=sigma, denoise=denoise, generator=generator)
    else:
        mel = torch.cat(list(recorder), dim=-1)
        yield vocoder.vocode(mel, sigma=sigma, denoise=denoise, generator=generator)
    alignment, ending = endings[0]
    yield Predicted(torch.cat(recorder.kept, dim=-1), alignment, ending, recorder.seconds)


def _lengths(held_back: int) -> Iterator[int]:
    """Return how many frames go in at a time, where some are held back before the first sound."""
    return growing(held_back + FIRST_FRAMES, step=FIRST_FRAMES, longest=MOST_FRAMES)
