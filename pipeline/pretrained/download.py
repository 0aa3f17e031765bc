"""Downloads one large file: resumes, checks sizes and disk first, tries every mirror."""

from __future__ import annotations

import email.message
import http.client
import json
import re
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from pipeline.errors import PipelineError

CHUNK_BYTES = 1 << 18
TIMEOUT_SECONDS = 30.0
MAX_FILE_BYTES = 1 << 33
MAX_FAILURES = 4  # in a row, at one mirror, without a single byte
MAX_TRIES = 100
MAX_WAIT_SECONDS = 30.0

Progress = Callable[[int, int | None], None]  # bytes there, bytes in all if known


class MirrorError(Exception):
    """This mirror has not got the file; another may."""


class _TryAgainError(Exception):
    """The connection failed; what came is kept."""

    def __init__(self, reason: str, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds


@dataclass(frozen=True)
class _Part:
    """What has come so far, and the mark by which the server knows which file it was."""

    path: Path

    @property
    def mark_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.mark")

    @property
    def size_bytes(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def mark(self, url: str) -> str:
        """Return the mark that this server gave, or nothing."""
        try:
            saved = json.loads(self.mark_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        return str(saved.get("mark", "")) if saved.get("url") == url else ""

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.mark_path.unlink(missing_ok=True)


def download(
    mirrors: Sequence[str],
    path: Path,
    *,
    size_bytes: int | None = None,
    progress: Progress = lambda _there, _total: None,
    wait: Callable[[float], None] = time.sleep,
) -> str:
    """Download a file, whole or not at all, and return the address it came from.

    What had come of it before, in this run or an earlier one, lies beside it and is gone on from
    if the server still has the same file.

    Args:
        mirrors: Addresses to try in this order.
        path: Where the file shall be.
        size_bytes: What it must have, where that is known.
        progress: Is told how much has come.
        wait: Waits between tries.

    Raises:
        PipelineError: No mirror has it, or the disk is too small.
    """
    part = _Part(path.with_name(f"{path.name}.part"))
    reasons = []
    for url in mirrors:
        try:
            _download_from(url, part, size_bytes, progress, wait)
        except MirrorError as error:
            reasons.append(f"{urlsplit(url).hostname}: {error}")
            continue
        part.path.replace(path)
        part.discard()
        return url
    raise PipelineError(
        f"Cannot download {path.name} ({'; '.join(reasons)}); behind a proxy set HTTPS_PROXY, "
        "without internet bring the file by other means and give --from-file"
    )


def _download_from(
    url: str,
    part: _Part,
    size_bytes: int | None,
    progress: Progress,
    wait: Callable[[float], None],
) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise MirrorError("is not a web address")
    failures = 0
    for _ in range(MAX_TRIES):
        before = part.size_bytes
        try:
            _continue(url, part, size_bytes, progress)
            return
        except _TryAgainError as error:
            failures = 0 if part.size_bytes > before else failures + 1
            if failures >= MAX_FAILURES:
                raise MirrorError(str(error)) from error
            wait(min(error.wait_seconds or 2.0**failures, MAX_WAIT_SECONDS))
    raise MirrorError(f"broke off {MAX_TRIES} times")


def _continue(url: str, part: _Part, size_bytes: int | None, progress: Progress) -> None:
    """Ask for the bytes that are missing and write them behind those that are there."""
    there = part.size_bytes
    mark = part.mark(url)
    headers = {"User-Agent": "tacoglow"}
    if there and mark:
        headers |= {"Range": f"bytes={there}-", "If-Range": mark}
    with _open(urllib.request.Request(url, headers=headers), part) as response:
        start, total = _announced(response, there if "Range" in headers else 0, part)
        _check_announced(response, total, size_bytes)
        total = total if total is not None else size_bytes
        if total is not None:
            _check_disk(part.path.parent, 2 * total - start)
        new_mark = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        if new_mark.startswith("W/"):
            new_mark = ""  # a weak one does not promise the same bytes
        part.mark_path.write_text(json.dumps({"url": url, "mark": new_mark}), encoding="utf-8")
        with part.path.open("r+b" if start else "wb") as file:
            file.seek(start)
            _copy(response, file, total, progress)
    if total is not None and part.size_bytes != total:
        raise _TryAgainError(f"the connection ended after {part.size_bytes} of {total} bytes")


def _open(request: urllib.request.Request, part: _Part) -> http.client.HTTPResponse:
    opener = urllib.request.build_opener(SafeRedirects)
    try:
        response = opener.open(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.discard()
            raise _TryAgainError("what had come did not fit the file, began anew") from error
        told = f"{error.code} {error.reason}".partition("\n")[0]
        if error.code >= 500 or error.code == http.HTTPStatus.TOO_MANY_REQUESTS:
            raise _TryAgainError(told, _seconds(error.headers)) from error
        raise MirrorError(told) from error
    except urllib.error.URLError as error:
        raise _TryAgainError(str(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _TryAgainError(str(error) or type(error).__name__) from error
    assert isinstance(response, http.client.HTTPResponse)
    return response


class SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect from https to anything less."""

    def redirect_request(  # noqa: PLR0917 - the library's signature
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Follow, but never from https to anything less."""
        if urlsplit(req.full_url).scheme == "https" != urlsplit(newurl).scheme:
            raise MirrorError(f"redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _announced(
    response: http.client.HTTPResponse, asked_from: int, part: _Part
) -> tuple[int, int | None]:
    """Return where the bytes begin that the server sends, and how long the whole file is."""
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        told = response.headers.get("Content-Range", "")
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", told)
        if asked_from and found and int(found[1]) == asked_from:
            return asked_from, None if found[3] == "*" else int(found[3])
        part.discard()
        raise _TryAgainError(f"sent the range {told!r} where bytes from {asked_from} were asked")
    length = response.headers.get("Content-Length")
    return 0, int(length) if length and length.isdigit() else None


def _check_announced(
    response: http.client.HTTPResponse, total: int | None, size_bytes: int | None
) -> None:
    if response.headers.get_content_type() == "text/html":
        raise MirrorError("sends a web page instead of the file")
    if total is not None and size_bytes is not None and total != size_bytes:
        raise MirrorError(f"has a file of {total} bytes, expected {size_bytes}")
    if total is not None and total > MAX_FILE_BYTES:
        raise MirrorError(f"has a file of {total} bytes, which no checkpoint has")


def _check_disk(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise PipelineError(
            f"{folder} has {free / 1e6:.0f} MB free, {needed / 1e6:.0f} MB are needed: for the "
            "file and for what it is converted to"
        )


def _copy(
    response: http.client.HTTPResponse, file: IO[bytes], total: int | None, progress: Progress
) -> None:
    limit = MAX_FILE_BYTES if total is None else total
    for chunk in _chunks(response):
        if file.tell() + len(chunk) > limit:
            raise MirrorError(f"sends more than the {limit} bytes it announced")
        try:
            file.write(chunk)
        except OSError as error:
            raise PipelineError(f"Cannot write {file.name}: {error.strerror}") from error
        progress(file.tell(), total)


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := response.read(CHUNK_BYTES):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise _TryAgainError(str(error) or "the connection was cut") from error


def _seconds(headers: email.message.Message) -> float | None:
    told = headers.get("Retry-After", "")
    return float(told) if told.isdigit() else None


class ProgressBar:
    """Shows on stderr how much has come: a bar on a terminal, a line every tenth elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started = time.monotonic()
        self._from_bytes: int | None = None
        self._shown = -1

    def __call__(self, there: int, total: int | None) -> None:
        """Show the state, if it differs from the last one shown."""
        if self._from_bytes is None:
            self._from_bytes = there
        steps = 1_000 if sys.stderr.isatty() else 10
        step = there * steps // total if total else there // 10_000_000
        if step == self._shown and there != total:
            return
        self._shown = step
        seconds = max(time.monotonic() - self._started, 1e-3)
        rate = (there - self._from_bytes) / seconds / 1e6
        told = f"{there / 1e6:.1f} MB"
        if total:
            filled = 30 * there // total
            told = f"[{'#' * filled:<30}] {100 * there // total:3d} % of {total / 1e6:.1f} MB"
        end = "\r" if sys.stderr.isatty() and there != total else "\n"
        print(f"{self._name} {told}, {rate:.1f} MB/s  ", end=end, file=sys.stderr, flush=True)
