"""Audio files in and out: soundfile reads and writes, soxr resamples."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.atomic_write import atomic_write
from pipeline.errors import PipelineError

FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3"}
BOOK_FORMATS = (*FORMATS, ".opus", ".m4b", ".zip")  # of what goes to disk a sentence at a time
MIN_SAMPLE_RATE = 1_000  # Hz; at lower ones there is no speech
MAX_SAMPLE_RATE = 768_000  # Hz; no converter has more
MAX_SAMPLES = 2**30  # of a channel: 4 GiB, or more than six hours of 44,100 Hz
BLOCK_VALUES = 2**20  # of all channels, read at a time


def read_audio(path: Path, sample_rate: int) -> np.ndarray:
    """Return a recording as mono float32 [S] at `sample_rate`.

    Channels are averaged; another rate is resampled by soxr in its very high quality.

    Raises:
        PipelineError: As `read_mono`, with the file's name.
    """
    try:
        audio, file_rate = read_mono(path)
    except PipelineError as error:
        raise PipelineError(f"The recording {path} {error}") from error
    return resample(audio, file_rate, sample_rate)


def read_mono(path: Path) -> tuple[np.ndarray, int]:
    """Return the average of a recording's channels, [S] float32, and its sample rate in Hz.

    Nothing that its header claims is taken on trust: memory grows with what is really there.

    Raises:
        PipelineError: It cannot be read to its end, is empty or too long, has a rate of no
            recording, or holds samples that are not finite. The message goes after a name.
    """
    import soundfile

    blocks, n_samples = [], 0
    try:
        with soundfile.SoundFile(path) as file:
            rate: int = file.samplerate
            if not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE:
                raise PipelineError(
                    f"has a sample rate of {rate} Hz; expected {MIN_SAMPLE_RATE} to "
                    f"{MAX_SAMPLE_RATE} Hz"
                )
            n_at_once = max(1, BLOCK_VALUES // file.channels)
            while len(block := file.read(n_at_once, dtype="float32", always_2d=True)):
                blocks.append(block.mean(axis=1))
                n_samples += len(block)
                if n_samples > MAX_SAMPLES:
                    raise PipelineError(
                        f"is longer than {MAX_SAMPLES / rate / 3_600:.1f} hours; cut it into parts"
                    )
    except soundfile.LibsndfileError as error:
        raise PipelineError(f"cannot be read: {error.error_string}") from error
    except OSError as error:
        raise PipelineError(f"cannot be read: {error.strerror or error}") from error
    samples = np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)
    if not n_samples:
        raise PipelineError("holds no samples")
    if not np.isfinite(samples).all():
        raise PipelineError("holds samples that are not finite")
    return samples, rate


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
