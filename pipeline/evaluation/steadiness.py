"""Whether a predictor gets through sentences of every length: none cut, skipped or repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import torch
from torch import Tensor
from tqdm import tqdm

from pipeline.data.speech_batches import spoken_tokens
from pipeline.tacotron2.output import Ending
from pipeline.torch_engine import TorchEngine
from text import token_symbols
from text.symbols import symbols_to_ids

LONGEST = 60  # words
MIN_SHARE = 0.1  # of a decoder step that each phone and letter is attended to at least


@dataclass(frozen=True, kw_only=True)
class Steadiness:
    """How many sentences went well."""

    n_sentences: int
    endings: dict[Ending, int]
    n_backward: int  # sentences whose attention fell back, so that something is said twice
    n_skipping: int  # sentences with a phone or letter that was never attended to
    n_steady: int  # sentences that ended by themselves, neither backward nor skipping


def sentences_of_all_lengths(texts: Sequence[str], count: int) -> list[str]:
    """Return sentences of 1, 2, ... LONGEST, 1, 2, ... words, cut from the texts' running words."""
    words = cycle(word for text in texts for word in text.split())
    lengths = (1 + i % LONGEST for i in range(count))
    return [" ".join(islice(words, length)).rstrip(".,;:!?-") + "." for length in lengths]


def check_steadiness(engine: TorchEngine, sentences: Sequence[str], *, seed: int = 0) -> Steadiness:
    """Predict sentences, each as one, and look at how the attention went through them."""
    endings: Counter[Ending] = Counter()
    n_backward = n_skipping = n_steady = 0
    for i, sentence in enumerate(tqdm(sentences, "steadiness", dynamic_ncols=True)):
        tokens = spoken_tokens(sentence, boundary_symbol=engine.voice.boundary_symbol)
        symbols = [symbol for of_token in token_symbols(tokens) for symbol in of_token]
        ids = torch.tensor([symbols_to_ids(symbols)], device=engine.device)
        generator = torch.Generator().manual_seed(seed + i)
        spoken = engine.tacotron2.infer(ids, speaker=engine.voice.speaker, generator=generator)
        is_spoken = torch.tensor([symbol.lstrip("@").isalnum() for symbol in symbols])
        backward = falls_back(spoken.alignment[0])
        skipping = skips(spoken.alignment[0], is_spoken.to(engine.device))
        endings[spoken.ending] += 1
        n_backward += backward
        n_skipping += skipping
        n_steady += not (backward or skipping or spoken.ending == "limit")
    return Steadiness(
        n_sentences=len(sentences),
        endings=dict(endings),
        n_backward=n_backward,
        n_skipping=n_skipping,
        n_steady=n_steady,
    )


def falls_back(alignment: Tensor) -> bool:
    """Say whether the most attended symbol of [K, N] ever lies before an earlier step's."""
    places = alignment.argmax(dim=1)
    return bool((places < places.cummax(dim=0).values).any())


def skips(alignment: Tensor, is_spoken: Tensor) -> bool:
    """Say whether [K, N] leaves out one of the symbols that are to be heard, [N] bool."""
    return bool((alignment.sum(dim=0)[is_spoken] < MIN_SHARE).any())
