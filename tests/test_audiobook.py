"""Books: chapters, every format, resuming after a kill, flat memory, sentences made anew."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline import SpeechOptions, Synthesizer
from pipeline.audio import to_pcm
from pipeline.audiobook.changes import Change, Place
from pipeline.audiobook.export import write_book
from pipeline.audiobook.recording import Recording
from pipeline.audiobook.spoken import CHAPTER_PAUSE_SECONDS, SpokenBook
from pipeline.audiobook.work_folder import WorkFolder
from pipeline.command import parse_numbers
from pipeline.documents import Chapter, Document
from pipeline.errors import PipelineError
from pipeline.speak import main
from tests.timing import wait_until

ROOT = Path(__file__).parents[1]
PARTS = ("One. It costs $5.\n\nA line without a mark\n\nTwo", "Three, and four. Five.")
TEXT = "Chapter 1\n\nOne. Two {HH QQ} two. Three.\n\nChapter 2\n\nThe end.\n"


@pytest.fixture(scope="module")
def tts(tiny_voice: Path) -> Synthesizer:
    return Synthesizer.load(tiny_voice, device="cpu")


@pytest.fixture
def recording(tts: Synthesizer, tmp_path: Path) -> Recording:
    return record(tts, tmp_path / "work", *PARTS)


def record(tts: Synthesizer, folder: Path, *texts: str, **changes: float) -> Recording:
    chapters = tuple(Chapter(title=f"No. {n}", text=text) for n, text in enumerate(texts, 1))
    document = Document(title="A Book", author="Ann Author", chapters=chapters)
    return Recording(document, tts, SpeechOptions(**changes), WorkFolder(folder))


def spoken(recording: Recording) -> SpokenBook:
    for _ in recording.speak():
        pass
    return recording.book


def whole(book: SpokenBook) -> np.ndarray:
    return np.concatenate(list(book.pcm()))


def test_a_chapter_is_what_the_synthesizer_says_of_its_text(
    tts: Synthesizer, recording: Recording
) -> None:
    chapters = spoken(recording).chapters
    for chapter, text in zip(chapters, PARTS, strict=True):
        assert np.array_equal(np.concatenate(list(chapter.pcm())), to_pcm(tts.speak(text).audio))
    pause = round(CHAPTER_PAUSE_SECONDS * 22_050)
    assert len(whole(recording.book)) == sum(one.n_samples for one in chapters) + pause
    assert recording.book.starts() == [0, chapters[0].n_samples + pause, len(whole(recording.book))]


def test_nothing_is_spoken_twice_and_a_stop_loses_nothing(
    tts: Synthesizer, recording: Recording
) -> None:
    steps = recording.speak()
    first = [next(steps) for _ in range(3)]
    steps.close()
    again = list(recording.speak())
    assert [step.is_new for step in again] == [False] * 3 + [True] * (len(again) - 3)
    assert [step.spoken for step in again[:3]] == [step.spoken for step in first]
    assert again[-1].done_characters == recording.n_characters == sum(map(len, PARTS))
    assert not any(step.is_new for step in recording.speak())


@pytest.mark.parametrize("changes", [{"seed": 1}, {"sigma": 0.3}, {"rate": 1.5}])
def test_other_settings_find_nothing_of_these(
    tts: Synthesizer, recording: Recording, tmp_path: Path, changes: dict[str, float]
) -> None:
    assert len(list(recording.speak())) == 6
    other = record(tts, tmp_path / "work", *PARTS, **changes)
    assert next(other.speak()).is_new


def test_one_sentence_is_made_anew_without_the_rest(recording: Recording) -> None:
    before = [one.pcm() for chapter in spoken(recording).chapters for one in chapter.sentences]
    recording.change(Place.parse("1:2"), Change(seed=7))
    recording.change(Place.parse("2:1"), Change(text="Three. And many more than four."))
    steps = list(recording.speak())
    assert [step.is_new for step in steps] == [False, True, False, False, True, False]
    after = [step.spoken.pcm() for step in steps]
    same = [len(a) == len(b) and np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert same == [True, False, True, True, False, True]
    with pytest.raises(PipelineError, match=r"no sentence 3:1: chapter 3 of 2 has 0"):
        recording.change(Place(3, 1), Change(seed=1))
    with pytest.raises(PipelineError, match=r"expected CHAPTER:SENTENCE such as 3:12"):
        Place.parse("3.12")


def test_what_cannot_be_spoken_is_named_with_its_place(tts: Synthesizer, tmp_path: Path) -> None:
    texts = ("Fine. Say {HH QQ} now. On.", "* * *", "{HH QQ}", "<speak>no end", "Good.")
    book = spoken(record(tts, tmp_path, *texts))
    assert [len(chapter.sentences) for chapter in book.chapters] == [2, 0, 0, 0, 1]
    assert [line.split(":")[0] for line in book.problems()] == ["No. 1", "No. 3", "No. 4"]
    assert "QQ" in book.problems()[0]
    assert "'Say {HH QQ} now.'" in book.problems()[0]
    assert [chapter.title for chapter in book.heard] == ["No. 1", "No. 5"]


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".opus", ".m4b"])
def test_every_format_holds_the_whole_book(
    recording: Recording, tmp_path: Path, suffix: str
) -> None:
    book = spoken(recording)
    path = tmp_path / f"out{suffix}"
    write_book(path, book)
    if suffix == ".m4b":
        check_m4b(path, book)
        return
    with soundfile.SoundFile(path) as file:
        assert file.frames / file.samplerate == pytest.approx(book.seconds, abs=0.1)
        assert (file.title, file.artist) == ("A Book", "Ann Author")
        if suffix in (".wav", ".flac"):
            assert np.array_equal(file.read(dtype="int16"), whole(book))


def check_m4b(path: Path, book: SpokenBook) -> None:
    """Read the file by another way than it was written: what players see."""
    import av

    with av.open(path) as container:
        assert container.metadata["title"] == "A Book"
        assert container.metadata["artist"] == "Ann Author"
        chapters = container.chapters()
        assert [one["metadata"]["title"] for one in chapters] == ["No. 1", "No. 2"]
        starts = [float(one["start"] * one["time_base"]) for one in chapters]
        ends = [float(one["end"] * one["time_base"]) for one in chapters]
        expected = [start / book.sample_rate for start in book.starts()]
        assert [*starts, ends[-1]] == pytest.approx(expected, abs=0.002)
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    said = whole(book) / 32_768
    assert len(heard) == pytest.approx(len(said), abs=3_000)
    n = min(len(heard), len(said)) // 2_205 * 2_205
    loudness = [np.sqrt((one[:n].reshape(-1, 2_205) ** 2).mean(axis=1)) for one in (heard, said)]
    assert np.corrcoef(*loudness)[0, 1] > 0.95


@pytest.mark.parametrize(("name", "suffix"), [("a.zip", ".mp3"), ("a.flac.zip", ".flac")])
def test_a_zip_has_a_file_for_each_chapter(
    recording: Recording, tmp_path: Path, name: str, suffix: str
) -> None:
    book = spoken(recording)
    write_book(tmp_path / name, book)
    with zipfile.ZipFile(tmp_path / name) as archive:
        assert archive.namelist() == [f"001 No 1{suffix}", f"002 No 2{suffix}"]
        for chapter, entry in zip(book.chapters, archive.namelist(), strict=True):
            with archive.open(entry) as data:
                audio, rate = soundfile.read(data)
            assert len(audio) / rate == pytest.approx(chapter.n_samples / 22_050, abs=0.1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "work"]


@pytest.fixture
def speak(tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the command in a folder with a book."""
    monkeypatch.chdir(tmp_path)
    Path("book.txt").write_text(TEXT, encoding="utf-8")
    return lambda *arguments: main([*arguments, "--voice", str(tiny_voice)])


