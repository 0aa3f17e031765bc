"""Audio to bytes, whole or while it is still being made."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pipeline.audio import to_pcm
from pipeline.audio_stream import wav_header

BIT_RATE = 112_000  # of AAC, as of MP3


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """A format that clients can ask for."""

    media_type: str
    container: str  # libsndfile's name, or "ADTS"
    codec: str
    sample_rate: int | None = None  # Hz; None for that of the audio
    compression: float | None = None  # libsndfile's 0 to 1, at a constant bit rate
    is_streamed: bool = True  # False where the header must know the length


# Raw samples say no rate, so clients of this API take 24,000 Hz for granted; Opus has no 22,050 Hz,
# and AAC only some of the rates that a voice may have.
ENCODINGS = {
    "wav": Encoding(media_type="audio/wav", container="WAV", codec="PCM_16"),
    "flac": Encoding(media_type="audio/flac", container="FLAC", codec="PCM_16", is_streamed=False),
    "mp3": Encoding(  # 112 kbit/s, constant: players then guess the length of a stream rightly
        media_type="audio/mpeg", container="MP3", codec="MPEG_LAYER_III", compression=0.3
    ),
    "opus": Encoding(media_type="audio/ogg", container="OGG", codec="OPUS", sample_rate=24_000),
    "aac": Encoding(media_type="audio/aac", container="ADTS", codec="aac", sample_rate=24_000),
    "pcm": Encoding(media_type="audio/pcm", container="RAW", codec="PCM_16", sample_rate=24_000),
}


class _Writer(Protocol):
    """What takes samples and puts bytes into its file."""

    def write(self, pcm: np.ndarray) -> object:
        """Take int16 [S]."""

    def close(self) -> object:
        """Put the last bytes into the file."""


class AacWriter:
    """AAC in ADTS frames, which need no header; libsndfile has none, FFmpeg's library has."""

    def __init__(self, sink: io.BytesIO, encoding: Encoding, sample_rate: int) -> None:
        import av

        self._container: Any = av.open(sink, "w", format="adts", options={"flush_packets": "1"})
        self._stream: Any = self._container.add_stream(
            encoding.codec, rate=sample_rate, layout="mono", bit_rate=BIT_RATE
        )
        self._sample_rate = sample_rate

    def write(self, pcm: np.ndarray) -> None:
        """Encode int16 [S]."""
        from av import AudioFrame

        if len(pcm):
            frame = AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
            frame.sample_rate = self._sample_rate
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Encode what is left."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


class AudioEncoder:
    """Takes audio piece by piece; the pieces of bytes joined are a file that plays."""

    def __init__(self, name: str, sample_rate: int) -> None:
        encoding = ENCODINGS[name]
        self._name = name
        self._sink = io.BytesIO()
        self._n_given = 0
        self._resampler = None
        self._sample_rate = encoding.sample_rate or sample_rate
        if self._sample_rate != sample_rate:
            import soxr

            self._resampler = soxr.ResampleStream(
                sample_rate, self._sample_rate, 1, dtype="float32", quality="VHQ"
            )
        writer = AacWriter if encoding.container == "ADTS" else _sound_file
        self._file: _Writer = writer(self._sink, encoding, self._sample_rate)
        self._is_closed = False

    def add(self, audio: np.ndarray) -> bytes:
        """Return what can be said so far; an empty piece where the codec still gathers."""
        self._write(audio, is_last=False)
        return self._new_bytes()

    def finish(self) -> bytes:
        """Return the end of the stream."""
        self._write(np.zeros(0, dtype=np.float32), is_last=True)
        self.close()
        return self._new_bytes()

    def close(self) -> None:
        """Let go of the codec; one that is left open complains when it is deleted."""
        if not self._is_closed:
            self._is_closed = True
            self._file.close()

    def whole(self) -> bytes:
        """Return the finished file, whose header knows its length."""
        return self._sink.getvalue()

    def _write(self, audio: np.ndarray, *, is_last: bool) -> None:
        if self._resampler is not None:
            audio = self._resampler.resample_chunk(audio, last=is_last)
        self._file.write(to_pcm(audio))

    def _new_bytes(self) -> bytes:
        content = self._sink.getvalue()[self._n_given :]
        if self._name == "wav" and self._n_given == 0:
            content = wav_header(self._sample_rate) + content[len(wav_header(0)) :]
        self._n_given = len(self._sink.getvalue())
        return content


def _sound_file(sink: io.BytesIO, encoding: Encoding, sample_rate: int) -> _Writer:
    import soundfile

    file: _Writer = soundfile.SoundFile(
        sink,
        "w",
        samplerate=sample_rate,
        channels=1,
        format=encoding.container,
        subtype=encoding.codec,
        compression_level=encoding.compression,
        bitrate_mode=None if encoding.compression is None else "CONSTANT",
    )
    return file


def encode(name: str, audio: np.ndarray, sample_rate: int) -> bytes:
    """Return a whole file of float audio [S]."""
    encoder = AudioEncoder(name, sample_rate)
    encoder.add(audio)
    encoder.finish()
    return encoder.whole()
