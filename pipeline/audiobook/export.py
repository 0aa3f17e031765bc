"""A spoken book to files: audio in every format, M4B with chapters, a zip of chapters."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from unidecode import unidecode

from pipeline.atomic_write import atomic_write
from pipeline.audio import BOOK_FORMATS, FORMATS
from pipeline.audiobook.captions import write_book_captions
from pipeline.audiobook.spoken import SpokenBook, SpokenChapter
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    import av
    import soundfile

OPUS_RATE = 24_000  # Hz; Opus has no 22,050
AAC_BITS_A_SECOND = 64_000
AAC_CODER = "fast"  # half the time of FFmpeg's default, and as near to speech: 26.3 dB both
_MAX_WAV_BYTES = 2**32 - 1_024  # a header of WAV has 32 bits for the length
_MAX_NAME = 60  # characters of a chapter's file
_BLOCK = 65_536  # samples that are encoded at once


class Sink(Protocol):
    """Takes the audio of a file piece by piece."""

    def write(self, pcm: np.ndarray) -> None:
        """Append int16 [S]."""


def check_book_format(path: Path) -> None:
    """Raise what would be raised after hours of speaking: a package that is missing."""
    if path.suffix.lower() == ".m4b":
        import av  # noqa: F401


def write_book(path: Path, book: SpokenBook, *, captions: str = "") -> None:
    """Write a book; the suffix chooses wav, flac, ogg, opus, mp3, m4b, or a zip of chapters.

    A zip holds mp3 files; `book.flac.zip` holds what it says. The file appears whole or not at all,
    and no more than a sentence of it is in memory.

    Args:
        path: The file.
        book: What was spoken.
        captions: In a zip, the suffix of captions beside each chapter; none by default.

    Raises:
        PipelineError: Nothing is heard in the book, the suffix is another, a wav would be too
            long, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in BOOK_FORMATS:
        raise PipelineError(
            f"{path} ends in {path.suffix!r}; expected one of {', '.join(sorted(BOOK_FORMATS))}"
        )
    if not book.heard:
        raise PipelineError("There is nothing to speak, neither letters nor digits")
    with atomic_write(path) as part_path:
        if suffix == ".zip":
            inner = Path(path.stem).suffix.lower()
            suffix = inner if inner in FORMATS or inner == ".opus" else ".mp3"
            _write_zip(part_path, book, suffix, captions)
        elif suffix == ".m4b":
            with _m4b(part_path, book) as sink:
                _copy(book.pcm(), sink)
        else:
            write_pcm(part_path, suffix, book.pcm(), book, n_samples=book.starts()[-1])


def write_pcm(
    path: Path, suffix: str, pieces: Iterable[np.ndarray], book: SpokenBook, *, n_samples: int
) -> None:
    """Write int16 pieces as one file of audio, tagged with the title and author of a book."""
    if suffix == ".wav" and 2 * n_samples > _MAX_WAV_BYTES:
        raise PipelineError(
            f"A wav of {n_samples / book.sample_rate / 3_600:.1f} hours is longer than wav can be; "
            "take flac"
        )
    import soundfile

    try:
        with _sound_file(path, suffix, book) as file:
            _copy(_resampled(pieces, book.sample_rate, file.samplerate), file)
    except soundfile.LibsndfileError as error:
        raise PipelineError(f"Cannot write {path}: {error}") from error


def chapter_file_name(number: int, chapter: SpokenChapter, suffix: str) -> str:
    """Return a name that every file system takes and that sorts in the order of reading."""
    title = " ".join(re.sub(r"[^\w ,'()-]+", " ", unidecode(chapter.title)).split())
    return f"{number:03d} {title[:_MAX_NAME].strip()}".strip() + suffix


def _write_zip(path: Path, book: SpokenBook, suffix: str, captions: str) -> None:
    """Write a file for each chapter, and its captions, whose times count from its beginning."""
    chapter_path = path.with_suffix(f".chapter{suffix}")
    captions_path = path.with_suffix(f".chapter{captions}")
    try:
        with zipfile.ZipFile(path, "w") as archive:  # what it holds is compressed already
            for number, chapter in enumerate(book.heard, 1):
                write_pcm(chapter_path, suffix, chapter.pcm(), book, n_samples=chapter.n_samples)
                archive.write(chapter_path, chapter_file_name(number, chapter, suffix))
                if captions:
                    write_book_captions(captions_path, book.alone(chapter))
                    name = chapter_file_name(number, chapter, captions)
                    archive.write(captions_path, name, zipfile.ZIP_DEFLATED)
    finally:
        chapter_path.unlink(missing_ok=True)
        captions_path.unlink(missing_ok=True)


def _sound_file(path: Path, suffix: str, book: SpokenBook) -> soundfile.SoundFile:
    import soundfile

    file = soundfile.SoundFile(
        path,
        "w",
        samplerate=OPUS_RATE if suffix == ".opus" else book.sample_rate,
        channels=1,
        format="OGG" if suffix == ".opus" else FORMATS[suffix],
        subtype="OPUS" if suffix == ".opus" else None,
    )
    if book.title:
        file.title = book.title
    if book.author:
        file.artist = book.author
    return file


def _resampled(pieces: Iterable[np.ndarray], from_rate: int, to_rate: int) -> Iterator[np.ndarray]:
    if from_rate == to_rate:
        yield from pieces
        return
    import soxr

    stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="int16", quality="VHQ")
    for piece in pieces:
        yield stream.resample_chunk(piece)
    yield stream.resample_chunk(np.zeros(0, dtype=np.int16), last=True)


def _copy(pieces: Iterable[np.ndarray], sink: Sink) -> None:
    for piece in pieces:
        for start in range(0, len(piece), _BLOCK):
            sink.write(piece[start : start + _BLOCK])


@contextmanager
def _m4b(path: Path, book: SpokenBook) -> Iterator[Sink]:
    """Yield what encodes AAC into an MP4 file with the chapters of a book."""
    import av

    starts = book.starts()
    with av.open(path, "w", format="ipod", options={"movflags": "+faststart"}) as container:
        container.metadata.update(
            {"title": book.title, "artist": book.author, "genre": "Audiobook"}
        )
        stream = container.add_stream(
            "aac", rate=book.sample_rate, layout="mono", options={"aac_coder": AAC_CODER}
        )
        stream.bit_rate = AAC_BITS_A_SECOND
        container.set_chapters(
            [
                {
                    "id": number,
                    "start": starts[number],
                    "end": starts[number + 1],
                    "time_base": Fraction(1, book.sample_rate),
                    "metadata": {"title": chapter.title},
                }
                for number, chapter in enumerate(book.heard)
            ]
        )
        sink = _AacSink(container, stream)
        yield sink
        sink.finish()


class _AacSink:
    """Encodes audio into one stream of a container."""

    def __init__(self, container: av.container.OutputContainer, stream: av.AudioStream) -> None:
        self._container = container
        self._stream = stream
        self._n_written = 0

    def write(self, pcm: np.ndarray) -> None:
        import av

        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = self._stream.rate
        frame.pts = self._n_written
        self._n_written += len(pcm)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))
