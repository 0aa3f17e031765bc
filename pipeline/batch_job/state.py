"""What is asked for and what is done, in an SQLite file that survives being killed."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.atomic_write import atomic_write, leftovers
from pipeline.batch_job.forkserver import THREADS
from pipeline.batch_job.requests import Request
from pipeline.batch_job.worker import Result
from pipeline.errors import PipelineError

COMMIT_SECONDS = 1.0  # what is lost when killed is spoken again, into the same samples
PAGE = 1_000  # requests read at a time
SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, key TEXT NOT NULL, request TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS results (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, size_bytes INTEGER, facts TEXT NOT NULL
) WITHOUT ROWID;
"""
TOGETHER = "requests LEFT JOIN results USING (id, key)"


class Counts(NamedTuple):
    """How many sentences are listed, and of these with audio and without."""

    listed: int
    spoken: int
    missing: int


class State:
    """The requests of one run, and the results of this and all runs before; one process's alone."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._committed = time.monotonic()

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[State]:
        """Open the file, or make it, and lock it until the end.

        Raises:
            PipelineError: Another process has it open, it is damaged, or the disk is full.
        """
        try:
            connection = sqlite3.connect(path, timeout=0)
            try:
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                connection.execute("BEGIN EXCLUSIVE").connection.commit()
                connection.executescript(SCHEMA)
                yield cls(path, connection)
                connection.commit()
            finally:
                connection.close()
        except sqlite3.Error as error:
            hint = (
                "another run writes to the same folder; wait for it"
                if "locked" in str(error)
                else "free space on the disk, or remove this file to begin again"
            )
            raise PipelineError(f"Cannot keep {path}: {error}; {hint}") from error

    def ask(self, requests: Iterable[tuple[str, Request]]) -> None:
        """Replace what is asked for, and forget results whose files are gone.

        Args:
            requests: Each with its place in the input, for messages.

        Raises:
            PipelineError: Two requests have the same id.
        """
        self._connection.execute("DELETE FROM requests")
        for place, request in requests:
            row = (request.row, request.id, request.key, json.dumps(request._asdict()))
            try:
                self._connection.execute("INSERT INTO requests VALUES (?, ?, ?, ?)", row)
            except sqlite3.IntegrityError:
                raise PipelineError(
                    f"{place} has the id {request.id!r}, and so has a row before; ids must differ"
                ) from None
        self._connection.commit()
        self._forget_lost_files()

    def missing(self) -> Iterator[Request]:
        """Yield what has no audio yet, failures included, in the order of the list."""
        row = -1
        while page := self._connection.execute(
            f"SELECT row, request FROM {TOGETHER} WHERE size_bytes IS NULL AND row > ? "
            f"ORDER BY row LIMIT {PAGE}",
            (row,),
        ).fetchall():
            row = page[-1][0]
            yield from (Request(**json.loads(request)) for _, request in page)

    def record(self, request: Request, result: Result) -> None:
        """Keep what became of a request."""
        self._connection.execute(
            "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)",
            (request.id, request.key, result.size_bytes, json.dumps(result.facts)),
        )
        if time.monotonic() - self._committed > COMMIT_SECONDS:
            self._connection.commit()
            self._committed = time.monotonic()

    def counts(self) -> Counts:
        """Count what is listed, spoken and missing."""
        listed, spoken = self._connection.execute(
            f"SELECT count(*), count(size_bytes) FROM {TOGETHER}"
        ).fetchone()
        return Counts(listed, spoken, listed - spoken)

    def write_manifest(self, path: Path) -> None:
        """Write a JSON object a line for each request, in the order of the list, or nothing."""
        rows = self._connection.execute(f"SELECT request, facts FROM {TOGETHER} ORDER BY row")
        with atomic_write(path) as part_path, part_path.open("w", encoding="utf-8") as file:
            for request, facts in rows:
                entry = _entry(Request(**json.loads(request)), json.loads(facts))
                file.write(json.dumps(entry) + "\n")

    def remove_leftovers(self) -> None:
        """Remove the half-written files that a killed run left of what is asked for here."""
        folder = self.path.parent
        for target, part_path in leftovers(folder):
            name = str(target.relative_to(folder).with_suffix(""))
            if self._connection.execute("SELECT 1 FROM requests WHERE id = ?", (name,)).fetchone():
                part_path.unlink(missing_ok=True)

    def _forget_lost_files(self) -> None:
        kept = self._connection.execute(
            f"SELECT id, request, size_bytes FROM {TOGETHER} WHERE size_bytes IS NOT NULL"
        )
        lost = [
            (name,)
            for name, request, size_bytes in kept
            if _size(self.path.parent / json.loads(request)["file"]) != size_bytes
        ]
        self._connection.executemany("DELETE FROM results WHERE id = ?", lost)
        self._connection.commit()


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _entry(request: Request, facts: dict[str, Any]) -> dict[str, Any]:
    """Return a line of the manifest; how long it took is left out, so that it can be compared."""
    return {
        "row": request.row,
        "id": request.id,
        "text": request.text,
        "options": request.options,
        "device": request.device,
        "threads": THREADS,
        **facts,
    }
