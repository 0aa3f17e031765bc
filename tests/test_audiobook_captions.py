"""Captions and manifests of books: the times of the whole, from disk, also of what is made anew."""

from __future__ import annotations

import io
import json
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import soundfile

from pipeline import SpeechOptions, Synthesizer
from pipeline.audiobook.captions import write_book_captions
from pipeline.audiobook.changes import Change, Place
from pipeline.audiobook.export import write_book
from pipeline.audiobook.recording import Recording
from pipeline.audiobook.spoken import CHAPTER_PAUSE_SECONDS
from pipeline.audiobook.work_folder import WorkFolder
from pipeline.data.transcripts import read_cues
from pipeline.documents import Chapter, Document
from pipeline.speak import main
from tests.test_audiobook import record, spoken

TEXTS = ("One. It costs $5.\n\nNo. No.", "* * *", "Three, and four.")
BOOK = "Chapter 1\n\nOne. It costs $5.\n\nChapter 2\n\nThe end, as it were.\n"


@pytest.fixture(scope="module")
def tts(tiny_voice: Path) -> Synthesizer:
    return Synthesizer.load(tiny_voice, device="cpu")


@pytest.fixture
def speak(tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the command in a folder with a book."""
    monkeypatch.chdir(tmp_path)
    Path("book.txt").write_text(BOOK, encoding="utf-8")
    return lambda *arguments: main([*arguments, "--voice", str(tiny_voice)])


def read_json(path: Path | str) -> dict[str, Any]:
    return dict(json.loads(Path(path).read_text(encoding="utf-8")))


def test_words_of_a_book_are_those_of_its_chapters_one_after_the_other(
    tts: Synthesizer, tmp_path: Path
) -> None:
    book = spoken(record(tts, tmp_path / "work", *TEXTS))
    write_book_captions(tmp_path / "a.json", book)
    facts = read_json(tmp_path / "a.json")
    first, last = tts.speak(TEXTS[0]), tts.speak(TEXTS[2])
    second_start = first.seconds + CHAPTER_PAUSE_SECONDS
    expected = [
        *((word.written, word.start, word.end) for word in first.words),
        *(
            (word.written, second_start + word.start, second_start + word.end)
            for word in last.words
        ),
    ]
    found = [(word["written"], word["start"], word["end"]) for word in facts["words"]]
    assert [one[0] for one in found] == [one[0] for one in expected]
    for (_, *times), (_, *expected_times) in zip(found, expected, strict=True):
        assert times == pytest.approx(expected_times, abs=0.002)
    places = [word["place"] for word in facts["words"]]
    assert places == ["1:1", "1:2", "1:2", "1:2", "1:3", "1:4", "3:1", "3:1", "3:1"]
    lines = [line for cue in facts["cues"] for line in cue["lines"]]
    assert " ".join(lines) == "One. It costs $5. No. No. Three, and four."
    assert all(a["end"] <= b["start"] for a, b in pairwise(facts["cues"]))


def test_a_cue_belongs_to_one_chapter(tts: Synthesizer, tmp_path: Path) -> None:
    book = spoken(record(tts, tmp_path / "work", "One.", "Two."))
    write_book_captions(tmp_path / "a.srt", book)
    assert [cue.text for cue in read_cues(tmp_path / "a.srt")] == ["One.", "Two."]


def test_a_sentence_made_anew_has_new_times(tts: Synthesizer, tmp_path: Path) -> None:
    recording = record(tts, tmp_path / "work", "One. Two. Three.")
    book = spoken(recording)
    write_book_captions(tmp_path / "a.json", book)
    recording.change(Place(1, 2), Change(text="Two of them. And no more."))
    for _ in recording.speak_changed(Place(1, 2)):
        pass
    write_book_captions(tmp_path / "b.json", book)
    before, after = (read_json(tmp_path / name)["words"] for name in ("a.json", "b.json"))
    assert [word["written"] for word in after] == [
        *("One", "Two", "of", "them", "And", "no", "more", "Three")
    ]
    assert [word["place"] for word in after[1:-1]] == ["1:2"] * 6
    assert after[0] == before[0]
    new, old = book.chapters[0].sentences[1].n_samples, Synthesizer.speak(tts, "One. Two. Three.")
    shift = (new - 22_050 * (old.starts[2] - old.starts[1])) / 22_050
    assert after[-1]["start"] == pytest.approx(before[-1]["start"] + shift, abs=0.002)


def test_parts_of_a_long_sentence_are_shown_as_one(tts: Synthesizer, tmp_path: Path) -> None:
    text = (
        "The men, and the women, and the children of the village went on, " * 9
        + "and then no more."
    )
    book = spoken(record(tts, tmp_path / "work", text))
    assert len(book.chapters[0].sentences) > 1
    write_book_captions(tmp_path / "a.srt", book)
    shown = " ".join(cue.text.replace("\n", " ") for cue in read_cues(tmp_path / "a.srt"))
    assert shown == text


def test_a_zip_has_captions_beside_each_chapter(tts: Synthesizer, tmp_path: Path) -> None:
    book = spoken(record(tts, tmp_path / "work", *TEXTS))
    write_book(tmp_path / "a.flac.zip", book, captions=".json")
    with zipfile.ZipFile(tmp_path / "a.flac.zip") as archive:
        assert archive.namelist() == [
            *("001 No 1.flac", "001 No 1.json"),
            *("002 No 3.flac", "002 No 3.json"),
        ]
        for name in ("001 No 1", "002 No 3"):
            seconds = soundfile.info(io.BytesIO(archive.read(f"{name}.flac"))).duration
            words = json.loads(archive.read(f"{name}.json"))["words"]
            assert words[0]["start"] < 0.1
            assert seconds / 2 < words[-1]["end"] <= seconds + 0.001
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.flac.zip", "work"]


def test_what_lies_on_disk_without_its_times_is_spoken_again(
    tts: Synthesizer, tmp_path: Path
) -> None:
    recording = record(tts, tmp_path / "work", "One. Two.")
    sentences = spoken(recording).chapters[0].sentences
    sentences[0].path.with_suffix(".json").unlink()
    assert [step.is_new for step in recording.speak()] == [True, False]


def test_the_command_writes_captions_and_manifest_of_a_book(speak, tiny_voice: Path) -> None:
    extras = ("--captions", "book.srt", "--manifest", "book.json")
    assert speak("--file", "book.txt", "book.flac", "--keep-work", *extras) == 0
    shown = " ".join(cue.text for cue in read_cues(Path("book.srt")))
    assert " ".join(shown.split()) == " ".join(BOOK.split())
    facts = read_json("book.json")
    voice = read_json(tiny_voice / "voice.json")
    assert facts["sha256"]["tacotron2"] == voice["tacotron2"]["sha256"]
    assert facts["sha256"]["waveglow"] == voice["waveglow"]["sha256"]
    assert [one["title"] for one in facts["chapters"]] == ["Chapter 1", "Chapter 2"]
    assert facts["chapters"][1]["end"] == pytest.approx(facts["audio_seconds"], abs=0.001)
    assert soundfile.info("book.flac").duration == pytest.approx(facts["audio_seconds"], abs=0.001)
    assert [one["place"] for one in facts["sentences"]] == ["1:1", "1:2", "1:3", "2:1", "2:2"]
    assert facts["sentences"][3]["start"] == facts["chapters"][1]["start"]
    assert {one["settings"]["seed"] for one in facts["sentences"]} == {0}
    assert facts["words"][-1]["written"] == "were"

    assert speak("--file", "book.txt", "book.flac", "--redo", "1:2", "--seed", "9", *extras) == 0
    after = read_json("book.json")
    assert [one["settings"]["seed"] for one in after["sentences"]] == [0, 9, 0, 0, 0]
    assert after["sentences"][0] == facts["sentences"][0]
    assert [one["mel_seed"] for one in after["sentences"]] == [0, 9, 0, 0, 0]


def test_a_manifest_of_a_book_is_enough_to_make_a_sentence_again(
    tts: Synthesizer, tmp_path: Path
) -> None:
    """The seed of a sentence is that of its settings and its place in the chapter."""
    document = Document(
        title="", author="", chapters=(Chapter(title="One", text="One. Two, and three."),)
    )
    recording = Recording(document, tts, SpeechOptions(seed=4), WorkFolder(tmp_path / "work"))
    facts = spoken(recording).chapters[0].sentences[1].facts()
    again = tts.speak(document.chapters[0].text, SpeechOptions(**facts[0]["settings"]))
    assert facts[0]["frames"] == again.sentences[1].mel.shape[1]
    assert facts[0]["words"][-1]["written"] == "three"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("book.m4b", "--plot", "a.png"), "--plot is for speech of one piece"),
        (("book.zip", "--captions", "a.txt"), "expected one of .json, .srt, .vtt"),
        (("book.m4b", "--captions", "a.json", "--manifest", "a.json"), "a.json is named twice"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_voice_is_loaded(
    speak, capsys, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.setattr(Synthesizer, "load", None)
    assert speak("--file", "book.txt", *arguments) == 1
    assert words in capsys.readouterr().err


def test_a_plot_of_a_book_is_refused_with_its_length(speak, capsys) -> None:
    Path("long.txt").write_text("Word. " * 1_000, encoding="utf-8")
    assert speak("--file", "long.txt", "a.mp3", "--plot", "a.png") == 1
    error = capsys.readouterr().err
    assert "draws a text of at most 5,000 characters, and this one has 5,999" in error
