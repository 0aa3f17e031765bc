"""The folder of uploads: no more than a quota, and nothing that is old."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

MAX_AGE_SECONDS = 3_600.0  # as long as the page itself keeps its copies of files
LEFTOVER_SECONDS = 120.0  # after which a file that an upload was writing is given up


def own_uploads_dir() -> Path:
    """Return a folder that nothing else is kept in: old files there are deleted.

    It lies where the user wants Gradio's files, and else in the user's cache.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("GRADIO_TEMP_DIR") or home, "tacoglow-uploads")


class Uploads:
    """A folder that uploads are written to, in a subfolder each once they are whole."""

    def __init__(
        self, folder: Path, *, max_bytes: int, max_age_seconds: float = MAX_AGE_SECONDS
    ) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._max_age_seconds = max_age_seconds

    def free_bytes(self) -> int:
        """Delete what is old or was left half-written; return how much may still come.

        That is what the quota leaves, and no more than the disk has room for.
        """
        now = time.time()
        used = 0
        for path in sorted(self.folder.rglob("*"), reverse=True):  # what is inside comes first
            with contextlib.suppress(OSError):  # others delete too
                used += self._keep_or_delete(path, now)
        return max(0, min(self.max_bytes - used, self._room_on_disk()))

    def _room_on_disk(self) -> int:
        place = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        return shutil.disk_usage(place).free

    def _keep_or_delete(self, path: Path, now: float) -> int:
        """Return the size of a file that stays."""
        facts = path.lstat()
        age = now - facts.st_mtime
        if path.is_dir() and not path.is_symlink():
            if age > self._max_age_seconds:
                path.rmdir()  # fails, and is meant to, where something is inside
            return 0
        is_half_written = path.parent == self.folder
        if age > (LEFTOVER_SECONDS if is_half_written else self._max_age_seconds):
            path.unlink()
            return 0
        return facts.st_size
