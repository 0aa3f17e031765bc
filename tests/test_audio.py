"""Audio files: what is written can be read, loud is clipped, rates are changed by soxr."""

from __future__ import annotations

import contextlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio import FORMATS, read_audio, resample, to_pcm, write_audio
from pipeline.errors import PipelineError

RATE = 22_050


def tone(seconds: float = 0.5, hz: float = 440.0, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_every_format_reads_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tone{suffix}"
    write_audio(path, tone(), RATE)
    again = read_audio(path, RATE)
    exact = suffix in (".wav", ".flac")
    n = min(len(again), len(tone()))
    assert abs(len(again) - len(tone())) <= (0 if suffix != ".mp3" else 1_200)
    if exact:
        np.testing.assert_allclose(again, tone(), atol=1 / 32_768)
    else:
        spectrum, reference = (np.abs(np.fft.rfft(a[:n])) for a in (again, tone()))
        assert spectrum.argmax() == reference.argmax()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("sample", "pcm"),
    [(0.0, 0), (1.0, 32_767), (-1.0, -32_768), (3.0, 32_767), (-3.0, -32_768), (0.5, 16_384)],
)
def test_loud_samples_are_clipped_never_wrapped(sample: float, pcm: int) -> None:
    assert to_pcm(np.array([sample], dtype=np.float32)).tolist() == [pcm]


def test_stereo_becomes_the_mean_of_its_channels(tmp_path: Path) -> None:
    both = np.stack([tone(), np.zeros_like(tone())], axis=1)
    soundfile.write(tmp_path / "stereo.wav", both, RATE, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "stereo.wav", RATE), tone() / 2, atol=1e-7)


def test_resampling_keeps_the_tone_and_the_length() -> None:
    again = resample(tone(rate=48_000), 48_000, RATE)
    assert abs(len(again) - RATE // 2) <= 1
    middle = slice(2_000, -2_000)
    assert np.abs(again[: len(tone())] - tone()[: len(again)])[middle].max() < 1e-3


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("missing.wav", None, "missing.wav"),
        ("broken.wav", b"RIFF nonsense", "broken.wav"),
        ("empty.wav", b"", "empty.wav"),
    ],
)
def test_unreadable_audio_is_one_line(
    tmp_path: Path, name: str, content: bytes | None, word: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(PipelineError, match=word) as error:
        read_audio(tmp_path / name, RATE)
    assert "\n" not in str(error.value)


def claim(content: bytes, place: int, value: int) -> bytes:
    """Return a file with a number of its header, 4 bytes, replaced."""
    return content[:place] + value.to_bytes(4, "little") + content[place + 4 :]


@pytest.mark.parametrize("claimed_rate", [1, 999, 800_000, 2**31 - 1])
def test_a_rate_of_no_recording_is_refused(tmp_path: Path, claimed_rate: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), RATE)
    path.write_bytes(claim(path.read_bytes(), 24, claimed_rate))
    with pytest.raises(PipelineError, match=f"a.wav has a sample rate of {claimed_rate} Hz"):
        read_audio(path, RATE)


def test_a_header_that_claims_days_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(), RATE)
    content = bytearray(path.read_bytes())
    content[21:26] = bytes([content[21] | 0x0F, *b"\xff\xff\xff\xff"])  # 36 bits of STREAMINFO
    path.write_bytes(content)
    tracemalloc.start()
    with contextlib.suppress(PipelineError):
        assert len(read_audio(path, RATE)) == len(tone())
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()


def test_samples_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    holes = tone()
    holes[100] = np.nan
    soundfile.write(tmp_path / "a.wav", holes, RATE, subtype="FLOAT")
    with pytest.raises(PipelineError, match=r"a\.wav holds samples that are not finite"):
        read_audio(tmp_path / "a.wav", RATE)


def test_unknown_suffix_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"'\.xyz'; expected one of \.flac, \.mp3"):
        write_audio(tmp_path / "a.xyz", tone(), RATE)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(PipelineError, match=r"a\.wav"):
        write_audio(tmp_path / "a.wav", tone(), RATE)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
