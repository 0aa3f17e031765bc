"""What is wrong with a sentence just read into a microphone, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.data.cutting import frame_levels
from pipeline.data.outlook import GOOD_SNR_DB
from pipeline.data.vetting import (
    MAX_CLIPPED,
    MIN_BANDWIDTH_HZ,
    MIN_LEVEL_DB,
    MIN_SNR_DB,
    Measurements,
    measure,
)
from text import normalize, pronounce

QUIET_DB = -35.0  # speech at a microphone that is well set is louder
MOST_PHONES_A_SECOND = 25.0  # nobody speaks faster
FEWEST_PHONES_A_SECOND = 4.0  # of a slow reader, with pauses
SPARE_SECONDS = 4.0  # before and after the sentence
EDGE_SECONDS = 0.06
EDGE_DB = 15.0  # a beginning or end less far below the speech is within a word


@dataclass(frozen=True, kw_only=True)
class TakeVerdict:
    """What to tell somebody who has just read a sentence."""

    seconds: float
    is_good: bool  # whether the take can be trained on
    advice: str


def judge_take(audio: np.ndarray, sample_rate: int, text: str) -> TakeVerdict:
    """Say whether a take can be trained on, and how the next would be better.

    Args:
        audio: [S] float, mono.
        sample_rate: In Hz.
        text: What should be read in it.
    """
    seen = measure(audio, sample_rate)
    problem = _problem(seen, _n_phones(text)) or _cut_off(audio, sample_rate, seen)
    if problem:
        return TakeVerdict(seconds=seen.seconds, is_good=False, advice=f"{problem} Read it again.")
    snr_db = seen.level_db - seen.noise_db
    facts = f"Good: {seen.seconds:.1f} s, {snr_db:.0f} dB above the noise."
    return TakeVerdict(
        seconds=seen.seconds, is_good=True, advice=" ".join([facts, *_hints(seen, snr_db)])
    )


def _problem(seen: Measurements, n_phones: int) -> str:
    """Return why a take is of no use, "" where it is."""
    snr_db = seen.level_db - seen.noise_db
    speech_seconds = seen.seconds * (1.0 - seen.silence)
    checks = [
        (
            seen.level_db < MIN_LEVEL_DB,
            "Nothing is heard. Choose another microphone, or turn this one on.",
        ),
        (
            seen.clipped > MAX_CLIPPED,
            f"Too loud: {seen.clipped:.1%} of it is cut off. Move a hand's breadth away, or turn "
            "the microphone down.",
        ),
        (
            n_phones > MOST_PHONES_A_SECOND * speech_seconds,
            f"Only {speech_seconds:.1f} s of speech are in it, too few for the whole sentence.",
        ),
        (
            n_phones < FEWEST_PHONES_A_SECOND * (seen.seconds - SPARE_SECONDS),
            f"It is {seen.seconds:.0f} s long, too much for one sentence. Stop soon after the "
            "last word.",
        ),
        (
            snr_db < MIN_SNR_DB,
            f"Noisy: the speech is only {snr_db:.0f} dB above the room, {GOOD_SNR_DB:.0f} dB are "
            "good. Close the window, switch off what hums, come nearer to the microphone.",
        ),
        (
            seen.bandwidth_hz < MIN_BANDWIDTH_HZ,
            f"There is nothing above {seen.bandwidth_hz:.0f} Hz, as over a telephone or a "
            "Bluetooth headset. Use another microphone.",
        ),
    ]
    return next((advice for is_bad, advice in checks if is_bad), "")


def _cut_off(audio: np.ndarray, sample_rate: int, seen: Measurements) -> str:
    """Return which end of a take is within a word, "" where none is."""
    levels = frame_levels(audio - seen.dc, sample_rate)
    n_frames = max(1, round(EDGE_SECONDS / (len(audio) / sample_rate) * len(levels)))
    is_loud = [
        edge.mean() > seen.level_db - EDGE_DB for edge in (levels[:n_frames], levels[-n_frames:])
    ]
    if is_loud[0]:
        return "It begins within a word. Wait for half a second before you speak."
    if is_loud[1]:
        return "It ends within a word. Wait for half a second before you stop."
    return ""


def _hints(seen: Measurements, snr_db: float) -> list[str]:
    hints = []
    if snr_db < GOOD_SNR_DB:
        hints.append(
            f"The room will be heard a little in the voice; {GOOD_SNR_DB:.0f} dB would be better. "
            "Come nearer to the microphone, or find a quieter place."
        )
    if seen.level_db < QUIET_DB:
        hints.append(f"It is quiet ({seen.level_db:.0f} dB); turn the microphone up.")
    return hints


def _n_phones(text: str) -> int:
    return sum(len(token.phones or ()) for token in pronounce(normalize(text)))
