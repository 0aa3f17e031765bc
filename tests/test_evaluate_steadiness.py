"""What counts as a sentence that went well."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from pipeline import Synthesizer
from pipeline.evaluation.steadiness import (
    check_steadiness,
    falls_back,
    sentences_of_all_lengths,
    skips,
)

SPOKEN = torch.tensor([True, False, True, True])


def test_sentences_come_in_all_lengths_and_use_all_words() -> None:
    sentences = sentences_of_all_lengths(["One two, three.", "Four five!"], 85)
    assert Counter(len(sentence.split()) for sentence in sentences) == {
        length: 3 if length <= 5 else 2 for length in range(1, 41)
    }
    assert sentences[:3] == ["One.", "two, three.", "Four five! One."]


@pytest.mark.parametrize(
    ("places", "back"), [([0, 0, 1, 2, 3, 3], False), ([0, 2, 3], False), ([0, 1, 2, 1, 2], True)]
)
def test_attention_that_returns_says_something_twice(places: list[int], back: bool) -> None:
    alignment = torch.nn.functional.one_hot(torch.tensor(places), 4).float()
    assert falls_back(alignment) == back


@pytest.mark.parametrize(
    ("alignment", "skipping"),
    [
        ([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.8, 0.2]], False),  # marks may be passed over
        ([[1.0, 0.0, 0.0, 0.0], [0.0, 0.9, 0.05, 0.05], [0.0, 0.0, 0.0, 1.0]], True),
    ],
)
def test_a_phone_hardly_attended_to_is_left_out(
    alignment: list[list[float]], skipping: bool
) -> None:
    assert skips(torch.tensor(alignment), SPOKEN) == skipping


def test_every_sentence_is_counted_once(tiny_voice: Path) -> None:
    tts = Synthesizer.load(tiny_voice, device="cpu")
    result = check_steadiness(tts, ["Hi.", "You there."])
    assert result.n_sentences == sum(result.endings.values()) == 2
    assert result.n_steady <= 2 - max(result.n_backward, result.n_skipping)
