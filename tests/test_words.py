"""When words are heard: their share of the decoder's steps, over pauses, joins and rates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline import Synthesizer
from pipeline.evaluation.word_timings import timing_deviations
from pipeline.speech import join
from pipeline.words import Word, symbol_edges
from tests.steady_speech import steady_speech

TEXT = "Pay $5 now. Hi."
PROMPTS = Path(__file__).with_name("prompts.txt").read_text(encoding="utf-8").splitlines()


def test_words_know_what_stands_where_and_when() -> None:
    """`pay` has two phones, a symbol of 80 ms each, and a space; 0.25 s part the sentences."""
    words = steady_speech(TEXT).words
    assert [(word.written, word.spoken) for word in words] == [
        ("Pay", "Pay"),
        ("$5", "five dollars"),
        ("now", "now"),
        ("Hi", "Hi"),
    ]
    assert [TEXT[word.begin : word.stop] for word in words] == [word.written for word in words]
    assert words[0] == Word("Pay", "Pay", 0.0, pytest.approx(0.16), 0, 3)
    n_first = len(steady_speech(TEXT).sentences[0].symbols)
    assert words[-1].start == pytest.approx(0.08 * n_first + 0.25)
    assert words[-1].end == pytest.approx(words[-1].start + 0.16)


def test_boundary_symbols_of_a_voice_belong_to_no_word() -> None:
    plain, bounded = steady_speech(TEXT).words, steady_speech(TEXT, boundary=(" ",)).words
    assert bounded[0].start == pytest.approx(plain[0].start + 0.08)
    assert bounded[-1].start == pytest.approx(plain[-1].start + 3 * 0.08)


def test_a_step_that_reads_two_symbols_is_shared_among_them() -> None:
    alignment = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1], [0, 0, 1]], dtype=np.float32)
    np.testing.assert_allclose(symbol_edges(alignment), [0, 0.375, 0.5, 1])


def test_words_follow_rate_and_joined_parts(tiny_voice: Path) -> None:
    tts = Synthesizer.load(tiny_voice, device="cpu")
    whole, fast = tts.speak(TEXT), tts.speak(TEXT, rate=2.0)
    assert join(list(tts.stream(TEXT))).words == whole.words
    for slow_word, fast_word in zip(whole.words, fast.words, strict=True):
        assert fast_word.start == pytest.approx(slow_word.start / 2, abs=0.03)  # whole frames
        assert fast_word.end == pytest.approx(slow_word.end / 2, abs=0.03)
    for speech in (whole, fast):
        times = [time for word in speech.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert 0.0 <= times[0] <= times[-1] <= speech.seconds


@pytest.mark.voice
def test_words_are_heard_when_forced_alignment_hears_them() -> None:
    tts = Synthesizer.load("kathleen", device="cpu")
    deviations = timing_deviations([tts.speak(prompt) for prompt in PROMPTS[:20]])
    assert len(deviations) > 100
    assert np.median(np.abs(deviations)) <= 0.06
