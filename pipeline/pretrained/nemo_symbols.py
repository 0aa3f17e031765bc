"""NeMo's tokens and our symbols: which row of a NeMo embedding each of our symbols reads."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from pipeline.errors import PipelineError
from text.symbols import CONSONANTS, PAD, SYMBOLS, VOWELS

_PUNCTUATION = ',.!?-:;/"()[]{}'  # in the order of NeMo's English tokenizer
_PAD, _BLANK, _UNKNOWN = "<pad>", "<blank>", "<oov>"
LABEL_ENDINGS = ("<bos>", "<eos>", _PAD)  # NeMo adds them behind a list of labels


def nemo_tokens(config: Mapping[str, Any], source: str) -> list[str]:
    """Return the tokens of a NeMo model in the order of its embedding.

    Raises:
        PipelineError: The tokenizer is none for English phones.
    """
    tokenizer = config.get("text_tokenizer")
    if tokenizer is None:
        labels = config.get("labels")
        if not isinstance(labels, list):
            raise PipelineError(f"{source} has neither a text_tokenizer nor labels in its config")
        return [*map(str, labels), *LABEL_ENDINGS]
    if not isinstance(tokenizer, dict):
        raise PipelineError(f"{source} has a text_tokenizer that is {tokenizer!r:.80}, no section")
    kind = str(tokenizer.get("_target_")).rpartition(".")[2]
    if kind != "EnglishPhonemesTokenizer":
        raise PipelineError(
            f"{source} reads {kind} tokens, expected EnglishPhonemesTokenizer: "
            "this text front end speaks English in ARPAbet"
        )
    stresses = "012" if tokenizer.get("stresses", False) else [""]
    silence = tokenizer.get("silence")
    tokens = [
        tokenizer.get("space", " "),
        *([silence] if silence is not None else []),
        *CONSONANTS,
        *(vowel + stress for vowel in VOWELS for stress in stresses),
        *(string.ascii_lowercase if tokenizer.get("chars", False) else ""),
        *("'" if tokenizer.get("apostrophe", True) else ""),
    ]
    if tokenizer.get("punct", True):
        tokens += tokenizer.get("non_default_punct_list") or _PUNCTUATION
    unknown = tokenizer.get("oov", _UNKNOWN)
    blank_at = tokenizer.get("add_blank_at")
    if blank_at is None:
        return [*tokens, _PAD, unknown]
    return [*tokens, _PAD, *((unknown, _BLANK) if blank_at == "last" else (_BLANK, unknown))]


def embedding_of_our_symbols(
    embedding: Tensor, tokens: list[str], source: str
) -> tuple[Tensor, dict[str, str]]:
    """Return the embedding in the order of our symbols, and which token each symbol reads.

    A letter reads the small letter, a phone without stress the unstressed one, and what NeMo has
    no token for reads the token for unknowns.

    Raises:
        PipelineError: Tokens and rows do not agree in number, or a phone has no token.
    """
    if len(tokens) != len(embedding):
        raise PipelineError(
            f"{source} embeds {len(embedding)} tokens, but its tokenizer has {len(tokens)}"
        )
    row = {token: index for index, token in enumerate(tokens)}
    read = {}
    for symbol in SYMBOLS:
        found = next((token for token in _candidates(symbol) if token in row), None)
        if found is None and (symbol.startswith("@") or _UNKNOWN not in row):
            raise PipelineError(
                f"{source} has no token for {symbol}; this text front end cannot feed it"
            )
        read[symbol] = found or _UNKNOWN
    return embedding[torch.tensor([row[token] for token in read.values()])], read


def _candidates(symbol: str) -> list[str]:
    if symbol == PAD:
        return [symbol, _PAD]
    if symbol.startswith("@"):
        phone = symbol[1:]
        return [symbol, phone, f"{phone}0", phone.rstrip("012")]
    return [symbol, symbol.lower()]
