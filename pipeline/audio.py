"""Audio files in and out: soundfile reads and writes, soxr resamples."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.atomic_write import atomic_write
from pipeline.errors import PipelineError

FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3"}
BOOK_FORMATS = (*FORMATS, ".opus", ".m4b", ".zip")  # of what goes to disk a sentence at a time


def read_audio(path: Path, sample_rate: int) -> np.ndarray:
    """Return a recording as mono float32 [S] in [-1, 1] at `sample_rate`.

    Channels are averaged; another rate is resampled by soxr in its very high quality.

    Raises:
        PipelineError: The file is missing, unreadable or empty.
    """
    import soundfile

    try:
        audio, file_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise PipelineError(f"Cannot read audio from {path}: {error}") from error
    if not len(audio):
        raise PipelineError(f"{path} holds no samples")
    return resample(audio.mean(axis=1), file_rate, sample_rate)


def resample(audio: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Return audio [S] at another sample rate, as float32."""
    if from_rate == to_rate:
        return audio.astype(np.float32, copy=False)
    import soxr

    return np.asarray(soxr.resample(audio, from_rate, to_rate, quality="VHQ"), dtype=np.float32)


def to_pcm(audio: np.ndarray) -> np.ndarray:
    """Return int16 for float audio in [-1, 1]; what lies outside is clipped, never wrapped."""
    return np.clip(np.rint(audio * 32_768.0), -32_768, 32_767).astype(np.int16)


def write_audio(path: Path, audio: np.ndarray, sample_rate: int) -> None:
    """Write float audio [S] as 16-bit; the suffix chooses wav, flac, ogg or mp3.

    The file appears whole or not at all.

    Raises:
        PipelineError: The suffix is not one of these, or the file cannot be written.
    """
    import soundfile

    audio_format = FORMATS.get(path.suffix.lower())
    if audio_format is None:
        raise PipelineError(
            f"{path} ends in {path.suffix!r}; expected one of {', '.join(sorted(FORMATS))}"
        )
    try:
        with atomic_write(path) as part_path:
            soundfile.write(part_path, to_pcm(audio), sample_rate, format=audio_format)
    except soundfile.LibsndfileError as error:
        raise PipelineError(f"Cannot write {path}: {error}") from error
