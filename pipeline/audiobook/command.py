"""The part of `pipeline.speak` that makes books: progress, resuming, sentences made anew."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.audiobook.changes import Change, Place
from pipeline.audiobook.work_folder import CHANGES, LISTING, SETTINGS, WorkFolder
from pipeline.documents import Document
from pipeline.errors import PipelineError
from pipeline.options import DEFAULTS, SpeechOptions

if TYPE_CHECKING:
    from pipeline.audiobook.recording import Recording
    from pipeline.synthesizer import Synthesizer

_SHARED = ("voice", "vocoder", "device", "precision", *DEFAULTS)  # by all sentences of a book


def speak_book(
    args: argparse.Namespace, document: Document, load: Callable[[], Synthesizer]
) -> None:
    """Speak a document into `args.out`, or one sentence of a kept one anew.

    Args:
        args: What `pipeline.speak` was called with; for a sentence made anew, the settings of its
            book take their place.
        document: What to speak.
        load: Loads the voice of `args`.
    """
    from pipeline.audiobook.export import check_book_format, write_book
    from pipeline.audiobook.recording import Recording

    check_book_format(args.out)
    work = WorkFolder.beside(args.out)
    change = _prepare_redo(args, work) if args.redo else None
    _check_chapters(args.chapters, document)
    options = SpeechOptions.from_mapping(vars(args))
    tts = load()
    recording = Recording(
        document, tts, options, work, chapters=args.chapters, changes=_read_changes(work)
    )
    if change is not None:
        recording.change(Place.parse(args.redo), change)
    work.create()
    work.write(SETTINGS, _settings(args))
    work.write(CHANGES, {str(place): asdict(one) for place, one in recording.changes.items()})
    taken = _follow(recording, len(document.chapters))
    book = recording.book
    work.write(LISTING, book.listing())
    write_book(args.out, book, captions=args.captions.suffix.lower() if args.captions else "")
    _write_extras(args, document, recording, tts)
    for line in (*document.notices, *book.problems()):
        print(f"warning: {line}", file=sys.stderr)
    if not args.keep_work and change is None:  # a change is kept for the next one
        work.remove()
    print(
        f"{args.out}: {book.seconds:.2f} s of audio in {taken:.2f} s "
        f"(real-time factor {taken / book.seconds:.3f}), voice {tts.voice.name}, "
        f"seed {options.seed}"
    )


def _write_extras(
    args: argparse.Namespace, document: Document, recording: Recording, tts: Synthesizer
) -> None:
    if args.captions is not None:
        from pipeline.audiobook.captions import write_book_captions

        write_book_captions(args.captions, recording.book)
    if args.manifest is not None:
        from pipeline.audiobook.manifest import write_book_manifest

        book, options = recording.book, recording.options
        write_book_manifest(args.manifest, book, tts, options, notices=document.notices)


def _read_changes(work: WorkFolder) -> dict[Place, Change]:
    stored = work.read(CHANGES)
    return {Place.parse(place): Change(**change) for place, change in stored.items()}


def _check_chapters(chosen: Collection[int] | None, document: Document) -> None:
    n_chapters = len(document.chapters)
    if chosen is not None and not 1 <= min(chosen) <= max(chosen) <= n_chapters:
        raise PipelineError(
            f"--chapters names {min(chosen)} to {max(chosen)}, expected 1 to {n_chapters}; "
            "python -m pipeline.documents FILE lists them"
        )


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return what a sentence made anew must share with its book, for JSON."""
    return {
        **{name: getattr(args, name) for name in _SHARED},
        "lexicon": str(args.lexicon.absolute()) if args.lexicon else None,
        "chapters": sorted(args.chapters) if args.chapters else None,
    }


def _prepare_redo(args: argparse.Namespace, work: WorkFolder) -> Change:
    """Return what to change, and give `args` the settings of the book in their place."""
    settings: dict[str, Any] = work.read(SETTINGS)
    if not settings:
        raise PipelineError(
            f"There is no {work.path / SETTINGS}: speak the book with --keep-work, "
            "then single sentences can be made anew"
        )
    values = {name: getattr(args, name) for name in DEFAULTS}
    given = {name: value for name, value in values.items() if value != DEFAULTS[name]}
    if not given and args.text is None:
        raise PipelineError("--redo needs what shall be different: --seed, --sigma, or a new text")
    vars(args).update(settings)
    args.lexicon = Path(args.lexicon) if args.lexicon else None
    args.chapters = frozenset(args.chapters) if args.chapters else None
    return Change(text=args.text, **given)


def _follow(recording: Recording, n_chapters: int) -> float:
    """Speak with a bar on the terminal, a line for each chapter elsewhere; return the seconds."""
    from tqdm import tqdm

    taken = 0.0
    chapter = 0
    bar = tqdm(total=recording.n_characters, unit="char", unit_scale=True, disable=None)
    with bar:
        for step in recording.speak():
            if step.chapter != chapter and n_chapters > 1:
                chapter = step.chapter
                title = recording.book.chapters[-1].title
                done = step.done_characters / max(1, recording.n_characters)
                tqdm.write(
                    f"Chapter {chapter} of {n_chapters}: {title}, {step.n_sentences} sentences "
                    f"({done:.0%} of the text)",
                    file=sys.stderr,
                )
            taken += step.seconds
            bar.update(step.done_characters - bar.n)
    return taken
