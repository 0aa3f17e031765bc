"""What a synthesizer returns: audio, with all that is known of how it came about."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.audio import write_audio
from pipeline.options import SpeechOptions
from pipeline.words import HeardSentence, Word, symbol_edges, timed_words
from text import Segment, Token, pronounce, token_symbols
from text.lexicon import Lexicon
from text.written_words import WrittenWord, written_words

if TYPE_CHECKING:  # an engine that does without torch returns speech too
    from pipeline.tacotron2.output import Ending

PAUSE_SECONDS = 0.25  # between sentences


def pause_after(segments: Sequence[Segment], index: int) -> float:
    """Return the seconds of silence after a segment, at the rate of 1.

    Args:
        segments: All of a text.
        index: Which of them.
    """
    is_last = index == len(segments) - 1
    return max(segments[index].pause_seconds, 0.0 if is_last else PAUSE_SECONDS)


def with_pauses(
    segments: Iterable[Segment], options: SpeechOptions
) -> Iterator[tuple[Segment, float]]:
    """Yield each segment and the seconds of silence after it, once the next one is there."""
    for segment, following in pairwise(chain(segments, [None])):
        assert segment is not None
        near = [segment] if following is None else [segment, following]
        yield segment, pause_after(near, 0) / options.rate


def sentence_seed(seed: int, index: int, purpose: str) -> int:
    """Return the seed of one sentence and purpose, so that either model can run alone."""
    digest = hashlib.sha256(f"{seed}/{index}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence as it was spoken; its audio is hop_length samples for each mel frame."""

    segment: Segment
    tokens: tuple[Token, ...]
    symbols: tuple[str, ...]  # of the tokens, between the voice's boundary symbols
    mel: np.ndarray  # [80, T] float32, natural log
    alignment: np.ndarray  # [decoder steps, N] float32
    ending: Ending
    audio: np.ndarray  # [S] float32
    pause_frames: int  # of silence after it
    index: int  # place in the text; part of what seeds its noise
    mel_seed: int  # what the mel was made with; re-voicing changes only the seed of the noise
    predict_seconds: float  # what Tacotron 2 took
    vocode_seconds: float  # what WaveGlow and the denoiser took

    @property
    def written(self) -> str:
        """The sentence as it stands in the text."""
        return self.segment.written

    @property
    def text(self) -> str:
        """The sentence normalized."""
        return self.segment.text

    @property
    def letters(self) -> tuple[str, ...]:
        """Words in no dictionary that are read letter by letter."""
        return tuple(token.written for token in self.tokens if token.source == "letters")

    @cached_property
    def written_words(self) -> tuple[WrittenWord, ...]:
        """The words as they were written, and the tokens that say each."""
        return tuple(written_words(self.segment, self.tokens))

    def words_from(self, start: float, *, seconds: float) -> list[Word]:
        """Return the words with their times.

        Args:
            start: When the sentence begins, in seconds.
            seconds: How long it is, without the pause after it.
        """
        edges = start + seconds * symbol_edges(self.alignment)
        n_symbols = sum(len(token.symbols) for token in self.tokens)
        n_before = (len(self.symbols) - n_symbols) // 2  # boundary symbols stand at both ends
        edges = edges[n_before : n_before + n_symbols + 1]
        return timed_words(self.written, self.written_words, self.tokens, edges)


def read_sentence(
    segment: Segment,
    index: int,
    options: SpeechOptions,
    *,
    pause_frames: int,
    boundary_symbol: str,
    lexicon: Lexicon | None,
) -> Sentence:
    """Return a sentence as it is to be spoken, without mel and audio."""
    tokens = tuple(pronounce(segment.text, lexicon=lexicon))
    boundary = tuple(boundary_symbol)
    read = (symbol for of_token in token_symbols(tokens) for symbol in of_token)
    return Sentence(
        segment=segment,
        tokens=tokens,
        symbols=(*boundary, *read, *boundary),
        mel=np.zeros((0, 0), dtype=np.float32),
        alignment=np.zeros((0, 0), dtype=np.float32),
        ending="gate",
        audio=np.zeros(0, dtype=np.float32),
        pause_frames=pause_frames,
        index=index,
        mel_seed=options.seed,
        predict_seconds=0.0,
        vocode_seconds=0.0,
    )


