"""The whole chain on a tiny voice of random weights: laws that hold for every voice."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline import Speech, SpeechOptions, Synthesizer
from pipeline.errors import PipelineError
from pipeline.speech import join, pause_after, with_pauses
from pipeline.tacotron2.model import Prediction
from text import TextError, read_document

TEXT = "Hello there. How are you? Fine."


@pytest.fixture(scope="module")
def tts(tiny_voice: Path) -> Synthesizer:
    return Synthesizer.load(tiny_voice, device="cpu")


@pytest.fixture(scope="module")
def speech(tts: Synthesizer) -> Speech:
    return tts.speak(TEXT)


def same_up_to_rounding(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=1e-4)


def test_pauses_are_those_of_the_whole_text() -> None:
    segments = read_document("One. Two [pause:3s] three.\n\nFour. [pause:2s]").segments
    expected = [pause_after(segments, index) / 2.0 for index in range(len(segments))]
    paused = list(with_pauses(iter(segments), SpeechOptions(rate=2.0)))
    assert paused == list(zip(segments, expected, strict=True))


def test_shapes_are_as_promised(speech: Speech) -> None:
    assert speech.audio.dtype == speech.mel.dtype == speech.alignment.dtype == np.float32
    assert speech.mel.shape[0] == 80
    assert speech.audio.shape == (256 * speech.mel.shape[1],)
    assert np.abs(speech.audio).max() <= 1.0
    n_symbols = sum(len(sentence.symbols) for sentence in speech.sentences)
    assert speech.alignment.shape[1] == n_symbols
    np.testing.assert_allclose(speech.alignment.sum(1), 1.0, atol=1e-5)
    assert speech.seconds == pytest.approx(len(speech.audio) / 22_050)


def test_the_same_seed_repeats_the_audio(tts: Synthesizer, speech: Speech) -> None:
    assert np.array_equal(tts.speak(TEXT).audio, speech.audio)


def test_another_seed_changes_the_mel_and_the_noise(tts: Synthesizer, speech: Speech) -> None:
    other = tts.speak(TEXT, seed=1)
    same_mel = tts.revoice(speech, seed=1)
    assert not same_up_to_rounding(other.mel, speech.mel)
    assert not same_up_to_rounding(same_mel.audio, speech.audio)


def speak_with(n_threads: int, voice: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the audio of the main thread and of another one, each with `n_threads` in torch."""
    torch.set_num_threads(n_threads)
    tts = Synthesizer.load(voice, device="cpu")
    with ThreadPoolExecutor(1) as pool:
        return tts.speak(TEXT).audio, pool.submit(lambda: tts.speak(TEXT).audio).result()


def test_threads_and_processes_with_as_many_threads_give_the_same_samples(tiny_voice: Path) -> None:
    """With another number samples differ by rounding at most: see `Synthesizer.stream`."""
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=spawned) as processes:
        one, two, again = processes.map(speak_with, (1, 2, 2), [tiny_voice] * 3)
    for in_main, in_worker in (one, two, again):
        assert np.array_equal(in_main, in_worker)
    assert np.array_equal(two[0], again[0])
    assert same_up_to_rounding(two[0], one[0])


def test_streamed_parts_joined_are_the_whole(tts: Synthesizer, speech: Speech) -> None:
    parts = list(tts.stream(TEXT))
    assert len(parts) == len(speech.sentences) == 3
    assert np.array_equal(join(parts).audio, speech.audio)
    assert np.array_equal(np.concatenate([part.audio for part in parts]), speech.audio)


def test_stream_gives_the_first_sentence_before_the_second_is_made(
    tts: Synthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    infer, n_made = tts.engine.tacotron2.infer, 0

    def counted(*args: Any, **options: Any) -> Prediction:
        nonlocal n_made
        n_made += 1
        return infer(*args, **options)

    monkeypatch.setattr(tts.engine.tacotron2, "infer", counted)
    for n_given, part in enumerate(tts.stream("Short one. Another one follows. The last."), 1):
        assert n_made == n_given == part.sentences[0].index + 1
    assert n_made == 3


def test_revoicing_with_the_same_settings_is_the_same_audio(
    tts: Synthesizer, speech: Speech
) -> None:
    assert np.array_equal(tts.revoice(speech).audio, speech.audio)


@pytest.mark.parametrize("change", [{"sigma": 0.9}, {"denoise": 0.5}, {"seed": 7}])
def test_revoicing_changes_the_audio_and_not_the_mel(
    tts: Synthesizer, speech: Speech, change: dict[str, float]
) -> None:
    again = tts.revoice(speech, **change)  # type: ignore[arg-type]
    assert np.array_equal(again.mel, speech.mel)
    assert not np.array_equal(again.audio, speech.audio)
    assert again.audio.shape == speech.audio.shape


def test_revoicing_equals_speaking_with_those_settings(tts: Synthesizer, speech: Speech) -> None:
    again = tts.revoice(speech, sigma=0.3, denoise=0.2)
    assert np.array_equal(again.audio, tts.speak(TEXT, sigma=0.3, denoise=0.2).audio)


def test_rate_changes_the_length_alone(tts: Synthesizer, speech: Speech) -> None:
    fast, slow = tts.speak(TEXT, rate=2.0), tts.speak(TEXT, rate=0.5)
    assert fast.mel.shape[1] == pytest.approx(speech.mel.shape[1] / 2, abs=4)
    assert slow.mel.shape[1] == pytest.approx(speech.mel.shape[1] * 2, abs=4)
    assert np.array_equal(fast.alignment, speech.alignment)


def test_threads_do_not_mix_their_sentences(tts: Synthesizer) -> None:
    texts = [f"Number {word}." for word in ("one", "two", "three", "four")] * 2
    alone = [tts.speak(text).audio for text in texts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: tts.speak(text).audio, texts))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize("text", ["", "  \n", "\u200b"])
def test_nothing_to_say_is_an_error(tts: Synthesizer, text: str) -> None:
    with pytest.raises(TextError):
        tts.speak(text)


@pytest.mark.parametrize(
    ("option", "value"), [("sigma", -0.1), ("denoise", 1.5), ("rate", 0.0), ("seed", -1)]
)
def test_settings_out_of_range_name_the_range(tts: Synthesizer, option: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"{option} is {value}, expected"):
        tts.speak("Hello.", **{option: value})  # type: ignore[arg-type]


def test_unknown_words_are_warned_of(tts: Synthesizer) -> None:
    assert any("qxzvwkt" in line for line in tts.speak("The qxzvwkt is here.").warnings)


def test_a_sentence_at_its_limit_is_warned_of(speech: Speech) -> None:
    cut = replace(speech.sentences[0], ending="limit")
    assert "length limit" in replace(speech, sentences=(cut,)).warnings[0]


@pytest.mark.parametrize(
    ("device", "precision", "word"), [("tpu", "32", "tpu"), ("cpu", "16", "needs a GPU")]
)
def test_devices_that_are_not_there_are_refused(
    tiny_voice: Path, device: str, precision: str, word: str
) -> None:
    with pytest.raises(PipelineError, match=word):
        Synthesizer.load(tiny_voice, device=device, precision=precision)  # type: ignore[arg-type]
