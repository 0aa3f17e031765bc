"""How far the times of words are from those that forced alignment finds in the audio."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.data.alignment import PhoneTimes, align, make_decoder
from pipeline.speech import Sentence, Speech


def timing_deviations(speeches: Sequence[Speech]) -> np.ndarray:
    """Return how much later each word is said to begin and to end than it is heard to.

    Returns:
        [words, 2] seconds. Sentences in which the recognizer finds no path, and those with words
        read letter by letter, are left out.
    """
    decoder = make_decoder([sentence.tokens for one in speeches for sentence in one.sentences])
    deviations: list[tuple[float, float]] = []
    for speech in speeches:
        for sentence in speech.sentences:
            times = align(decoder, sentence.tokens, sentence.audio, speech.sample_rate)
            if times is not None:
                seconds = len(sentence.audio) / speech.sample_rate
                deviations += _of_sentence(sentence, times, seconds)
    return np.array(deviations).reshape(-1, 2)


def _of_sentence(
    sentence: Sentence, times: PhoneTimes, seconds: float
) -> list[tuple[float, float]]:
    heard = {}  # when each token with phones is
    phones = iter(times)
    for index, token in enumerate(sentence.tokens):
        if token.phones:
            of_token = next(phones)
            heard[index] = (of_token[0].start, of_token[-1].end)
    deviations = []
    said = sentence.words_from(0.0, seconds=seconds)
    for word, place in zip(said, sentence.written_words, strict=True):
        intervals = [heard[index] for index in place.tokens if index in heard]
        deviations.append((word.start - intervals[0][0], word.end - intervals[-1][1]))
    return deviations
