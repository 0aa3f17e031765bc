"""From a folder of recordings as people have them to a corpus: cut, vetted, levelled, split."""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from pipeline.audio import read_mono, resample, write_audio
from pipeline.data.cutting import cut_points
from pipeline.data.long_recordings import Piece, pieces_of_cues, sentence_cues
from pipeline.data.transcripts import Source, find_sources
from pipeline.data.vetting import Measurements, measure, rejection_reason
from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig, log_mel

MIN_SPEECH_SECONDS = 60.0
MIN_SPEECH_CLIPS = 2  # one to train on, one to hold out
MAX_TEXT_SECONDS = 20.0  # attention over longer ones does not fit into memory
MAX_PEAK = 0.95  # gain stops here
ACTIVE_DB = 30.0  # mel frames that far below the loudest do not count for the level
VALIDATION_SHARE = 0.05
MIN_VALIDATION, MAX_VALIDATION = 8, 40  # clips, but never more than a fifth of all
NOTHING = np.zeros(0, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Vetted:
    """One clip and what became of it."""

    name: str
    source: str  # file, from the folder that was given
    measured: Measurements | None  # None where the file could not be read
    gain_db: float
    text: str
    is_held_out: bool
    left_out: str  # the reason, "" for a clip that is used


def prepare(
    folder: Path,
    out: Path,
    *,
    audio: AudioConfig,
    level_db: float,
    needs_text: bool,
    seed: int,
    report: Callable[[Sequence[Vetted]], None],
) -> None:
    """Write a corpus of a folder's good clips, whole or not at all.

    Args:
        folder: Recordings in any format and rate, nested or not; with or without their texts, as
            `find_sources` knows them.
        out: Where `wavs/`, `train.csv` and `val.csv` go.
        audio: Settings of the voice; clips are mono at its sample rate.
        level_db: What `speech_level` of the clips shall be.
        needs_text: Leave out clips of which it is not known what is said.
        seed: Of the split.
        report: Is told what was found, before it is judged whether that is enough.

    Raises:
        PipelineError: There are no recordings, or too little good speech.
    """
    sources = find_sources(folder)
    part_dir = out.with_name(f".{out.name}.part")
    shutil.rmtree(part_dir, ignore_errors=True)
    seen: dict[str, str] = {}
    vetted: list[Vetted] = []
    try:
        (part_dir / "wavs").mkdir(parents=True)
        for source in tqdm(sources, desc="vetting", unit="file", dynamic_ncols=True):
            clips = vet_source(source, folder, audio, level_db, needs_text=needs_text, seen=seen)
            for clip, samples in clips:
                vetted.append(clip)
                if not clip.left_out:
                    path = part_dir / "wavs" / f"{clip.name}.flac"
                    write_audio(path, samples, audio.sample_rate)
        report(vetted)
        _check_amount(vetted)
        _write_lists([clip for clip in vetted if not clip.left_out], part_dir, seed)
        part_dir.replace(out)
    except OSError as error:
        raise PipelineError(f"cannot write {out}: {error.strerror}") from error
    finally:
        shutil.rmtree(part_dir, ignore_errors=True)


def vet_source(
    source: Source,
    folder: Path,
    audio: AudioConfig,
    level_db: float,
    *,
    needs_text: bool,
    seen: dict[str, str],
) -> Iterator[tuple[Vetted, np.ndarray]]:
    """Yield the clips of one recording, each with its audio [S] at the voice's rate and level.

    Args:
        source: The recording.
        folder: That names of files are given from.
        audio: Settings of the voice.
        level_db: The voice's `speech_level`.
        needs_text: Leave out clips without text.
        seen: Names of clips by their fingerprint, to know copies by; it grows.
    """
    file = "" if source.path is None else source.path.relative_to(folder).as_posix()
    clip = Vetted(
        name=source.name,
        source=file,
        measured=None,
        gain_db=0.0,
        text=source.text or "",
        is_held_out=source.is_held_out,
        left_out="a list names it, but there is no such recording",
    )
    if source.path is None:
        yield clip, NOTHING
        return
    try:
        samples, rate = read_mono(source.path)
    except PipelineError as error:
        yield replace(clip, left_out=str(error)), NOTHING
        return
    pieces = _pieces(source, samples, rate)
    clips = []
    for number, (start, end, text) in enumerate(pieces, start=1):
        name = source.name if len(pieces) == 1 else f"{source.name}-{number:03}"
        piece = samples[start:end]
        found = replace(clip, name=name, text=text, measured=measure(piece, rate))
        reason = _reason(found, source.text, needs_text=needs_text, seen=seen)
        clips.append((replace(found, left_out=reason), piece))
    yield from _level(clips, rate, audio, level_db)


def _pieces(source: Source, samples: np.ndarray, rate: int) -> list[Piece]:
    """Return the clips of a recording with their texts, "" where a text is not known or not found.

    A recording with a text that is short enough to be one clip stays whole.
    """
    if source.text is not None and len(samples) <= MAX_TEXT_SECONDS * rate:
        return [Piece(0, len(samples), source.text)]
    cues = source.cues
    if source.text is not None and not cues:
        cues = sentence_cues(source.text, samples, rate) or ()
    if cues:
        return pieces_of_cues(cues, samples, rate)
    return [Piece(start, end, "") for start, end in pairwise(cut_points(samples, rate))]


def speech_level(mels: Sequence[np.ndarray]) -> float:
    """Return the level of speech in dB from log mels [M, T]: its power while somebody speaks.

    The mel is what a vocoder sees; two voices of the same level fill the same range of it.
    """
    power = np.concatenate([np.exp(2.0 * mel).sum(axis=0) for mel in mels])  # [frames]
    active = power[power > power.max() * 10.0 ** (-ACTIVE_DB / 10.0)]
    return float(10.0 * np.log10(active.mean()))


def _reason(clip: Vetted, known_text: str | None, *, needs_text: bool, seen: dict[str, str]) -> str:
    """Return why a clip is left out, or "" for one to use; of its recording all text is given."""
    assert clip.measured is not None
    reason = rejection_reason(clip.measured)
    if reason is not None:
        return reason
    first = seen.setdefault(clip.measured.fingerprint, clip.name)
    if first != clip.name:
        return f"the same recording as {first}"
    if needs_text and not clip.text:
        return (
            "the recognizer does not find the recording's text in it"
            if known_text
            else "nothing says what is spoken in it"
        )
    if needs_text and clip.measured.seconds > MAX_TEXT_SECONDS:
        return f"{clip.measured.seconds:.0f} s long, with text at most {MAX_TEXT_SECONDS:.0f} s"
    return ""


def _level(
    clips: list[tuple[Vetted, np.ndarray]], rate: int, audio: AudioConfig, level_db: float
) -> Iterator[tuple[Vetted, np.ndarray]]:
    """Yield the clips of one recording at the voice's rate, all with the same gain."""
    ready = [
        (
            clip,
            NOTHING if clip.left_out else resample(piece - piece.mean(), rate, audio.sample_rate),
        )
        for clip, piece in clips
    ]
    good = [piece for clip, piece in ready if not clip.left_out]
    gain_db = 0.0
    if good:
        mels = [log_mel(torch.from_numpy(piece)[None], audio)[0].numpy() for piece in good]
        peak_db = 20.0 * math.log10(max(float(np.abs(piece).max()) for piece in good))
        gain_db = min(level_db - speech_level(mels), 20.0 * math.log10(MAX_PEAK) - peak_db)
    for clip, piece in ready:
        factor = np.float32(10.0 ** (gain_db / 20.0))
        yield (clip if clip.left_out else replace(clip, gain_db=gain_db)), piece * factor


def _check_amount(vetted: Sequence[Vetted]) -> None:
    good = [clip for clip in vetted if not clip.left_out]
    seconds = sum(clip.measured.seconds for clip in good if clip.measured)
    if seconds >= MIN_SPEECH_SECONDS and len(good) >= MIN_SPEECH_CLIPS:
        return
    bad = [f"{clip.name}: {clip.left_out}" for clip in vetted if clip.left_out]
    raise PipelineError(
        f"{seconds:.0f} s of good speech in {len(good)} clips; at least {MIN_SPEECH_SECONDS:.0f} s "
        f"in {MIN_SPEECH_CLIPS} clips are needed, twenty minutes are recommended"
        + "".join(f"\n  left out {line}" for line in bad[:20])
        + (f"\n  and {len(bad) - 20} more" if len(bad) > 20 else "")
    )


def _write_lists(good: Sequence[Vetted], folder: Path, seed: int) -> None:
    order = list(good)
    random.Random(seed).shuffle(order)
    held_out = [clip for clip in order if clip.is_held_out]
    if not held_out:
        wanted = min(max(round(VALIDATION_SHARE * len(order)), MIN_VALIDATION), MAX_VALIDATION)
        held_out = order[: max(1, min(wanted, len(order) // 5))]
    for name, clips in (("val", held_out), ("train", [c for c in order if c not in held_out])):
        lines = sorted(f"{clip.name}|{clip.text}\n" for clip in clips)
        (folder / f"{name}.csv").write_text("".join(lines), encoding="utf-8")