def test_the_command_speaks_a_book_and_leaves_one_file(speak, capsys) -> None:
    assert speak("--file", "book.txt", "book.flac", "--chapters", "1") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("book.flac: ")
    assert captured.out.count("\n") == 1
    assert "warning: Chapter 1: 'QQ' in {HH QQ} is not an ARPAbet phone" in captured.err
    assert sorted(path.name for path in Path().iterdir()) == ["book.flac", "book.txt"]


def test_the_command_makes_one_sentence_anew(speak, capsys) -> None:
    assert speak("--file", "book.txt", "book.wav", "--sigma", "0.8", "--keep-work") == 0
    before, rate = soundfile.read("book.wav", dtype="int16")
    listing = Path("book.wav.work/sentences.tsv").read_text().splitlines()
    assert [line.split("\t")[0::2] for line in listing[1:]] == [
        *(["1:1", "Chapter 1"], ["1:2", "One."], ["1:3", "Three."]),
        *(["2:1", "Chapter 2"], ["2:2", "The end."]),
    ]
    start, end = (round(float(line.split("\t")[1]) * rate) for line in listing[2:4])
    assert speak("--file", "book.txt", "book.wav", "--redo", "1:2", "--seed", "3") == 0
    after = soundfile.read("book.wav", dtype="int16")[0]
    assert np.array_equal(after[: start - 256], before[: start - 256])
    assert not np.array_equal(after[start:end], before[start:end])
    assert np.array_equal(after[-10_000:], before[-10_000:])
    changes = json.loads(Path("book.wav.work/changes.json").read_text())
    assert changes["1:2"]["seed"] == 3
    assert speak("Never.", "book.wav", "--file", "book.txt", "--redo", "2:2") == 0
    assert "2:2\t" in Path("book.wav.work/sentences.tsv").read_text()
    assert Path("book.wav.work/sentences.tsv").read_text().endswith("Never.\n")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--file", "book.txt", "a.m4b", "--chapters", "3"), "--chapters names 3 to 3, expected 1"),
        (("--file", "book.txt", "a.m4b", "--plot", "a.png"), "--plot is for speech of one piece"),
        (("--file", "book.txt", "a.m4b", "--redo", "1:1", "--seed", "1"), "with --keep-work"),
        (("--file", "none.epub", "a.m4b"), "Cannot read none.epub"),
        (("--file", "silent.txt", "a.m4b"), "There is nothing to speak"),
    ],
)
def test_a_book_that_cannot_be_made_is_one_line(
    speak, capsys, arguments: tuple[str, ...], word: str
) -> None:
    Path("silent.txt").write_text("* * *")
    assert speak(*arguments) == 1
    assert word in capsys.readouterr().err.splitlines()[-1]
    assert not Path("a.m4b").exists()


