"""Files appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import PipelineError

PART_NAME = re.compile(r"\.(.+)\.\d+\.part")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends well.

    Raises:
        PipelineError: The file cannot be written; what was at `path` before is still there.
    """
    part_path = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part_path
        part_path.replace(path)
    except OSError as error:
        raise PipelineError(f"Cannot write {path}: {error.strerror or error}") from error
    finally:
        part_path.unlink(missing_ok=True)


def leftovers(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield what killed processes left below a folder: the path that was meant, and the part."""
    for part_path in folder.rglob(".*.part"):
        if match := PART_NAME.fullmatch(part_path.name):
            yield part_path.with_name(match[1]), part_path
