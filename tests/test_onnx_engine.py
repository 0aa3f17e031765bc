"""The engine without torch: it says what the other says, and tells what it lacks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline import convert
from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig
from pipeline.onnx_engine import OnnxSynthesizer
from pipeline.onnx_engine.exported_voice import read_export
from pipeline.onnx_engine.noise import TorchNoise
from pipeline.pretrained.onnx_export import export_voice
from pipeline.speak import main
from pipeline.synthesizer import Synthesizer
from pipeline.tacotron2 import frame_limit
from pipeline.voice_folders import find_voice
from tests.conftest import make_voice

ROOT = Path(__file__).parents[1]
SENTENCES = "Hello, this is a test. The second sentence is longer than the first one."


@pytest.mark.parametrize("size", [16, 17, 31, 80, 1000])
def test_noise_is_that_of_torch(size: int) -> None:
    seed = 0x1234_5678_9ABC_DEF0
    ours, generator = TorchNoise(seed), torch.Generator().manual_seed(seed)
    np.testing.assert_array_equal(ours.uniform([size]), torch.rand(size, generator=generator))
    expected = torch.randn(2, size, generator=generator)
    np.testing.assert_allclose(ours.normal([2, size]), expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(ours.uniform([3]), torch.rand(3, generator=generator))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice of random weights, with its ONNX models inside."""
    folder = make_voice(tmp_path_factory.mktemp("voices") / "tiny")
    export_voice(folder, folder / "onnx")
    return folder


@pytest.mark.parametrize("changes", [{}, {"seed": 7, "rate": 1.3, "sigma": 0.4, "denoise": 0.0}])
def test_both_engines_say_the_same(exported: Path, changes: dict[str, float]) -> None:
    expected = Synthesizer.load(exported, device="cpu").speak(SENTENCES, **changes)
    speech = OnnxSynthesizer.load(exported).speak(SENTENCES, **changes)
    scale = np.abs(expected.audio).max()
    np.testing.assert_allclose(speech.audio, expected.audio, rtol=0, atol=1e-3 * scale)
    assert speech.options == expected.options
    for ours, theirs in zip(speech.sentences, expected.sentences, strict=True):
        assert (ours.symbols, ours.ending) == (theirs.symbols, theirs.ending)
        np.testing.assert_allclose(ours.mel, theirs.mel, rtol=0, atol=1e-4)


def test_both_engines_give_up_after_as_many_steps(exported: Path) -> None:
    voice = read_export(exported / "onnx")
    for n_symbols in range(1, 300):
        frames = frame_limit(n_symbols, AudioConfig())
        assert voice.max_steps(n_symbols) == max(1, frames // voice.reduction)


def speak(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; from pipeline.speak import main; "
        "status = main(sys.argv[1:]); print('torch' in sys.modules); raise SystemExit(status)"
    )
    command = [sys.executable, "-c", program, "Hello.", str(folder / "out.wav"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_onnx_engine_speaks_without_torch(exported: Path, tmp_path: Path) -> None:
    done = speak("--engine", "onnx", "--voice", str(exported), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False"
    assert (tmp_path / "out.wav").stat().st_size > 1_000


def test_without_an_export_the_command_tells_how_to_make_one(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "new")
    done = speak("--engine", "onnx", "--voice", str(voice), folder=tmp_path)
    assert done.returncode == 1
    assert f"python -m pipeline.convert {voice} {voice / 'onnx'} --to onnx" in done.stderr


def test_an_export_of_other_weights_is_refused(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "voice")
    export_voice(voice, voice / "onnx")
    make_voice(voice, seed=1)
    with pytest.raises(PipelineError, match=r"tacotron2, waveglow changed .* --force converts it"):
        OnnxSynthesizer.load(voice)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("levels", {"mean": [0.5] * 80, "n_frames": 40}),
        ("temperature", 0.0),
        ("pitch_scale", 0.0),
        ("sigma", 0.1),
    ],
)
def test_an_export_of_other_settings_is_refused(
    setting: str, value: object, exported: Path, tmp_path: Path
) -> None:
    shutil.copytree(exported, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "voice.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"name": "another", "consent": "given"}))
    OnnxSynthesizer.load(tmp_path)
    path.write_text(json.dumps(told | {setting: value}))
    with pytest.raises(PipelineError, match=f"before {setting} changed .* --force converts it"):
        OnnxSynthesizer.load(tmp_path)


def test_a_damaged_model_is_one_line(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported / "onnx", tmp_path, dirs_exist_ok=True)
    (tmp_path / "postnet.onnx").write_bytes(b"cut short")
    with pytest.raises(PipelineError, match=r"Cannot load .*postnet\.onnx"):
        OnnxSynthesizer.load(tmp_path)


@pytest.mark.parametrize(
    "option",
    ["--vocoder kathleen", "--device cuda", "--precision 16", "--manifest /tmp/out.json"],
)
def test_what_the_onnx_engine_cannot_do_is_refused(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["Hello.", str(tmp_path / "out.wav"), "--engine", "onnx", *option.split()]
    assert main(arguments) == 1
    assert "does not go with --engine onnx" in capsys.readouterr().err


def test_the_command_converts_a_voice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    voice, out = make_voice(tmp_path / "voice"), tmp_path / "onnx"
    arguments = [str(voice), str(out), "--to", "onnx"]
    assert convert.main(arguments) == 0
    written = {path.name for path in out.iterdir()}
    assert written == {"tacotron2.onnx", "postnet.onnx", "vocoder.onnx", "onnx.json"}
    assert f"{out / 'vocoder.onnx'}: " in capsys.readouterr().out
    assert convert.main(arguments) == 1
    assert "--force overwrites it" in capsys.readouterr().err
    assert convert.main([*arguments, "--half"]) == 1
    assert "single precision" in capsys.readouterr().err


def test_the_command_converts_a_single_model(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "voice")
    for name, files in (("waveglow", ["vocoder"]), ("tacotron2", ["postnet", "tacotron2"])):
        out = tmp_path / name
        assert convert.main([str(voice / f"{name}.safetensors"), str(out), "--to", "onnx"]) == 0
        assert sorted(path.stem for path in out.iterdir()) == files


@pytest.mark.slow
def test_the_default_voice_says_the_same_in_both_engines(tmp_path: Path) -> None:
    export_voice(find_voice("kathleen"), tmp_path)
    expected = Synthesizer.load("kathleen", device="cpu").speak(SENTENCES)
    speech = OnnxSynthesizer.load(tmp_path).speak(SENTENCES)
    scale = np.abs(expected.audio).max()
    difference = np.abs(speech.audio - expected.audio) / scale
    assert difference.max() < 1e-2  # where a pulse falls on another side of a sample
    assert np.quantile(difference, 0.995) < 1e-3
