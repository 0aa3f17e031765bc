"""Recording for a new voice: what is read, how takes are judged, where they are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, sosfilt

from app.takes import Takes
from pipeline.data.own_clips import read_prompts
from pipeline.data.recording_prompts import (
    MORE_PROMPTS_PATH,
    by_coverage,
    recording_prompts,
    units_of,
)
from pipeline.data.takes import judge_take
from pipeline.data.transcripts import find_sources
from tests.tiny_training import AUDIO, voiced
from text.symbols import CONSONANTS, VOWELS

RATE = AUDIO.sample_rate
TEXT = "We thought the path would be easier, though it was worth the effort."


def as_written() -> list[str]:
    return [*read_prompts(), *MORE_PROMPTS_PATH.read_text(encoding="utf-8").splitlines()]


def pairs(sentences: list[str]) -> set[tuple[str, ...]]:
    return {unit for sentence in sentences for unit in units_of(sentence) if len(unit) == 2}


def test_every_phone_of_english_comes_soon() -> None:
    first = recording_prompts()[:10]
    heard = {unit[0] for prompt in first for unit in units_of(prompt) if len(unit) == 1}
    assert heard == {*VOWELS, *CONSONANTS}


def test_the_order_holds_more_pairs_of_phones_than_the_list_as_written() -> None:
    prompts, written = list(recording_prompts()), as_written()
    assert sorted(prompts) == sorted(written)
    for n_read in (40, 60, 80):
        assert len(pairs(prompts[:n_read])) > 1.05 * len(pairs(written[:n_read]))


def test_a_sentence_that_adds_nothing_comes_last() -> None:
    assert by_coverage(["A red bed.", "A red bed, a red bed.", "Show you."])[-1].startswith("A red")


def take(seconds: float = 4.0, *, level: float = 1.0, noise: float = 0.0005) -> np.ndarray:
    """Return speech with half a second of the room before and after it."""
    rng = np.random.default_rng(0)
    room = rng.normal(0, noise, int((seconds + 1.0) * RATE))
    room[RATE // 2 : RATE // 2 + int(seconds * RATE)] += voiced(seconds)
    return (level * room).astype(np.float32)


def test_a_good_take_is_called_good() -> None:
    verdict = judge_take(take(), RATE, TEXT)
    assert verdict.is_good
    assert verdict.advice.startswith("Good: 5.0 s, ")
    assert verdict.advice.endswith("dB above the noise.")


def band_limited(audio: np.ndarray) -> np.ndarray:
    return np.asarray(sosfilt(butter(20, 3_400, fs=RATE, output="sos"), audio))


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (np.zeros(4 * RATE), "Nothing is heard"),
        (np.clip(8 * take(), -1, 1), "Too loud: "),
        (take(0.8), "too few for the whole sentence"),
        (np.pad(take(), (0, 20 * RATE)) + 1e-4 * voiced(25.0), "Stop soon after the last word"),
        (take(noise=0.05), "Noisy: the speech is only"),
        (band_limited(take()), "as over a telephone"),
        (take()[int(0.8 * RATE) :], "It begins within a word. Wait"),
        (take()[: -int(0.8 * RATE)], "It ends within a word. Wait"),
    ],
)
def test_what_is_wrong_with_a_take_is_said_at_once(audio: np.ndarray, words: str) -> None:
    verdict = judge_take(audio, RATE, TEXT)
    assert not verdict.is_good
    assert words in verdict.advice
    assert verdict.advice.endswith("Read it again.")


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (take(noise=0.01), "The room will be heard a little"),
        (take(level=0.05), "turn the microphone up"),
    ],
)
def test_a_take_that_could_be_better_is_kept_with_advice(audio: np.ndarray, words: str) -> None:
    verdict = judge_take(audio, RATE, TEXT)
    assert verdict.is_good
    assert words in verdict.advice


def test_takes_are_kept_replaced_taken_back_and_found_with_their_texts(tmp_path: Path) -> None:
    takes = Takes(tmp_path)
    recording = tmp_path / "microphone.wav"
    soundfile.write(recording, take(), RATE)
    assert takes.take_back("alice") is None
    for prompt in (3, 7, 3):
        takes.keep("alice", prompt, f"Sentence {prompt}.", recording)
    assert takes.kept("alice").prompts == {3, 7}
    assert takes.kept("alice").seconds == pytest.approx(10.0)
    found = {source.name: source.text for source in find_sources(tmp_path / "alice")}
    assert found == {"prompt-003": "Sentence 3.", "prompt-007": "Sentence 7."}
    assert {path.suffix for path in takes.files("alice")} == {".wav", ".txt"}
    assert takes.take_back("alice") == 3
    assert takes.kept("alice").prompts == {7}
    takes.discard("alice")
    assert takes.files("alice") == []
