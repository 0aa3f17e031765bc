"""English text to the symbol ids that an acoustic model reads."""

from text.document import Document, Segment, read_document
from text.errors import TextError
from text.lexicon import Lexicon, load_lexicon
from text.normalizer import normalize
from text.pronunciation import encode, pronounce
from text.sentences import split_sentences
from text.symbols import SYMBOL_TABLE_ID, SYMBOLS
from text.tokens import Token, token_ids, token_spans, token_symbols

__all__ = [
    "SYMBOLS",
    "SYMBOL_TABLE_ID",
    "Document",
    "Lexicon",
    "Segment",
    "TextError",
    "Token",
    "encode",
    "load_lexicon",
    "normalize",
    "pronounce",
    "read_document",
    "split_sentences",
    "token_ids",
    "token_spans",
    "token_symbols",
]