@dataclass(frozen=True, kw_only=True)
class Speech:
    """One or more sentences with the pauses between them."""

    sentences: tuple[Sentence, ...]
    voice: str
    options: SpeechOptions  # none is left open
    sample_rate: int
    hop_length: int
    silence: float  # the log mel of silence
    notices: tuple[str, ...] = field(default=())

    @property
    def audio(self) -> np.ndarray:
        """Float32 [S] in [-1, 1], S = hop_length * T."""
        parts = [
            np.pad(sentence.audio, (0, sentence.pause_frames * self.hop_length))
            for sentence in self.sentences
        ]
        return np.concatenate(parts)

    @property
    def mel(self) -> np.ndarray:
        """Float32 [80, T], natural log; pauses are silence."""
        parts = [
            np.pad(sentence.mel, ((0, 0), (0, sentence.pause_frames)), constant_values=self.silence)
            for sentence in self.sentences
        ]
        return np.concatenate(parts, axis=1)

    @property
    def alignment(self) -> np.ndarray:
        """Float32 [decoder steps, N]: the sentences' alignments, corner to corner."""
        blocks = [sentence.alignment for sentence in self.sentences]
        n_steps, n_symbols = np.sum([block.shape for block in blocks], axis=0)
        whole = np.zeros((n_steps, n_symbols), dtype=np.float32)
        step = symbol = 0
        for block in blocks:
            whole[step : step + block.shape[0], symbol : symbol + block.shape[1]] = block
            step, symbol = step + block.shape[0], symbol + block.shape[1]
        return whole

    @property
    def starts(self) -> list[float]:
        """When each sentence begins, in seconds."""
        frames = [one.mel.shape[1] + one.pause_frames for one in self.sentences]
        return [n * self.hop_length / self.sample_rate for n in accumulate(frames[:-1], initial=0)]

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of the text, each with the time when it is heard."""
        return tuple(word for words in self._words() for word in words)

    def heard(self) -> Iterator[HeardSentence]:
        """Yield each sentence with its words, which know their places in it."""
        for sentence, words in zip(self.sentences, self._words(), strict=True):
            placed = [
                replace(word, begin=place.start, stop=place.end)
                for word, place in zip(words, sentence.written_words, strict=True)
            ]
            yield HeardSentence(sentence.written, tuple(placed))

    def _words(self) -> Iterator[list[Word]]:
        """Yield the words of each sentence."""
        for sentence, start in zip(self.sentences, self.starts, strict=True):
            seconds = sentence.mel.shape[1] * self.hop_length / self.sample_rate
            yield sentence.words_from(start, seconds=seconds)

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        frames = sum(int(s.mel.shape[1]) + s.pause_frames for s in self.sentences)
        return frames * self.hop_length / self.sample_rate

    @property
    def taken_seconds(self) -> float:
        """What both models took."""
        return sum(s.predict_seconds + s.vocode_seconds for s in self.sentences)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line for everything that a listener should know."""
        lines = list(self.notices)
        for sentence in self.sentences:
            if sentence.ending == "limit":
                lines.append(f"Ran into its length limit and may be cut: {sentence.text!r}")
            if sentence.letters:
                lines.append(
                    f"Not in the dictionary, read letter by letter: {', '.join(sentence.letters)}"
                )
        return tuple(dict.fromkeys(lines))

    def save(self, path: Path | str) -> None:
        """Write the audio as 16-bit wav, flac, ogg or mp3, by the suffix."""
        write_audio(Path(path), self.audio, self.sample_rate)


class AudioPiece(NamedTuple):
    """Audio that follows the piece before it, of any length, also none."""

    audio: np.ndarray  # [S] float32
    sample_rate: int
    speech: Speech | None = None  # the sentence that has ended here, with the pause after it

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return len(self.audio) / self.sample_rate


def as_piece(speech: Speech) -> AudioPiece:
    """Return all of a speech as one piece."""
    return AudioPiece(speech.audio, speech.sample_rate, speech)


def join(parts: Iterable[Speech]) -> Speech:
    """Return one Speech of all sentences, in order: what `stream` gave as `speak` gives it."""
    speeches = list(parts)
    first = speeches[0]
    return Speech(
        sentences=tuple(sentence for part in speeches for sentence in part.sentences),
        voice=first.voice,
        options=first.options,
        sample_rate=first.sample_rate,
        hop_length=first.hop_length,
        silence=first.silence,
        notices=tuple(dict.fromkeys(notice for part in speeches for notice in part.notices)),
    )
