"""Pieces of HTML for documents: how long one is, how far it is spoken, one sentence to hear."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable
from html import escape
from typing import TYPE_CHECKING

from pipeline.audiobook.recording import Progress
from pipeline.audiobook.spoken import SpokenSentence
from pipeline.documents import Document

if TYPE_CHECKING:
    from app.document_visit import DocumentVisit

GUIDE = (
    '<p class="hint">Drop a txt, md, html, epub, pdf or srt file. Its chapters appear here, with '
    "the time that they will take. Sentences go to disk one by one: a long book needs no more "
    "memory than a short one, and after a stop it goes on where it was.</p>"
)
_MAX_LINES = 200  # of warnings that are shown


def count(
    document: Document, visit: DocumentVisit | None, chosen: Collection[int] | None = None
) -> str:
    """Return the counter: chapters, words and characters, and what they will take."""
    chapters = [
        chapter
        for number, chapter in enumerate(document.chapters, 1)
        if chosen is None or number in chosen
    ]
    n_characters = sum(len(chapter.text) for chapter in chapters)
    n_words = sum(chapter.n_words for chapter in chapters)
    line = f"{len(chapters)} of {len(document.chapters)} chapters, {n_words:,} words, "
    line += f"{n_characters:,} characters"
    if visit is not None and visit.work_seconds:
        audio, work = visit.audio_seconds * n_characters, visit.work_seconds * n_characters
        line += f": about {duration(audio)} of audio, made in about {duration(work)}"
    head = " by ".join(filter(None, (document.title, document.author)))
    return f'<p class="facts"><strong>{escape(head)}</strong> {line}.</p>'


def progress(
    document: Document, chosen: Collection[int], step: Progress | None, *, is_done: bool = False
) -> str:
    """Return a bar for each chosen chapter."""
    rows = []
    for number, chapter in enumerate(document.chapters, 1):
        if number not in chosen:
            continue
        share = 0.0
        if is_done or (step is not None and number < step.chapter):
            share = 1.0
        elif step is not None and number == step.chapter:
            share = step.sentence / step.n_sentences
        title = escape(chapter.title)
        rows.append(
            f'<li><progress value="{share:.3f}" aria-label="{title}"></progress>'
            f"<span>{share:.0%}</span> {title}</li>"
        )
    return f'<ol class="book-progress">{"".join(rows)}</ol>'


def time_left(visit: DocumentVisit, step: Progress) -> str:
    """Return what is going on and how long it will take."""
    assert visit.recording is not None
    left = visit.work_seconds * (visit.recording.n_characters - step.done_characters)
    place = f"Chapter {step.chapter}, sentence {step.sentence} of {step.n_sentences}"
    return f"{place}; about {duration(left)} left …"


def notices(lines: Iterable[str]) -> str:
    """Return what is not heard as it is written."""
    kept = list(lines)
    items = "".join(f"<li>{escape(line)}</li>" for line in kept[:_MAX_LINES])
    if len(kept) > _MAX_LINES:
        items += f"<li>And {len(kept) - _MAX_LINES:,} more.</li>"
    return f'<ul class="warnings" aria-label="Not spoken">{items}</ul>' if items else ""


def sentence_player(sentence: SpokenSentence) -> str:
    """Return a player that holds the sentence itself."""
    data = base64.b64encode(sentence.path.read_bytes()).decode()
    return (
        f'<audio controls aria-label="This sentence" src="data:audio/flac;base64,{data}"></audio>'
    )


def duration(seconds: float) -> str:
    """Return a length of time in words."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{max(1, round(seconds))} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
