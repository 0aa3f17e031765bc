"""Lists the chapters of a document: `python -m pipeline.documents book.epub`."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from pipeline.command import run_command
from pipeline.documents.reading import (
    MAX_MEMORY_BYTES,
    document_to_json,
    read_document,
    read_here,
)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.documents", description="List the chapters of a document."
    )
    parser.add_argument("document", type=Path, help="txt, md, html, epub, pdf or srt")
    parser.add_argument("--json", action="store_true", help="Print the whole text as JSON")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """List the chapters, or print all of a document."""
    args = build_parser().parse_args(arguments)
    return run_command(
        lambda: print_json(args.document) if args.json else print_list(args.document)
    )


def print_list(path: Path) -> None:
    """Print a line for each chapter."""
    document = read_document(path)
    print(" by ".join(filter(None, (document.title, document.author))) or path.name)
    for number, chapter in enumerate(document.chapters, 1):
        print(f"{number:4}  {chapter.n_words:8,} words  {chapter.title}")
    for notice in document.notices:
        print(notice)


def print_json(path: Path) -> None:
    """Print a document that is read here, with a limit on the memory of this process."""
    with contextlib.suppress(ImportError):  # Windows has no such limit
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, hard))
    print(document_to_json(read_here(path)))


if __name__ == "__main__":
    raise SystemExit(main())
