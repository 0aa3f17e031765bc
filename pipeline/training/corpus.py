"""LJSpeech-style corpora: a folder of recordings with lines of `id|text` beside it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError

AUDIO_SUFFIXES = (".flac", ".wav", ".ogg", ".mp3")
VALIDATION_SHARE = 0.04


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One recording and what is said in it."""

    name: str
    path: Path
    text: str


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Clips to train on, and clips that are never trained on."""

    train: tuple[Clip, ...]
    validation: tuple[Clip, ...]


def read_corpus(folder: Path, *, seed: int) -> Corpus:
    """Return the clips of a corpus.

    `train.csv` and `val.csv` are taken as they are; a lone `metadata.csv` is split by the seed.
    Recordings lie in `wavs/`. A line is `id|text` or `id|raw|normalized`; the last field counts.

    Raises:
        PipelineError: A list is missing, malformed, or names a recording that is not there.
    """
    if not folder.is_dir():
        raise PipelineError(f"{folder} is not a folder; expected a corpus with metadata.csv")
    train_path, validation_path = folder / "train.csv", folder / "val.csv"
    if train_path.exists() and validation_path.exists():
        return Corpus(
            train=_read_list(train_path, folder), validation=_read_list(validation_path, folder)
        )
    clips = list(_read_list(folder / "metadata.csv", folder))
    if len(clips) < 2:
        raise PipelineError(f"{folder} has {len(clips)} clips; expected at least 2, one to test on")
    random.Random(seed).shuffle(clips)
    n_validation = max(1, round(VALIDATION_SHARE * len(clips)))
    return Corpus(train=tuple(clips[n_validation:]), validation=tuple(clips[:n_validation]))


def _read_list(path: Path, folder: Path) -> tuple[Clip, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = list((folder / "wavs").iterdir())
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(
            f"cannot read {path} and its recordings: {error}; expected lines of id|text in UTF-8 "
            "and recordings in wavs/"
        ) from error
    recordings = {path.stem: path for path in found if path.suffix.lower() in AUDIO_SUFFIXES}
    clips = []
    for number, line in enumerate(lines, start=1):
        name, *texts = line.split("|")
        if not texts or not texts[-1].strip():
            raise PipelineError(f"{path}:{number}: {line!r} has no text; expected id|text")
        if name not in recordings:
            raise PipelineError(f"{path}:{number}: {name!r} has no recording in {folder / 'wavs'}")
        clips.append(Clip(name=name, path=recordings[name], text=texts[-1].strip()))
    if not clips:
        raise PipelineError(f"{path} is empty; expected lines of id|text")
    return tuple(clips)
