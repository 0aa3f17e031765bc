"""Shows each step of the text front end, to find out why a text is read as it is."""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from text import TextError, encode, normalize, pronounce
from text.document import Document, read_document
from text.lexicon import Lexicon, load_lexicon
from text.symbols import SYMBOL_TABLE_ID, symbols_to_ids
from text.tokens import Token
from text.trace import trace


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m text", description=__doc__)
    parser.add_argument("text", nargs="?", help="Plain text, or SSML that begins with <speak>")
    parser.add_argument(
        "--lexicon",
        type=Path,
        metavar="FILE",
        help="Lines of word and phones; word:noun and word:verb for two readings",
    )
    parser.add_argument("--json", action="store_true", help="Print JSON instead of tables")
    parser.add_argument(
        "--benchmark",
        type=Path,
        metavar="FILE",
        help="Time normalizing and encoding the lines of a file instead",
    )
    args = parser.parse_args()
    if (args.text is None) == (args.benchmark is None):
        parser.error("give a text or --benchmark FILE")
    try:
        if args.benchmark:
            _benchmark(args.benchmark)
            return 0
        lexicon = load_lexicon(args.lexicon) if args.lexicon else {}
        document = read_document(args.text)
        if args.json:
            print(json.dumps(_as_json(document, lexicon), indent=2, ensure_ascii=False))
        else:
            _print_tables(document, lexicon)
    except (TextError, OSError) as error:
        print(f"python -m text: {error}", file=sys.stderr)
        return 1
    return 0


def _print_tables(document: Document, lexicon: Lexicon) -> None:
    for index, segment in enumerate(document.segments):
        print(f"written     {segment.written}")
        print(f"normalized  {segment.text}")
        if segment.pause_seconds or segment.rate != 1:
            print(f"then pause  {segment.pause_seconds:g} s, spoken at rate {segment.rate:g}")
        changes = _changes(document, index)
        if changes:
            header = ("rule", "from", "to", "before", "after")
            _print_columns([header, *(tuple(map(str, row.values())) for row in changes)])
        rows = [
            (
                *(token.written, " ".join(token.symbols), token.source),
                *(_reading(token), str(_ids(token))[1:-1]),
            )
            for token in pronounce(segment.text, lexicon=lexicon)
            if token.written != " "
        ]
        _print_columns([("word", "symbols", "source", "reading", "ids"), *rows])
        print()
    for notice in document.notices:
        print(f"notice: {notice}", file=sys.stderr)


def _print_columns(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  " + "  ".join(cells).rstrip())


def _as_json(document: Document, lexicon: Lexicon) -> dict[str, object]:
    segments = []
    for index, segment in enumerate(document.segments):
        tokens = pronounce(segment.text, lexicon=lexicon)
        segments.append(
            {
                "written": segment.written,
                "normalized": segment.text,
                "pause_seconds": segment.pause_seconds,
                "rate": segment.rate,
                "changes": _changes(document, index),
                "tokens": [
                    {
                        "written": token.written,
                        "source": token.source,
                        "reading": token.reading,
                        "probability": round(token.probability, 3),
                        "symbols": token.symbols,
                    }
                    for token in tokens
                ],
                "symbol_ids": [symbol_id for token in tokens for symbol_id in _ids(token)],
            }
        )
    return {"symbol_table": SYMBOL_TABLE_ID, "segments": segments, "notices": document.notices}


def _changes(document: Document, index: int) -> list[dict[str, str | int]]:
    """Return what rules did to a segment's sentence, with its first segment alone."""
    written = document.segments[index].written
    if index and document.segments[index - 1].written == written:
        return []
    return [asdict(change) for change in trace(written)]


def _reading(token: Token) -> str:
    return f"{token.reading} {token.probability:.0%}" if token.reading else ""


def _ids(token: Token) -> list[int]:
    return symbols_to_ids(token.symbols)


def _benchmark(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    # The patterns, the dictionary and both models load on first use.
    encode(normalize(f"{lines[0]} They lead Zwarbler."))
    start = time.process_time()
    normalized = [normalize(line) for line in lines]
    middle = time.process_time()
    for line in normalized:
        encode(line)
    end = time.process_time()
    print(f"normalize {len(lines) / (middle - start):8.0f} lines a second")
    print(f"encode    {len(lines) / (end - middle):8.0f} lines a second")


if __name__ == "__main__":
    sys.exit(main())
