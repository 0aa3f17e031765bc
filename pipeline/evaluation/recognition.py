"""Whether speech is intelligible: what a recognizer hears, and which prompt it takes it for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pipeline.audio import resample, to_pcm
from text import normalize

RECOGNIZER_RATE = 16_000  # Hz
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")


@dataclass(frozen=True, kw_only=True)
class Intelligibility:
    """What a recognizer made of several clips."""

    word_error_rate: float  # errors of all clips / words of all prompts
    n_identified: int  # clips whose own prompt is the nearest to what was heard
    n_clips: int


def recognize(audio: np.ndarray, sample_rate: int) -> str:
    """Return the words that pocketsphinx hears, with its own English models; "" for none.

    Each call stands alone: the recognizer adapts to nothing that it heard before.

    Args:
        audio: [S] float in [-1, 1].
        sample_rate: Of the audio, in Hz.
    """
    pcm = to_pcm(resample(audio, sample_rate, RECOGNIZER_RATE)).tobytes()
    decoder = _decoder()
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return "" if hypothesis is None else " ".join(_words(hypothesis.hypstr))


def words_of_prompt(prompt: str) -> list[str]:
    """Return a prompt's words as a recognizer writes them: lower case, normalized, no marks."""
    return _words(normalize(prompt))


def identify(heard: str, prompts: Sequence[str]) -> int:
    """Return the index of the prompt nearest to what was heard, by word edit distance.

    Of prompts equally near the first is taken.
    """
    distances = [_n_errors(words_of_prompt(prompt), heard.split()) for prompt in prompts]
    return int(np.argmin(distances))


def intelligibility(heard: Sequence[str], prompts: Sequence[str]) -> Intelligibility:
    """Score what was heard of each clip against its prompt.

    Args:
        heard: From `recognize`, one for each clip.
        prompts: What each clip should say.
    """
    references = [words_of_prompt(prompt) for prompt in prompts]
    taken_for = [references[identify(hypothesis, prompts)] for hypothesis in heard]
    n_errors = sum(
        _n_errors(reference, hypothesis.split())
        for reference, hypothesis in zip(references, heard, strict=True)
    )
    return Intelligibility(
        word_error_rate=n_errors / sum(map(len, references)),
        n_identified=sum(a == b for a, b in zip(taken_for, references, strict=True)),
        n_clips=len(prompts),
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _n_errors(reference: list[str], hypothesis: list[str]) -> int:
    import jiwer

    if not reference:
        return len(hypothesis)
    counts = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    return int(counts.substitutions + counts.deletions + counts.insertions)


@cache
def _decoder() -> Any:
    from pocketsphinx import Decoder

    # Batch normalization of the cepstra: the default carries the mean over from call to call.
    return Decoder(samprate=RECOGNIZER_RATE, cmn="batch", loglevel="FATAL")
