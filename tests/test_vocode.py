"""`python -m pipeline.vocode`: mels and recordings through the vocoder alone."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from pipeline.audio import write_audio
from pipeline.checkpoints import load_vocoder
from pipeline.mel import log_mel
from pipeline.vocode import main
from pipeline.voices import read_voice, write_voice


@pytest.fixture
def vocode(tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the command in an empty folder with the tiny vocoder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> int:
        return main(["--vocoder", str(tiny_voice), "--out", "out", *arguments])

    return run


@pytest.fixture
def mel() -> np.ndarray:
    return np.random.default_rng(0).normal(-5.0, 1.0, (80, 20)).astype(np.float32)


def test_stored_mels_of_either_kind_and_shape_give_the_same_audio(vocode, mel: np.ndarray) -> None:
    np.save("a.npy", mel)
    np.save("b.npy", mel[None])
    torch.save(torch.from_numpy(mel), "c.pt")
    assert vocode("a.npy", "b.npy", "c.pt") == 0
    first, *others = (soundfile.read(f"out/{name}.wav")[0] for name in "abc")
    assert len(first) == 256 * 20
    assert all(np.array_equal(first, other) for other in others)


def test_the_audio_is_what_the_model_says(vocode, mel: np.ndarray, tiny_voice: Path) -> None:
    np.save("a.npy", mel)
    assert vocode("a.npy", "--sigma", "0.7", "--denoise", "0", "--seed", "4") == 0
    vocoder = load_vocoder(tiny_voice / "waveglow.safetensors")
    generator = torch.Generator().manual_seed(4)
    batch = torch.from_numpy(mel)[None]
    audio = vocoder.vocode(batch, sigma=0.7, denoise=0.0, generator=generator)[0]
    written = soundfile.read("out/a.wav", dtype="float32")[0]
    np.testing.assert_allclose(written, audio.clamp(-1, 1).numpy(), atol=1 / 32_768)


def test_a_voices_own_vocoder_speaks_as_the_voice_does(
    vocode, mel: np.ndarray, tiny_voice: Path
) -> None:
    np.save("a.npy", mel)
    voice = dataclasses.replace(read_voice(tiny_voice), sigma=0.3, denoise=0.2)
    own = Path(shutil.copytree(tiny_voice, "own"))
    write_voice(voice, own)
    alone = shutil.copy(tiny_voice / "waveglow.safetensors", "alone.safetensors")

    def said(vocoder: Path | str, *options: str) -> bytes:
        assert vocode("a.npy", "--vocoder", str(vocoder), "--force", *options) == 0
        return Path("out/a.wav").read_bytes()

    assert said(own) == said(alone, "--sigma", "0.3", "--denoise", "0.2")
    assert said(alone) == said(own, "--sigma", "0.6", "--denoise", "0")
    assert said(own) != said(alone)


def test_recordings_go_by_way_of_their_mel(vocode) -> None:
    samples = np.sin(np.arange(22_050) / 20).astype(np.float32) * 0.3
    write_audio(Path("tone.flac"), samples, 22_050)
    assert vocode("tone.flac", "--save-mels") == 0
    stored = np.load("out/tone.npy")
    pcm = soundfile.read("tone.flac", dtype="float32")[0]
    expected = log_mel(torch.from_numpy(pcm)[None])[0, :, : 22_050 // 256].numpy()
    assert np.array_equal(stored, expected)
    assert len(soundfile.read("out/tone.wav")[0]) == 256 * stored.shape[1]


@pytest.mark.parametrize(
    ("name", "values", "word"),
    [
        ("a.npy", np.zeros((81, 9)), r"shape \[81, 9\]"),
        ("a.npy", np.zeros((80, 0)), r"shape \[80, 0\]"),
        ("a.npy", np.full((80, 9), np.nan), "not finite"),
        ("a.npy", np.array([{"a": 1}], dtype=object), "Cannot read a mel"),
    ],
)
def test_what_is_no_mel_is_one_line(
    vocode, capsys, name: str, values: np.ndarray, word: str
) -> None:
    np.save(name, values, allow_pickle=True)
    assert vocode(name) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.search(word, error)
    assert not list(Path("out").glob("*"))


@pytest.mark.parametrize("name", ["a.txt", "missing.wav"])
def test_inputs_are_checked_before_a_model_loads(vocode, capsys, name: str) -> None:
    assert vocode(name) == 1
    assert name in capsys.readouterr().err


def test_nothing_is_overwritten_unasked(vocode, mel: np.ndarray, capsys) -> None:
    np.save("a.npy", mel)
    assert vocode("a.npy") == 0
    assert vocode("a.npy") == 1
    assert "--force" in capsys.readouterr().err
    assert vocode("a.npy", "--force") == 0


def test_two_inputs_of_one_name_are_refused(vocode, mel: np.ndarray, capsys) -> None:
    Path("x").mkdir()
    np.save("a.npy", mel)
    np.save("x/a.npy", mel)
    assert vocode("a.npy", "x/a.npy") == 1
    assert "Two inputs are called 'a'" in capsys.readouterr().err
