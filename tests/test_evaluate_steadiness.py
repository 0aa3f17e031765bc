"""What counts as a sentence that went well."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from pipeline.evaluation.steadiness import (
    Steadiness,
    check_steadiness,
    falls_back,
    sentences_of_all_lengths,
    skips,
)
from pipeline.tacotron2.model import Prediction
from pipeline.torch_engine import TorchEngine

SPOKEN = torch.tensor([True, False, True, True])


def test_sentences_come_in_all_lengths_and_use_all_words() -> None:
    sentences = sentences_of_all_lengths(["One two, three.", "Four five!"], 125)
    assert Counter(len(sentence.split()) for sentence in sentences) == {
        length: 3 if length <= 5 else 2 for length in range(1, 61)
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


# How sentences of six symbols may be read, the last of them a full stop.
STEADY = [0, 1, 2, 3, 4, 5]
BACKWARD = [0, 1, 2, 1, 2, 3, 4, 5]
SKIPPING = [0, 1, 4, 5]
BOTH = [0, 2, 0, 4, 5]


def test_sentences_are_counted_by_how_they_went(
    tiny_voice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = [(STEADY, "gate"), (BACKWARD, "gate"), (SKIPPING, "attention"), (BOTH, "gate")]
    readings += [(STEADY, "limit"), (STEADY, "attention"), (SKIPPING, "limit")]
    seen = iter(readings)
    engine = TorchEngine.load(tiny_voice, device="cpu")

    def infer(symbol_ids: torch.Tensor, **_: object) -> Prediction:
        places, ending = next(seen)
        alignment = torch.nn.functional.one_hot(torch.tensor(places), symbol_ids.shape[1])
        silence = torch.zeros(1, 80, len(places))
        return Prediction(
            mel=silence,
            mean_mel=silence,
            contexts=silence,
            gate_logits=silence[:, 0],
            alignment=alignment[None].float(),
            ending=ending,
        )

    monkeypatch.setattr(engine.tacotron2, "infer", infer)
    result = check_steadiness(engine, ["{HH AH0 L OW1 Z}."] * len(readings))
    assert result == Steadiness(
        n_sentences=7,
        endings={"gate": 3, "attention": 2, "limit": 2},
        n_backward=2,
        n_skipping=3,
        n_steady=2,
    )
