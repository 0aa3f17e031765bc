"""The folder beside an unfinished book: each sentence that is spoken, and how it was asked for."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.atomic_write import atomic_write
from pipeline.audiobook.spoken import SpokenSentence
from pipeline.errors import PipelineError

SETTINGS, CHANGES, LISTING = "settings.json", "changes.json", "sentences.tsv"


class WorkFolder:
    """Sentences are stored by a key of all that their audio depends on.

    A book that is begun again finds what was spoken before; where the text, the settings or the
    weights are others, so are the keys.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sentences = path / "sentences"

    @classmethod
    def beside(cls, out: Path) -> WorkFolder:
        """Return the folder that belongs to an output file."""
        return cls(out.with_name(f"{out.name}.work"))

    def create(self) -> None:
        """Make the folder where there is none.

        Raises:
            PipelineError: It cannot be made.
        """
        try:
            self._sentences.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PipelineError(f"Cannot make {self._sentences}: {error.strerror}") from error

    def find(self, key: str, written: str) -> SpokenSentence | None:
        """Return a sentence that was spoken before."""
        import soundfile

        path = self._path(key)
        if not path.is_file():
            return None
        with soundfile.SoundFile(path) as file:
            return SpokenSentence(
                written=written, path=path, n_samples=file.frames, warning=file.comment
            )

    def store(
        self, key: str, written: str, pcm: np.ndarray, sample_rate: int, *, warning: str
    ) -> SpokenSentence:
        """Write the int16 audio [S] of a sentence, whole or not at all."""
        import soundfile

        path = self._path(key)
        with (
            atomic_write(path) as part_path,
            soundfile.SoundFile(part_path, "w", sample_rate, 1, "PCM_16", format="FLAC") as file,
        ):
            if warning:  # libsndfile refuses an empty one
                file.comment = warning
            file.write(pcm)
        return SpokenSentence(written=written, path=path, n_samples=len(pcm), warning=warning)

    def read(self, name: str) -> dict[str, Any]:
        """Return what was written under a name; nothing where nothing was."""
        path = self.path / name
        if not path.is_file():
            return {}
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise PipelineError(f"{path} is not JSON: {error}; remove {self.path}") from error

    def write(self, name: str, content: dict[str, Any] | str) -> None:
        """Write a text, or a mapping as JSON."""
        text = content if isinstance(content, str) else json.dumps(content, indent=2)
        with atomic_write(self.path / name) as part_path:
            part_path.write_text(text, encoding="utf-8", errors="backslashreplace")

    def remove(self) -> None:
        """Delete what this folder holds, and the folder where nothing else is in it."""
        for path in [*self._sentences.glob("*.flac"), *self._sentences.glob(".*.part")]:
            path.unlink(missing_ok=True)
        for name in (SETTINGS, CHANGES, LISTING):
            (self.path / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # somebody keeps a file of theirs there
            self._sentences.rmdir()
            self.path.rmdir()

    def _path(self, key: str) -> Path:
        return self._sentences / f"{key}.flac"


def key_of(*facts: object) -> str:
    """Return the key of what audio depends on: values that JSON can write."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
