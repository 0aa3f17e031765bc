"""What is said in recordings, in the forms that people have it: lists, text files, subtitles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipeline.data.corpora import find_recordings, read_texts
from pipeline.errors import PipelineError

TEXT_SUFFIXES = (".txt", ".lab")
SUBTITLE_SUFFIXES = (".srt", ".vtt")


class Cue(NamedTuple):
    """What is said from one moment of a recording to another, in seconds from its start."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """One recording as it was found, and what is said in it."""

    name: str
    path: Path | None  # None where a list names a recording that is not there
    text: str | None  # None where nothing is known
    is_held_out: bool  # by the folder's own val.csv
    cues: tuple[Cue, ...] = ()  # of subtitles, which then hold all of the text


def find_sources(folder: Path) -> list[Source]:
    """Return the recordings of a folder and what is said in them.

    A text comes from a list of `id|text` in the folder, else from a file beside the recording that
    has its name and ends in .srt, .vtt, .txt or .lab. A single recording and a single .txt belong
    together, whatever their names. What the folder's own `val.csv` names beside a `train.csv` is
    held out.

    Raises:
        PipelineError: There are no recordings, or a list or text cannot be read.
    """
    lists = {name: folder / f"{name}.csv" for name in ("metadata", "train", "val")}
    read = {name: read_texts(path) for name, path in lists.items() if path.exists()}
    held_out = set(read.get("val", ())) if "train" in read else set()
    texts = {name: text for texts in read.values() for name, text in texts.items()}
    paths: dict[str, Path] = {}
    for path in find_recordings(folder):
        name = path.stem
        if name not in texts:
            name = "_".join(path.relative_to(folder).with_suffix("").parts).replace("|", "_")
        while name in paths:  # a.wav beside a.flac
            name += "_"
        paths[name] = path
    lone_text = _lone_text(folder) if len(paths) == 1 and not texts else None
    sources = []
    for name in dict.fromkeys([*paths, *texts]):
        recording, text = paths.get(name), texts.get(name)
        cues: tuple[Cue, ...] = ()
        if text is None and recording is not None:
            text, cues = _text_beside(recording, lone_text)
        sources.append(
            Source(
                name=name,
                path=recording,
                text=text,
                is_held_out=name in held_out,
                cues=cues,
            )
        )
    return sources


def read_cues(path: Path) -> tuple[Cue, ...]:
    """Return the cues of subtitles in SubRip or WebVTT, in order, without their markup.

    Raises:
        PipelineError: The file cannot be read as either, or holds no cue.
    """
    import pysubs2

    try:
        events = pysubs2.load(str(path), encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, pysubs2.Pysubs2Error) as error:
        raise PipelineError(f"Cannot read {path}: {error}; expected SRT or VTT in UTF-8") from error
    events.sort()
    cues = tuple(
        Cue(event.start / 1_000, event.end / 1_000, " ".join(event.plaintext.split()))
        for event in events
        if event.plaintext.strip() and event.end > event.start
    )
    if not cues:
        raise PipelineError(f"{path} holds no subtitle; expected SRT or VTT")
    return cues


def _text_beside(recording: Path, lone_text: Path | None) -> tuple[str | None, tuple[Cue, ...]]:
    """Return the text beside a recording, and its cues where they are known."""
    for suffix in SUBTITLE_SUFFIXES:
        path = recording.with_suffix(suffix)
        if path.is_file():
            cues = read_cues(path)
            return " ".join(cue.text for cue in cues), cues
    candidates = [recording.with_suffix(suffix) for suffix in TEXT_SUFFIXES]
    for path in [*candidates, *([lone_text] if lone_text else [])]:
        if path.is_file():
            return _read_text(path), ()
    return None, ()


def _lone_text(folder: Path) -> Path | None:
    """Return a folder's only text file, None where there are none or several."""
    found = sorted(folder.rglob("*.txt"))
    return found[0] if len(found) == 1 else None


def _read_text(path: Path) -> str:
    try:
        text = " ".join(path.read_text(encoding="utf-8-sig").split())
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(f"Cannot read {path}: {error}; expected a text in UTF-8") from error
    if not text:
        raise PipelineError(f"{path} is empty; expected what is said in the recording beside it")
    return text
