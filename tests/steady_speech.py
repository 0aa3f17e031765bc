"""A speech without a model: each symbol takes the same time, so that one knows what is when."""

from __future__ import annotations

import numpy as np

from pipeline import SpeechOptions
from pipeline.speech import Sentence, Speech
from text import pronounce, read_document, token_symbols

HOP_LENGTH, SAMPLE_RATE = 250, 25_000  # a frame is 10 ms
FRAMES_PER_SYMBOL = 8
PAUSE_FRAMES = 25


def steady_speech(text: str, *, boundary: tuple[str, ...] = ()) -> Speech:
    """Return a text spoken at 80 ms a symbol, with 250 ms of silence after each sentence."""
    sentences = []
    for index, segment in enumerate(read_document(text).segments):
        tokens = tuple(pronounce(segment.text))
        inner = (symbol for of_token in token_symbols(tokens) for symbol in of_token)
        symbols = (*boundary, *inner, *boundary)
        n_frames = len(symbols) * FRAMES_PER_SYMBOL
        sentences.append(
            Sentence(
                segment=segment,
                tokens=tokens,
                symbols=symbols,
                mel=np.zeros((80, n_frames), dtype=np.float32),
                alignment=np.eye(len(symbols), dtype=np.float32),
                ending="gate",
                audio=np.zeros(n_frames * HOP_LENGTH, dtype=np.float32),
                pause_frames=PAUSE_FRAMES,
                index=index,
                mel_seed=0,
                predict_seconds=0.0,
                vocode_seconds=0.0,
            )
        )
    return Speech(
        sentences=tuple(sentences),
        voice="steady",
        options=SpeechOptions(),
        sample_rate=SAMPLE_RATE,
        hop_length=HOP_LENGTH,
        silence=-11.5,
    )
