"""What is said in recordings: text files, subtitles, long readings, and the clips cut from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.data.long_recordings import pieces_of_cues, sentence_cues
from pipeline.data.preparation import prepare
from pipeline.data.transcripts import Cue, find_sources, read_cues
from pipeline.errors import PipelineError
from tests.tiny_training import AUDIO, said_ah, voiced

RATE = AUDIO.sample_rate
SRT = """1
00:00:00,500 --> 00:00:02,000
<i>Good morning,</i>
everybody.

2
00:00:02,250 --> 00:00:04,000
It is late.
"""
VTT = """WEBVTT

NOTE made by hand

intro
00:00.500 --> 00:02.000 align:start
<v Alice>Good morning, everybody.

00:02.250 --> 00:04.000
It is late.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        soundfile.write(tmp_path / f"{name}.wav", voiced(4.5), RATE)
    return tmp_path


@pytest.mark.parametrize(("suffix", "content"), [(".srt", SRT), (".vtt", VTT)])
def test_subtitles_are_read_without_their_markup(folder: Path, suffix: str, content: str) -> None:
    path = folder / f"one{suffix}"
    path.write_text(content)
    expected = (Cue(0.5, 2.0, "Good morning, everybody."), Cue(2.25, 4.0, "It is late."))
    assert read_cues(path) == expected
    one, two = find_sources(folder)
    assert (one.cues, one.text) == (expected, "Good morning, everybody. It is late.")
    assert (two.cues, two.text) == ((), None)


@pytest.mark.parametrize("suffix", [".txt", ".lab"])
def test_a_text_beside_a_recording_is_its_own(folder: Path, suffix: str) -> None:
    (folder / f"two{suffix}").write_text("\ufeffIt is\n  late.\n", encoding="utf-8")
    assert [source.text for source in find_sources(folder)] == [None, "It is late."]


def test_a_list_goes_before_the_texts_beside_recordings(folder: Path) -> None:
    (folder / "metadata.csv").write_text("one|Listed.\n")
    (folder / "one.txt").write_text("Beside.")
    (folder / "two.txt").write_text("Beside.")
    assert [source.text for source in find_sources(folder)] == ["Listed.", "Beside."]


def test_one_recording_and_one_text_belong_together(folder: Path) -> None:
    (folder / "chapter.txt").write_text("It is late.")
    assert [source.text for source in find_sources(folder)] == [None, None]
    (folder / "two.wav").unlink()
    assert [source.text for source in find_sources(folder)] == ["It is late."]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("one.srt", b"no subtitles", "one.srt"),
        ("one.vtt", b"WEBVTT\n", "one.vtt holds no subtitle"),
        ("one.txt", b"", "one.txt is empty"),
        ("one.lab", b"\xff\xfe\xff", "Cannot read"),
    ],
)
def test_a_damaged_text_is_named(folder: Path, name: str, content: bytes, words: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(PipelineError, match=words):
        find_sources(folder)


def test_cues_that_follow_closely_make_clips_cut_where_it_is_quiet() -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, 20 * RATE)
    audio[int(3.35 * RATE) : int(3.45 * RATE)] = 0.0
    cues = [
        Cue(1.0, 2.0, "One,"),
        Cue(2.1, 3.4, "two, three."),  # 2.4 s so far: too short for a clip
        Cue(3.4, 4.5, "Four."),
        Cue(4.5, 6.0, "Five."),
        Cue(12.0, 13.0, "Six."),  # after a long pause
    ]
    pieces = pieces_of_cues(cues, audio, RATE)
    assert [piece.text for piece in pieces] == ["One, two, three. Four.", "Five.", "Six."]
    assert pieces[0].start == int(0.6 * RATE)
    assert pieces[2].start == int(11.6 * RATE)
    cues[1] = Cue(2.1, 4.01, "two, three.")
    cues[2] = Cue(3.4, 4.5, "Four.")
    cut = pieces_of_cues(cues, audio, RATE)[0].end / RATE
    assert 3.35 <= cut <= 3.45


def test_a_long_reading_is_cut_into_the_sentences_of_its_text(tmp_path: Path) -> None:
    starts = [1.0 + 4.0 * sentence + 0.9 * word for sentence in range(6) for word in range(3)]
    audio = said_ah([(start, start + 0.5) for start in starts], 25.0)
    text = " ".join(["{AA1}, {AA1}, {AA1}."] * 6)
    cues = sentence_cues(text, audio, RATE)
    assert cues is not None
    np.testing.assert_allclose([cue.start for cue in cues], starts[::3], atol=0.12)
    np.testing.assert_allclose([cue.end for cue in cues], np.array(starts[2::3]) + 0.5, atol=0.12)
    assert sentence_cues("", audio, RATE) is None


def test_what_is_cut_from_a_subtitled_recording_becomes_a_corpus(tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    soundfile.write(recordings / "talk.flac", voiced(70.0), RATE)
    clock = [f"00:{second // 60:02}:{second % 60:02}" for second in range(70)]
    lines = [
        f"{i + 1}\n{clock[5 * i]},000 --> {clock[5 * i + 4]},500\nSentence {i}.\n"
        for i in range(13)
    ]
    (recordings / "talk.srt").write_text("\n".join(lines))
    out = tmp_path / "corpus"
    prepare(
        recordings, out, audio=AUDIO, level_db=20.0, needs_text=True, seed=0, report=lambda _: None
    )
    listed = (out / "train.csv").read_text() + (out / "val.csv").read_text()
    assert sorted(line.split("|")[1] for line in listed.splitlines()) == sorted(
        f"Sentence {i}." for i in range(13)
    )
