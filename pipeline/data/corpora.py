"""Corpora: recordings with lines of `id|text` beside them, or a plain folder of recordings."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError

AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus"),
    *(".aif", ".aiff", ".au", ".caf", ".rf64", ".w64"),
)
VALIDATION_SHARE = 0.04


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One recording and what is said in it."""

    name: str
    path: Path
    text: str  # "" where it is not known


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Clips to train on, and clips that are never trained on."""

    train: tuple[Clip, ...]
    validation: tuple[Clip, ...]


def read_corpus(folder: Path, *, seed: int) -> Corpus:
    """Return the clips of a corpus.

    `train.csv` and `val.csv` are taken as they are. A lone `metadata.csv`, or else all recordings
    in the folder and below, are split by the seed. Listed recordings lie in `wavs/`; a line is
    `id|text` or `id|raw|normalized`, of which the last field counts.

    Raises:
        PipelineError: A list is malformed, or names a recording that is not there; or there are
            fewer than two clips.
    """
    train_path, validation_path = folder / "train.csv", folder / "val.csv"
    if train_path.exists() and validation_path.exists():
        return Corpus(
            train=_read_list(train_path, folder), validation=_read_list(validation_path, folder)
        )
    metadata_path = folder / "metadata.csv"
    listed = metadata_path.exists()
    clips = list(_read_list(metadata_path, folder) if listed else _find_clips(folder))
    if len(clips) < 2:
        raise PipelineError(f"{folder} has {len(clips)} clips; expected at least 2, one to test on")
    random.Random(seed).shuffle(clips)
    n_validation = max(1, round(VALIDATION_SHARE * len(clips)))
    return Corpus(train=tuple(clips[n_validation:]), validation=tuple(clips[:n_validation]))


def find_recordings(folder: Path) -> list[Path]:
    """Return all audio files of a folder and the folders in it, in order.

    Raises:
        PipelineError: It is not a folder, or holds none.
    """
    if not folder.is_dir():
        raise PipelineError(f"{folder} is not a folder; expected one with recordings")
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()
    )
    if not paths:
        raise PipelineError(
            f"{folder} holds no recordings; expected files that end in {', '.join(AUDIO_SUFFIXES)}"
        )
    return paths


def read_texts(path: Path) -> dict[str, str]:
    """Return the text of each id of a list, in order.

    Raises:
        PipelineError: The list cannot be read, is empty, is not UTF-8, or has an id twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(
            f"Cannot read {path}: {error}; expected lines of id|text in UTF-8"
        ) from error
    texts: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        name, *fields = line.split("|")
        if not line.strip():
            continue
        if not name.strip():
            raise PipelineError(f"{path}:{number}: {line!r} has no id; expected id|text")
        if name in texts:
            raise PipelineError(f"{path}:{number}: {name!r} is there twice; expected it once")
        texts[name] = fields[-1].strip() if fields else ""
    if not texts:
        raise PipelineError(f"{path} is empty; expected lines of id|text")
    return texts


def _read_list(path: Path, folder: Path) -> tuple[Clip, ...]:
    texts = read_texts(path)
    recordings = {found.stem: found for found in find_recordings(folder / "wavs")}
    lacking = [name for name in texts if name not in recordings]
    if lacking:
        raise PipelineError(
            f"{path}: {len(lacking)} ids have no recording in {folder / 'wavs'}, "
            f"first {lacking[0]!r}"
        )
    return tuple(Clip(name=name, path=recordings[name], text=text) for name, text in texts.items())


def _find_clips(folder: Path) -> tuple[Clip, ...]:
    return tuple(
        Clip(name=path.relative_to(folder).with_suffix("").as_posix(), path=path, text="")
        for path in find_recordings(folder)
    )
