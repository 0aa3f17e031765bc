"""`python -m pipeline.speak`: what it writes, what it prints, what it refuses."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from matplotlib.image import imread

from pipeline import Synthesizer
from pipeline.plot import draw
from pipeline.speak import main


@pytest.fixture
def speak(tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the command in an empty folder with the tiny voice."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> int:
        return main([*arguments, "--voice", str(tiny_voice)])

    return run


def samples(path: str) -> np.ndarray:
    return soundfile.read(path, dtype="int16")[0]


def test_it_writes_the_file_and_says_so_in_one_line(speak, capsys) -> None:
    assert speak("Hello there.", "out.wav") == 0
    output = capsys.readouterr().out
    assert output.count("\n") == 1
    assert "s of audio in" in output
    assert "real-time factor" in output
    assert "voice tiny, seed 0" in output
    facts = soundfile.info("out.wav")
    assert (facts.samplerate, facts.channels, facts.subtype) == (22_050, 1, "PCM_16")


def test_the_same_seed_repeats_the_file_bit_for_bit(speak) -> None:
    for name in ("a.wav", "b.wav"):
        assert speak("Hello.", name, "--seed", "5") == 0
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()


def test_captions_and_the_manifest_say_what_is_heard_when(speak) -> None:
    assert speak("Pay $5. Hi.", "a.wav", "--captions", "a.srt", "--manifest", "a.json") == 0
    assert "Pay $5." in Path("a.srt").read_text(encoding="utf-8")
    words = json.loads(Path("a.json").read_text(encoding="utf-8"))["words"]
    assert [word["spoken"] for word in words] == ["Pay", "five dollars", "Hi"]


def test_captions_have_a_form_that_is_known(speak, capsys) -> None:
    assert speak("Hello.", "a.wav", "--captions", "a.txt") == 1
    assert "expected one of .json, .srt, .vtt" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [("--sigma", "0.1"), ("--denoise", "0.6"), ("--seed", "9"), ("--rate", "1.5")]
)
def test_each_option_changes_the_audio(speak, option: tuple[str, str]) -> None:
    assert speak("Hello.", "a.wav") == 0
    assert speak("Hello.", "b.wav", *option) == 0
    a, b = samples("a.wav"), samples("b.wav")
    assert len(a) != len(b) or not np.array_equal(a, b)
    if option[0] == "--rate":
        assert len(b) == pytest.approx(len(a) / 1.5, abs=256)


def test_text_from_a_file_and_from_standard_input_is_the_same(speak, monkeypatch) -> None:
    Path("text.txt").write_text("\ufeffHello.\n", encoding="utf-8")
    assert speak("--file", "text.txt", "a.wav") == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Hello.\n")))
    assert speak("--file", "-", "b.wav") == 0
    assert np.array_equal(samples("a.wav"), samples("b.wav"))


def test_the_manifest_says_how_it_was_made(speak, tiny_voice: Path) -> None:
    assert speak("Dr. Lee. Go.", "a.wav", "--manifest", "a.json", "--seed", "3") == 0
    facts = json.loads(Path("a.json").read_text())
    voice = json.loads((tiny_voice / "voice.json").read_text())
    assert facts["text"] == "Dr. Lee. Go."
    assert facts["settings"]["seed"] == 3
    assert facts["sha256"]["waveglow"] == voice["waveglow"]["sha256"]
    assert [sentence["ending"] for sentence in facts["sentences"]]
    assert "octor" in facts["sentences"][0]["normalized"]
    assert facts["threads"] == torch.get_num_threads()
    frames = sum(s["frames"] + s["pause_frames"] for s in facts["sentences"])
    assert len(samples("a.wav")) == 256 * frames


def test_a_lexicon_changes_how_its_words_are_said(speak) -> None:
    Path("mine.txt").write_text("qzzx HH AH0 L OW1\n", encoding="utf-8")
    assert speak("Qzzx.", "a.wav", "--manifest", "a.json", "--lexicon", "mine.txt") == 0
    sentence = json.loads(Path("a.json").read_text())["sentences"][0]
    assert sentence["symbols"] == "@HH @AH0 @L @OW1 ."
    assert sentence["letters"] == []


def test_the_plot_is_a_picture_of_what_was_said(speak, tiny_voice: Path) -> None:
    assert speak("Hello.", "a.wav", "--plot", "a.png") == 0
    expected = io.BytesIO()
    said = Synthesizer.load(tiny_voice, device="cpu").speak("Hello.")
    draw(said).savefig(expected, format="png", dpi=110)
    expected.seek(0)
    assert np.array_equal(imread("a.png"), imread(expected))


def test_the_figure_holds_mel_and_attention(tiny_voice: Path) -> None:
    said = Synthesizer.load(tiny_voice, device="cpu").speak("Hello.")
    mel_axes, attention_axes, *_ = draw(said).axes
    assert np.array_equal(mel_axes.images[0].get_array(), said.mel)
    assert mel_axes.images[0].get_extent() == [0.0, said.seconds, 0, 80]
    assert np.array_equal(attention_axes.images[0].get_array(), said.alignment.T)
    labels = [label.get_text() for label in attention_axes.get_yticklabels()]
    assert len(labels) == said.alignment.shape[1]
    assert labels[:4] == ["HH", "AH0", "L", "OW1"]


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (("", "a.wav"), 1, "The text is empty"),
        (("Hi.", "a.xyz"), 1, "expected one of .flac, .m4b, .mp3, .ogg, .opus, .wav, .zip"),
        (("Hi.", "no/such/a.wav"), 1, "no/such is not a folder"),
        (("Hi.", "old.wav"), 1, "old.wav exists; --force overwrites it"),
        (("Hi.", "a.wav", "--plot", "a.jpg"), 1, "expected one of .png"),
        (("Hi.", "a.wav", "--vocoder", "nothing"), 1, "No vocoder 'nothing'"),
        (("Say {HH QQ} now.", "a.wav"), 1, "QQ"),
        (("--file", "missing.txt", "a.wav"), 1, "Cannot read missing.txt"),
        (("Hi.", "a.wav", "--lexicon", "missing.txt"), 1, "missing.txt"),
        (("--file", "latin1.txt", "a.wav"), 1, "not UTF-8 at byte 3"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(
    speak, capsys, arguments: tuple[str, ...], status: int, word: str
) -> None:
    Path("old.wav").write_bytes(b"precious")
    Path("latin1.txt").write_bytes("caf\xe9".encode("latin-1"))
    assert speak(*arguments) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert word in captured.err
    assert captured.err.count("\n") == 1
    assert Path("old.wav").read_bytes() == b"precious"
    assert sorted(path.name for path in Path().iterdir()) == ["latin1.txt", "old.wav"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("Hi.", "a.wav", "--sigma", "loud"),
        ("Hi.", "a.wav", "--sigma", "-1"),
        ("Hi.", "a.wav", "--denoise", "nan"),
        ("Hi.", "a.wav", "--rate", "0"),
        ("Hi.", "a.wav", "--seed", "-1"),
        ("Hi.", "a.wav", "--device", "tpu"),
        ("Hi.", "a.wav", "--colour", "blue"),
        ("Hi.", "a.wav", "--file", "text.txt"),
        ("a.wav",),
    ],
)
def test_wrong_usage_exits_with_2(speak, capsys, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as stop:
        speak(*arguments)
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err
    assert not list(Path().iterdir())


def test_a_missing_voice_is_one_line(tmp_path: Path, capsys) -> None:
    assert main(["Hi.", str(tmp_path / "a.wav"), "--voice", "nobody"]) == 1
    assert "No voice 'nobody'" in capsys.readouterr().err


def test_an_unwritable_output_is_one_line(speak, capsys) -> None:
    """Nobody, not even root, makes files in /proc."""
    assert speak("Hi.", "/proc/a.wav") == 1
    captured = capsys.readouterr()
    assert "/proc" in captured.err
    assert captured.err.count("\n") == 1


def test_force_overwrites(speak) -> None:
    Path("a.wav").write_bytes(b"old")
    assert speak("Hi.", "a.wav", "--force") == 0
    assert len(samples("a.wav")) > 0
