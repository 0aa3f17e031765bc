"""When each phone is spoken in a recording: forced alignment by pocketsphinx.

Held to known times, Tacotron 2's decoder learns from the first step what each phone sounds like,
and the attention by itself when each is due. The recognizer is given our own phones as made-up
words, so its phones and ours correspond one to one.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from pipeline.atomic_write import atomic_write
from pipeline.audio import resample, to_pcm
from pipeline.data.features import Features
from text import Token
from text.dictionary import Phones

RECOGNIZER_RATE = 16_000  # Hz
FRAME_SECONDS = 0.01  # of the recognizer


class Interval(NamedTuple):
    """When something is said, in seconds from the start of the clip."""

    start: float
    end: float


PhoneTimes = list[list[Interval]]
"""For each token with phones, the intervals of its phones."""


def load_alignments(
    token_lists: Sequence[Sequence[Token]], features: Features, cache_dir: Path
) -> list[PhoneTimes | None]:
    """Return phone times for each clip, None where the recognizer finds no path.

    Computed once, then kept in `cache_dir` as JSON, keyed by phones and lengths.
    """
    words = [[list(token.phones) for token in tokens if token.phones] for tokens in token_lists]
    facts = json.dumps([words, features.offsets.tolist()])
    path = cache_dir / f"alignments-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.json"
    if not path.exists():
        times = _align_all(token_lists, features)
        with atomic_write(path) as part_path:
            part_path.write_text(json.dumps(times))
    return [
        None if clip is None else [[Interval(*phone) for phone in word] for word in clip]
        for clip in json.loads(path.read_text())
    ]


def _align_all(
    token_lists: Sequence[Sequence[Token]], features: Features
) -> list[PhoneTimes | None]:
    decoder = make_decoder(token_lists)
    return [
        align(decoder, tokens, features.audio(i), features.config.sample_rate)
        for i, tokens in enumerate(tqdm(token_lists, "alignments", unit="clip", dynamic_ncols=True))
    ]


def make_decoder(token_lists: Sequence[Sequence[Token]]) -> Any:
    """Return a `pocketsphinx.Decoder` whose dictionary holds these tokens' pronunciations."""
    from pocketsphinx import Decoder

    spoken = {token.phones for tokens in token_lists for token in tokens if token.phones}
    lines = sorted(f"{_word_name(phones)} {' '.join(_plain(phones))}\n" for phones in spoken)
    with tempfile.NamedTemporaryFile("w", suffix=".dict") as file:
        file.writelines(dict.fromkeys(lines))
        file.flush()
        return Decoder(samprate=RECOGNIZER_RATE, dict=file.name, lm=None, loglevel="FATAL")


def align(
    decoder: Any, tokens: Sequence[Token], audio: np.ndarray, sample_rate: int
) -> PhoneTimes | None:
    """Return the phone times of one clip, or None where no path is found.

    Args:
        decoder: From `make_decoder`.
        tokens: What is said; where a word has no phones, the clip has no alignment.
        audio: [S] float.
        sample_rate: Of the audio, in Hz.
    """
    if any(token.phones == () for token in tokens):
        return None
    names = [_word_name(token.phones) for token in tokens if token.phones]
    pcm = to_pcm(resample(audio, sample_rate, RECOGNIZER_RATE)).tobytes()
    try:
        decoder.set_align_text(" ".join(names))
        _decode(decoder, pcm)
        decoder.set_alignment()
        _decode(decoder, pcm)
    except RuntimeError:  # what the recognizer raises when no path reaches the end
        return None
    spoken = set(names)  # the rest are silences
    times = []
    for (
        word
    ) in decoder.get_alignment():  # its phones must be read before the next word is asked for
        phones = [_interval(phone) for phone in word]
        if word.name in spoken:
            times.append(phones)
    return times if len(times) == len(names) else None


def align_words(
    decoder: Any, tokens: Sequence[Token], audio: np.ndarray, sample_rate: int
) -> list[Interval] | None:
    """Return when each token is spoken in a recording of any length, or None if no path is found.

    Args:
        decoder: From `make_decoder`.
        tokens: What is said, words alone; where one has no phones, there is no alignment.
        audio: [S] float.
        sample_rate: Of the audio, in Hz.
    """
    if not tokens or not all(token.phones for token in tokens):
        return None
    names = [_word_name(token.phones) for token in tokens if token.phones]
    pcm = to_pcm(resample(audio, sample_rate, RECOGNIZER_RATE)).tobytes()
    try:
        decoder.set_align_text(" ".join(names))
        _decode(decoder, pcm)
    except RuntimeError:  # what the recognizer raises when no path reaches the end
        return None
    spoken = set(names)  # the rest are silences
    times = [
        Interval(part.start_frame * FRAME_SECONDS, (part.end_frame + 1) * FRAME_SECONDS)
        for part in decoder.seg() or ()
        if part.word in spoken
    ]
    return times if len(times) == len(names) else None


def _plain(phones: Phones) -> list[str]:
    return [phone.rstrip("012") for phone in phones]


def _word_name(phones: Phones) -> str:
    return "_".join(_plain(phones))


def _decode(decoder: Any, pcm: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()


def _interval(phone: Any) -> Interval:
    return Interval(phone.start * FRAME_SECONDS, (phone.start + phone.duration) * FRAME_SECONDS)