def test_lists_of_chapters_are_read() -> None:
    assert parse_numbers("1-3,5") == {1, 2, 3, 5}


@pytest.mark.slow
def test_a_killed_book_goes_on_where_it_was(tiny_voice: Path, tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("And one more sentence of it. " * 400)
    command = [sys.executable, "-m", "pipeline.speak", "--file", str(tmp_path / "book.txt")]
    command += [str(tmp_path / "book.flac"), "--voice", str(tiny_voice)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    work = tmp_path / "book.flac.work" / "sentences"
    wait_until(lambda: process.poll() is not None or len(list(work.glob("*.flac"))) >= 20)
    assert process.poll() is None
    process.kill()
    process.wait()
    assert not (tmp_path / "book.flac").exists()
    before = {path: path.stat().st_mtime_ns for path in work.glob("*.flac")}
    subprocess.run([*command, "--keep-work"], cwd=ROOT, check=True, capture_output=True)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list(work.glob("*.flac"))) == 400
    once = Synthesizer.load(tiny_voice, device="cpu")
    text = (tmp_path / "book.txt").read_text()
    expected = to_pcm(np.concatenate([part.audio for part in once.stream(text)]))
    assert np.array_equal(soundfile.read(tmp_path / "book.flac", dtype="int16")[0], expected)


@pytest.mark.slow
def test_a_long_book_takes_no_more_memory_than_a_short_one(
    tts: Synthesizer, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource", reason="Windows counts memory in another way")

    def peak_bytes() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024

    write_book(tmp_path / "a.m4b", spoken(record(tts, tmp_path / "a", *["Short one. " * 20] * 2)))
    before = peak_bytes()
    book = spoken(record(tts, tmp_path / "b", *["Long one, it is. " * 60] * 10))
    write_book(tmp_path / "b.m4b", book)
    audio_bytes = 8 * book.starts()[-1]  # mel and float audio take more still
    assert audio_bytes > 40e6
    assert peak_bytes() - before < audio_bytes / 5
