"""Encodings: pieces joined are a file that plays, whole files know their length."""

from __future__ import annotations

import io
import typing

import av
import numpy as np
import pytest
import soundfile

from app.encoding import ENCODINGS, AudioEncoder, encode
from app.speech_api import SpeechBody

RATE = 22_050
AUDIO = (0.4 * np.sin(np.arange(2 * RATE) * 0.05)).astype(np.float32)


def decode(name: str, content: bytes) -> tuple[np.ndarray, int]:
    if name == "pcm":
        return np.frombuffer(content, "<i2") / 32_768, 24_000
    if name == "aac":
        with av.open(io.BytesIO(content)) as container:
            frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
            return np.concatenate(frames), container.streams.audio[0].rate
    return soundfile.read(io.BytesIO(content))


@pytest.mark.parametrize("name", ENCODINGS)
def test_whole_files_have_the_length_and_the_sound(name: str) -> None:
    samples, rate = decode(name, encode(name, AUDIO, RATE))
    assert rate == (ENCODINGS[name].sample_rate or RATE)
    padding = 0.1 if name == "aac" else 0.001  # raw frames do not say what of them is padding
    assert 1.999 <= len(samples) / rate <= 2.0 + padding
    assert np.abs(samples[rate // 4 : -rate // 4]).max() == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize("name", [n for n, e in ENCODINGS.items() if e.is_streamed])
def test_pieces_joined_play_to_the_end(name: str) -> None:
    encoder = AudioEncoder(name, RATE)
    pieces = [encoder.add(piece) for piece in np.array_split(AUDIO, 7)]
    samples, rate = decode(name, b"".join([*pieces, encoder.finish()]))
    assert 2.0 <= len(samples) / rate + 0.001 < 2.1
    assert any(pieces[:3])  # it does not wait for the end


def test_wav_and_flac_keep_every_sample() -> None:
    pcm = np.rint(AUDIO * 32_768).astype(np.int16)
    for name in ("wav", "flac"):
        samples, _ = soundfile.read(io.BytesIO(encode(name, AUDIO, RATE)), dtype="int16")
        assert np.array_equal(samples, pcm)


def test_the_api_offers_exactly_these() -> None:
    formats = typing.get_type_hints(SpeechBody)["response_format"]
    assert set(typing.get_args(formats)) == set(ENCODINGS)
