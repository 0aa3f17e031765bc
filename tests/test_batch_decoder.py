"""Sentences decoded side by side by the default voice: no number depends on the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline import SpeechOptions, Synthesizer
from pipeline.tacotron2 import Tacotron2
from pipeline.tacotron2.batch_decoder import SLOTS, decode_together
from pipeline.tacotron2.model import Prediction
from pipeline.voice_folders import find_voice
from pipeline.voice_loading import load_predictor
from pipeline.voices import read_voice
from text import pronounce, token_symbols
from text.errors import TextError
from text.symbols import symbols_to_ids

WORDS = ("he", "will", "follow", "us", "soon", "and", "we", "shall", "see", "what", "comes", "of")


@pytest.fixture(scope="module")
def tacotron2() -> Tacotron2:
    torch.set_num_threads(1)
    folder = find_voice("kathleen")
    return load_predictor(folder, read_voice(folder)).eval()


def symbol_ids(n_words: int) -> Tensor:
    tokens = pronounce(" ".join(WORDS[:n_words]) + ".")
    return torch.tensor([symbols_to_ids([s for one in token_symbols(tokens) for s in one])])


def infer(tacotron2: Tacotron2, lengths: Sequence[int]) -> list[Prediction]:
    """Speak so many words in each slot; the seed of each is its length."""
    generators = [torch.Generator().manual_seed(n_words) for n_words in lengths]
    ids = [symbol_ids(n_words) for n_words in lengths]
    return tacotron2.infer_together(ids, generators=generators)


def test_what_is_decoded_beside_it_changes_no_number_of_a_sentence(tacotron2: Tacotron2) -> None:
    lengths = [3, 5, 2, 4, 6, 1, 3, 7]
    together = infer(tacotron2, lengths)
    for beside in ([5], [7, 5], lengths[::-1], [4, 4, 4, 5, 4]):
        for n_words, prediction in zip(beside, infer(tacotron2, beside), strict=True):
            before = together[lengths.index(n_words)]
            assert torch.equal(prediction.mel, before.mel)
            assert torch.equal(prediction.alignment, before.alignment)


def test_they_say_what_one_alone_says_up_to_rounding(tacotron2: Tacotron2) -> None:
    lengths = [3, 12, 6]
    for n_words, prediction in zip(lengths, infer(tacotron2, lengths), strict=True):
        generator = torch.Generator().manual_seed(n_words)
        alone = tacotron2.infer(symbol_ids(n_words), generator=generator)
        assert prediction.ending == alone.ending
        assert prediction.mel.shape == alone.mel.shape
        assert torch.allclose(prediction.mel, alone.mel, rtol=0, atol=2e-3)


def test_each_sentence_has_its_own_limit(tacotron2: Tacotron2) -> None:
    memory, _ = tacotron2.read(symbol_ids(6), 0)
    generators = [torch.Generator().manual_seed(n) for n in range(SLOTS)]
    limits = list(range(1, SLOTS + 1))
    with torch.no_grad():
        decoded = decode_together(tacotron2.decoder, [memory] * SLOTS, limits, generators)
    assert [output.alignment.shape[1] for output, _ in decoded] == limits
    assert {ending for _, ending in decoded} == {"limit"}


def test_texts_spoken_together_are_those_spoken_alone(tiny_voice) -> None:
    tts = Synthesizer.load(tiny_voice, device="cpu")
    texts = ["Hello there. How are you? Fine.", "No.", "Yes, it is. <no markup>"]
    options = [SpeechOptions(seed=3), SpeechOptions(rate=1.3), SpeechOptions(sigma=0.2)]
    together = tts.speak_together(texts, options)
    for text, wanted, speech in zip(texts, options, together, strict=True):
        (alone,) = tts.speak_together([text], [wanted])
        assert np.array_equal(speech.audio, alone.audio)
        one_by_one = tts.speak(text, wanted)
        assert [s.written for s in speech.sentences] == [s.written for s in one_by_one.sentences]
        assert np.allclose(speech.audio, one_by_one.audio, rtol=0, atol=1e-3)
    with pytest.raises(TextError, match="nothing to speak"):
        tts.speak_together(["Hello.", "..."], options[:2])
