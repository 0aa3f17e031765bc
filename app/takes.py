"""What was read into the microphone for voices to come: a folder a voice, texts beside takes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from pipeline.atomic_write import atomic_write


class Kept(NamedTuple):
    """The takes of one voice."""

    prompts: frozenset[int]  # numbers of those that are recorded
    seconds: float


class Takes:
    """Takes by the name of the voice that they are for; they last until it is made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, voice: str, prompt: int, text: str, recording: Path) -> None:
        """Keep a recording of a prompt, instead of an earlier one of the same.

        Args:
            voice: A name that `check_name` accepts.
            prompt: Its number.
            text: What is read.
            recording: A wav file, which is copied.
        """
        folder = self._folder / voice
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"prompt-{prompt:03}.wav"
        with atomic_write(path) as part_path:
            shutil.copyfile(recording, part_path)
        with atomic_write(path.with_suffix(".txt")) as part_path:
            part_path.write_text(text + "\n", encoding="utf-8")

    def take_back(self, voice: str) -> int | None:
        """Delete the take kept last and return its prompt's number, None where there is none."""
        paths = sorted(self._recordings(voice), key=lambda path: path.stat().st_mtime_ns)
        if not paths:
            return None
        for path in (paths[-1], paths[-1].with_suffix(".txt")):
            path.unlink(missing_ok=True)
        return _prompt(paths[-1])

    def kept(self, voice: str) -> Kept:
        """Return what there is for a voice."""
        import soundfile

        paths = self._recordings(voice)
        return Kept(
            prompts=frozenset(_prompt(path) for path in paths),
            seconds=sum(soundfile.info(path).duration for path in paths),
        )

    def files(self, voice: str) -> list[Path]:
        """Return the recordings of a voice and their texts."""
        return [
            path for take in self._recordings(voice) for path in (take, take.with_suffix(".txt"))
        ]

    def discard(self, voice: str) -> None:
        """Delete all takes of a voice."""
        shutil.rmtree(self._folder / voice, ignore_errors=True)

    def _recordings(self, voice: str) -> list[Path]:
        return sorted((self._folder / voice).glob("prompt-*.wav"))


def _prompt(path: Path) -> int:
    return int(path.stem.removeprefix("prompt-"))
