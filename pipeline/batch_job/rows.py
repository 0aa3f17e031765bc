"""Lists of sentences on disk, read row by row: text, CSV, TSV, JSON Lines and Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from pipeline.audio import FORMATS
from pipeline.errors import PipelineError
from pipeline.options import OPTIONS

REQUIRED = ("id", "text")
ALLOWED = (*REQUIRED, "voice", *OPTIONS)
MAX_NAME_BYTES = 200  # of each part of an id: file systems take 255, and suffixes are to come
MAX_ID_BYTES = 1_000  # of all: they take 4,096 for a path, and the folder's comes before

Records = Iterator[tuple[int, Mapping[str, Any]]]  # number of the row, from 1, and its columns


class Row(NamedTuple):
    """One sentence as it was listed; its id is checked, its text and settings are not yet."""

    number: int  # of the row, from 1; in text files, of the line
    place: str  # for messages: the file and the number
    id: str
    text: str
    settings: dict[str, Any]  # voice and options, those that the row gives


def read_rows(path: Path) -> Iterator[Row]:
    """Return the rows of a file, whose suffix chooses the format; they are read one by one.

    Raises:
        PipelineError: The file cannot be read, a column is missing or unknown, or an id cannot be
            the name of a file inside the folder of the audio.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        expected = ", ".join(sorted(READERS))
        raise PipelineError(f"{path} ends in {path.suffix!r}; expected one of {expected}")
    if not path.is_file():
        raise PipelineError(f"{path} does not exist, or is no file; expected a list of sentences")
    return _rows(path, reader)


def _rows(path: Path, reader: Callable[[Path], Records]) -> Iterator[Row]:
    try:
        for number, record in reader(path):
            yield _row(path, number, record)
    except UnicodeDecodeError as error:
        raise PipelineError(f"{path} is not UTF-8 ({error.reason}); convert it") from error
    except OSError as error:
        raise PipelineError(f"Cannot read {path}: {error.strerror or error}") from error


def _read_text(path: Path) -> Records:
    """Read a sentence a line; blank lines are skipped, and the line's number is the id."""
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, {"id": f"{number:09}", "text": line.strip()}


def _read_csv(path: Path) -> Records:
    return _read_table(path, delimiter=",", quoting=csv.QUOTE_MINIMAL)


def _read_tsv(path: Path) -> Records:
    """Read tab-separated values, in which quotation marks are part of the text."""
    return _read_table(path, delimiter="\t", quoting=csv.QUOTE_NONE)


def _read_table(path: Path, *, delimiter: str, quoting: Any) -> Records:
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.reader(file, delimiter=delimiter, quoting=quoting, strict=True)
        try:
            header = next(table, [])
            _check_columns(f"{path}, line 1", header)
            for number, cells in enumerate((cells for cells in table if cells), start=1):
                if len(cells) != len(header):
                    raise PipelineError(
                        f"{path}, line {table.line_num} has {len(cells)} cells, expected "
                        f"{len(header)} as in line 1; quote what holds the separator"
                    )
                yield number, dict(zip(header, cells, strict=True))
        except csv.Error as error:
            raise PipelineError(f"{path}, line {table.line_num} is malformed: {error}") from error


def _read_jsonl(path: Path) -> Records:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise PipelineError(f"{path}, line {number} is not JSON: {error}") from error
            if not isinstance(record, dict):
                raise PipelineError(f"{path}, line {number} is not a JSON object")
            _check_columns(f"{path}, line {number}", record)
            yield number, record


def _read_parquet(path: Path) -> Records:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check_columns(str(path), file.schema_arrow.names)
            number = 0
            for batch in file.iter_batches(batch_size=1_000):
                for record in batch.to_pylist():
                    number += 1
                    yield number, record
    except pyarrow.ArrowException as error:
        raise PipelineError(f"Cannot read {path} as Parquet: {error}") from error


READERS: dict[str, Callable[[Path], Records]] = {
    ".txt": _read_text,
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}


def _check_columns(place: str, names: Collection[str]) -> None:
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in ALLOWED]
    if missing or unknown or len(set(names)) != len(names):
        raise PipelineError(
            f"{place} has the columns {', '.join(map(repr, names)) or '(none)'}; expected id and "
            f"text, and of {', '.join(ALLOWED[2:])} those that are needed"
        )


def _row(path: Path, number: int, record: Mapping[str, Any]) -> Row:
    place = f"{path}, row {number}"
    name, text = record["id"], record["text"]
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    for column, value in (("id", name), ("text", text)):
        if not isinstance(value, str):
            raise PipelineError(f"{place} has the {column} {value!r}; expected a string")
    _check_id(place, name)
    settings = {key: record[key] for key in ALLOWED[2:] if record.get(key) not in (None, "")}
    return Row(number, place, name, text, settings)


def _check_id(place: str, name: str) -> None:
    """Raise PipelineError where an id is no plain path below a folder."""
    parts = PurePosixPath(name).parts
    is_plain = (
        name.isprintable()  # no control characters, no halves of surrogate pairs
        and name == "/".join(parts)
        and all(not part.startswith(".") for part in parts)
        and all(len(part.encode()) <= MAX_NAME_BYTES for part in parts)
        and len(name.encode()) <= MAX_ID_BYTES
        and not any(part.endswith(tuple(FORMATS)) for part in parts[:-1])  # 1.wav/2, beside 1
    )
    if not parts or not is_plain:
        raise PipelineError(
            f"{place} has the id {name!r}, which cannot name a file inside the output folder; "
            f"expected a name such as 0001 or book/0001, of at most {MAX_NAME_BYTES} bytes a part "
            f"and {MAX_ID_BYTES} in all, no part beginning with a dot, no folder ending in .wav or "
            "another suffix of audio"
        )
