"""The manifest of a spoken book: that of a speech, with chapters and the place of each sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.atomic_write import atomic_write
from pipeline.audiobook.captions import book_words
from pipeline.audiobook.spoken import SpokenBook
from pipeline.json_text import json_pieces
from pipeline.manifest import equipment
from pipeline.options import SpeechOptions

if TYPE_CHECKING:
    from pipeline.synthesizer import Synthesizer


def write_book_manifest(
    path: Path,
    book: SpokenBook,
    tts: Synthesizer,
    options: SpeechOptions,
    *,
    notices: Sequence[str],
) -> None:
    """Write the manifest, whole or not at all, a sentence at a time.

    Args:
        path: A JSON file.
        book: What was spoken.
        tts: The voice that spoke it.
        options: Of all sentences but those made anew, which have their own.
        notices: What else a listener should know.
    """
    facts = {
        "title": book.title,
        "author": book.author,
        "settings": {"voice": tts.voice.name, **asdict(options)},
        **equipment(tts.engine),
        "audio_seconds": round(book.seconds, 4),
        "warnings": [*notices, *book.problems()],
        "chapters": list(_chapters(book)),
        "sentences": _sentences(book),
        "words": book_words(book),
    }
    with (
        atomic_write(path) as part_path,
        part_path.open("w", encoding="utf-8", errors="backslashreplace") as file,
    ):
        file.writelines(json_pieces(facts))


def _chapters(book: SpokenBook) -> Iterator[dict[str, Any]]:
    for chapter, start in zip(book.heard, book.starts(), strict=False):
        seconds = start / book.sample_rate
        end = (start + chapter.n_samples) / book.sample_rate
        yield {"title": chapter.title, "start": round(seconds, 3), "end": round(end, 3)}


def _sentences(book: SpokenBook) -> Iterator[dict[str, Any]]:
    for place, start, spoken in book.timed():
        for facts in spoken.facts():
            del facts["words"]  # they have a list of their own
            yield {"place": str(place), **facts, "start": round(start + facts["start"], 3)}
