"""Clips that a voice speaks itself, to be mixed with a new speaker's, lest it forget.

They hold every English phone, so that those which the new speaker never said stay as they were
(rehearsal on generated examples: Robins 1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from pipeline.data.alignment import Interval, PhoneTimes
from pipeline.data.prosody import frame_pitch
from pipeline.data.speech_batches import SpeechClip, spoken_tokens
from pipeline.tacotron2 import Tacotron2
from text import Token, token_ids, token_spans

PROMPTS_PATH = Path(__file__).with_name("prompts.txt")


def read_prompts() -> list[str]:
    """Return sentences that together hold every phone of English."""
    return PROMPTS_PATH.read_text(encoding="utf-8").splitlines()


def own_clips(model: Tacotron2, *, speaker: int, boundary_symbol: str) -> list[SpeechClip]:
    """Return the prompts as a model speaks them, mels before the flow postnet.

    Args:
        model: In eval mode, on the CPU.
        speaker: Which of the model's.
        boundary_symbol: Of the voice.
    """
    clips = []
    for seed, prompt in enumerate(read_prompts()):
        tokens = spoken_tokens(prompt, boundary_symbol=boundary_symbol)
        spoken = model.infer(
            torch.tensor([token_ids(tokens)]),
            speaker=speaker,
            generator=torch.Generator().manual_seed(seed),
        )
        if spoken.ending == "limit":  # it lost its way, and is no example
            continue
        mel = np.ascontiguousarray(spoken.mean_mel[0].T.numpy())
        audio, r = model.config.audio, model.config.reduction
        clips.append(
            SpeechClip(
                mel=mel,
                pitch=frame_pitch(mel, audio),
                tokens=tokens,
                times=phone_times(
                    tokens, spoken.alignment[0].numpy(), r * audio.hop_length / audio.sample_rate
                ),
                speaker=speaker,
            )
        )
    return clips


def phone_times(tokens: Sequence[Token], alignment: np.ndarray, step_seconds: float) -> PhoneTimes:
    """Return when each phone is spoken, from an alignment [K, N] of K steps to N symbols.

    Symbols follow each other, each as long as all that is attended to it; a word in letters shares
    its time evenly among its phones.
    """
    ends = np.cumsum(alignment.sum(0)) * step_seconds  # [N]
    edges = np.concatenate([[0.0], ends])
    times: PhoneTimes = []
    first = 0
    for token, span in zip(tokens, token_spans(tokens), strict=True):
        last = first + len(span)
        if token.phones:
            n_phones = len(token.phones)
            if len(span) == n_phones:
                bounds = edges[first : last + 1]
            else:
                bounds = np.linspace(edges[first], edges[last], n_phones + 1)
            times.append([Interval(float(start), float(end)) for start, end in pairwise(bounds)])
        first = last
    return times
