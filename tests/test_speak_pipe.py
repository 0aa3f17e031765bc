"""`speak - -` within a pipe: text comes in, audio goes out while it is being made."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from pipeline import Synthesizer
from pipeline.audio import to_pcm
from pipeline.audio_stream import UNKNOWN_LENGTH, wav_header, write_through
from pipeline.captions import cues, write_captions
from pipeline.speak import main
from pipeline.speech import AudioPiece
from text import split_sentences

ROOT = Path(__file__).parents[1]
TEXT = "Hello there. How are you? Fine."


@pytest.fixture(scope="module")
def tts(tiny_voice: Path) -> Synthesizer:
    return Synthesizer.load(tiny_voice, device="cpu")


@pytest.fixture
def spoken(tiny_voice: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the command on a text from standard input; return what it writes to standard output."""

    def run(*options: str, text: str = TEXT) -> bytes:
        out = io.BytesIO()
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out, isatty=lambda: False))
        assert main(["-", "-", "--voice", str(tiny_voice), *options]) == 0
        return out.getvalue()

    return run


def test_a_pipe_carries_a_wav_file_of_unknown_length(spoken, tts: Synthesizer, capsys) -> None:
    data = spoken("--seed", "3")
    expected = to_pcm(tts.speak(TEXT, seed=3).audio)
    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    assert rate == tts.voice.audio.sample_rate
    np.testing.assert_allclose(samples, expected, atol=1)
    assert int.from_bytes(data[40:44], "little") == UNKNOWN_LENGTH
    assert "s of audio in" in capsys.readouterr().err  # standard output is for the audio alone


def test_pcm_is_the_samples_alone(spoken, tts: Synthesizer) -> None:
    samples = np.frombuffer(spoken("--format", "pcm"), dtype="<i2")
    np.testing.assert_allclose(samples, to_pcm(tts.speak(TEXT).audio), atol=1)


def test_each_piece_is_sent_before_the_next_is_made(tts: Synthesizer) -> None:
    sink, pieces = io.BytesIO(), []

    def watched() -> Iterator[AudioPiece]:
        for piece in tts.stream_pieces(TEXT):
            n_expected = 2 * sum(len(before.audio) for before in pieces)
            assert len(sink.getvalue()) == (n_expected + len(wav_header(1)) if pieces else 0)
            pieces.append(piece)
            yield piece

    sentences = list(write_through(watched(), sink, name="wav"))
    assert [speech.sentences[0].text for speech in sentences] == split_sentences(TEXT)
    assert len(pieces) > len(sentences)


def test_what_is_told_of_streamed_speech_is_what_is_told_of_the_whole(
    spoken, tts: Synthesizer, tmp_path: Path, capsys
) -> None:
    """Captions, manifest and warnings know each sentence once it has ended."""
    text = "Hello bcdfgh."
    spoken("--captions", str(tmp_path / "a.srt"), "--manifest", str(tmp_path / "a.json"), text=text)
    whole = tts.speak(text)
    write_captions(tmp_path / "b.srt", cues(whole.heard()), [])
    assert (tmp_path / "a.srt").read_text() == (tmp_path / "b.srt").read_text()
    facts = json.loads((tmp_path / "a.json").read_text())
    assert facts["audio_seconds"] == pytest.approx(whole.seconds, abs=1e-3)
    (warning,) = whole.warnings
    assert f"warning: {warning}\n" in capsys.readouterr().err


def test_a_player_that_closes_ends_the_command_without_a_word(tiny_voice: Path) -> None:
    command = [sys.executable, "-m", "pipeline.speak", "--file", "-", "-"]
    with subprocess.Popen(
        [*command, "--voice", str(tiny_voice), "--format", "pcm"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"Go on and on. " * 2_000)
        process.stdin.close()
        assert process.stdout.read(2_000)
        process.stdout.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["Hi.", "out.wav", "--format", "pcm"], "--format is for standard output"),
        (["Hi.", "-", "--format", "mp3"], "invalid choice: 'mp3'"),
    ],
)
def test_wrong_usage_says_what(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert word in capsys.readouterr().err


def test_a_terminal_gets_no_audio(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    terminal, other_end = os.openpty()
    with os.fdopen(terminal, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit):
            main(["Hi.", "-"])
    os.close(other_end)
    assert "Standard output is a terminal" in capsys.readouterr().err
