"""The folder beside an unfinished book: each sentence that is spoken, and how it was asked for."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
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
        path = self._path(key)
        facts = self._read(path.with_suffix(".json"))
        if not path.is_file() or not facts:
            return None
        return SpokenSentence(
            written=written, path=path, n_samples=facts["n_samples"], warning=facts["warning"]
        )

    def store(
        self, key: str, written: str, pcm: np.ndarray, sample_rate: int, facts: Mapping[str, Any]
    ) -> SpokenSentence:
        """Write a sentence, whole or not at all.

        Args:
            key: What `key_of` made of all that its audio depends on.
            written: Its text.
            pcm: Int16 [S].
            sample_rate: Of the audio, Hz.
            facts: Its "warning", "" where all went well, and its "sentences".
        """
        import soundfile

        path = self._path(key)
        self._write(path.with_suffix(".json"), json.dumps({"n_samples": len(pcm), **facts}))
        with atomic_write(path) as part_path:
            soundfile.write(part_path, pcm, sample_rate, "PCM_16", format="FLAC")
        return SpokenSentence(
            written=written, path=path, n_samples=len(pcm), warning=facts["warning"]
        )

    def read(self, name: str) -> dict[str, Any]:
        """Return what was written under a name; nothing where nothing was."""
        return self._read(self.path / name)

    def _read(self, path: Path) -> dict[str, Any]:
        if not path.is_file():
            return {}
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise PipelineError(f"{path} is not JSON: {error}; remove {self.path}") from error

    def write(self, name: str, content: dict[str, Any] | str) -> None:
        """Write a text, or a mapping as JSON."""
        text = content if isinstance(content, str) else json.dumps(content, indent=2)
        self._write(self.path / name, text)

    def remove(self) -> None:
        """Delete what this folder holds, and the folder where nothing else is in it."""
        for pattern in ("*.flac", "*.json", ".*.part"):
            for path in self._sentences.glob(pattern):
                path.unlink(missing_ok=True)
        for name in (SETTINGS, CHANGES, LISTING):
            (self.path / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # somebody keeps a file of theirs there
            self._sentences.rmdir()
            self.path.rmdir()

    def _write(self, path: Path, text: str) -> None:
        with atomic_write(path) as part_path:
            part_path.write_text(text, encoding="utf-8", errors="backslashreplace")

    def _path(self, key: str) -> Path:
        return self._sentences / f"{key}.flac"


def key_of(*facts: object) -> str:
    """Return the key of what audio depends on: values that JSON can write."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
