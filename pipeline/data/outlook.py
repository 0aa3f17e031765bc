"""What a fine-tuning can be expected to make of some recordings, said before it costs an hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.data.preparation import MIN_SPEECH_SECONDS, Vetted
from text import normalize, pronounce
from text.symbols import CONSONANTS, VOWELS

MIN_ENGLISH = 0.7  # share of words that dictionary, rules and names know
GOOD_MINUTES, MUCH_MINUTES = 5.0, 20.0
GOOD_SNR_DB = 25.0


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What the good clips of a vetting hold."""

    minutes: float
    text_minutes: float  # of those whose text is known
    english: float  # share of the texts' words that are known; 1 without texts
    unheard: tuple[str, ...]  # phones of English that no text has
    snr_db: float  # median of the clips: speech over noise

    @property
    def teaches_text(self) -> bool:
        """Whether a predictor can learn from these clips."""
        return 60.0 * self.text_minutes >= MIN_SPEECH_SECONDS and self.english >= MIN_ENGLISH


def look_ahead(vetted: Sequence[Vetted]) -> Outlook:
    """Return what the good clips of a vetting hold."""
    good = [clip for clip in vetted if not clip.left_out]
    measured = [clip.measured for clip in good if clip.measured]
    texts = [clip for clip in good if clip.text]
    tokens = [token for clip in texts for token in pronounce(normalize(clip.text))]
    words = [token for token in tokens if token.phones is not None]
    heard = {phone.rstrip("012") for token in words for phone in token.phones or ()}
    return Outlook(
        minutes=sum(seen.seconds for seen in measured) / 60.0,
        text_minutes=sum(clip.measured.seconds for clip in texts if clip.measured) / 60.0,
        english=float(
            np.mean([token.source not in ("guess", "letters") for token in words] or [True])
        ),
        unheard=tuple(phone for phone in (*VOWELS, *CONSONANTS) if phone not in heard),
        snr_db=float(np.median([seen.level_db - seen.noise_db for seen in measured] or [0.0])),
    )


def outlook_lines(outlook: Outlook) -> list[str]:
    """Return in sentences what can be expected, for a fine-tuning that may choose its models."""
    lines = [
        f"There are {outlook.minutes:.1f} minutes of good speech, {outlook.text_minutes:.1f} of "
        f"them with text, {outlook.snr_db:.0f} dB above their noise."
    ]
    if outlook.snr_db < GOOD_SNR_DB:
        lines.append(
            f"The noise will be heard in the new voice; {GOOD_SNR_DB:.0f} dB and more are good."
        )
    if not outlook.text_minutes:
        return [
            *lines,
            "Without transcripts the vocoder alone is tuned, and text is still spoken in the base "
            "voice. Transcripts (metadata.csv with lines of id|text; .txt, .lab, .srt or .vtt "
            "beside each recording) would add a voice that reads any text like the speaker.",
        ]
    if outlook.english < MIN_ENGLISH:
        return [
            *lines,
            f"The texts do not look English: {outlook.english:.0%} of their words are known, "
            f"{MIN_ENGLISH:.0%} expected. The vocoder alone is tuned.",
        ]
    if not outlook.teaches_text:
        return [
            *lines,
            f"At least {MIN_SPEECH_SECONDS:.0f} seconds with text are needed for a voice that "
            "reads; the vocoder alone is tuned.",
        ]
    return [*lines, _phones(outlook), _amount(outlook.text_minutes)]


def _phones(outlook: Outlook) -> str:
    if not outlook.unheard:
        return "Every phone of English is heard."
    return (
        f"Never heard: {', '.join(outlook.unheard)} (ARPAbet). They will sound as the base voice "
        "has them; a sentence or two that hold them would help."
    )


def _amount(minutes: float) -> str:
    if minutes < GOOD_MINUTES:
        return (
            f"That is little: expect the speaker's pitch and colour, and slips in some words; "
            f"{GOOD_MINUTES:.0f} minutes are recommended."
        )
    if minutes < MUCH_MINUTES:
        return (
            "Expect a voice that is recognizably the speaker's and less lively than the "
            f"recordings; {MUCH_MINUTES:.0f} minutes would bring it nearer."
        )
    return "That is plenty: more recordings would change little."
