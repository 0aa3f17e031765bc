"""Documents of every kind: their chapters, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline.documents import Document, epub, read_document, reading
from pipeline.documents.__main__ import main
from pipeline.documents.reading import read_here
from pipeline.errors import PipelineError
from tests.document_files import write_epub, write_pdf, xhtml


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def outline(document: Document) -> list[tuple[str, str]]:
    return [(chapter.title, chapter.text) for chapter in document.chapters]


@pytest.mark.parametrize(
    ("line", "is_heading"),
    [
        ("Chapter 3", True),
        ("CHAPTER IV. Down the Hole", True),
        ("CHAPTER I.\nDown the Rabbit-Hole", True),
        ("Chapter Twenty-One: The End", True),
        ("PART TWO", True),
        ("Epilogue", True),
        ("The First Part", False),
        ("Chapter 3 was long.", False),
        ("Part of me knew it", False),
        ("Introductions were made.", False),
        ("Chapter 3\nis\nlong", False),
    ],
)
def test_chapters_of_plain_text_begin_at_such_lines(
    tmp_path: Path, line: str, is_heading: bool
) -> None:
    path = write(tmp_path / "a.txt", f"First words.\n\n{line}\n\nMore words.\n")
    assert len(read_document(path).chapters) == (2 if is_heading else 1)


def test_plain_text_keeps_every_word_and_its_paragraphs(tmp_path: Path) -> None:
    text = "PART ONE\n\nChapter 1\n\nIt rained.\nOn and on.\n\n\nIt\nstopped.\n\nChapter 2\n\nSun."
    document = read_document(write(tmp_path / "a.txt", "\ufeff" + text))
    assert outline(document) == [
        ("Chapter 1", "PART ONE\n\nChapter 1\n\nIt rained.\nOn and on.\n\nIt\nstopped."),
        ("Chapter 2", "Chapter 2\n\nSun."),
    ]


def test_ssml_is_one_chapter(tmp_path: Path) -> None:
    text = "<speak>One.\n\n<break time='1s'/>\n\nTwo.</speak>"
    assert [one.text for one in read_document(write(tmp_path / "a.txt", text)).chapters] == [text]


def test_markdown_has_its_chapters_at_headings(tmp_path: Path) -> None:
    text = (
        "---\ntitle: My Book\nauthor: 'Ann'\n---\n# My Book\n\n## One\n\nFirst *words*,\nand "
        "[more](http://x.org).\n\n- an item\n- another\n\n"
        "## Two\n\n| a | b |\n|---|---|\n| c | d |\n"
    )
    document = read_here(write(tmp_path / "a.md", text))
    assert (document.title, document.author) == ("My Book", "Ann")
    assert outline(document) == [
        ("One", "My Book\n\nOne\n\nFirst words, and more.\n\nan item\n\nanother"),
        ("Two", "Two\n\na, b\n\nc, d"),
    ]


def test_html_is_what_a_reader_sees(tmp_path: Path) -> None:
    page = (
        "<html><head><title>Page</title><meta name=author content=Ann><style>p {}</style></head>"
        "<body><nav>Home</nav><h1>Top</h1><p>A&nbsp;b &amp; c<br>new <b>line</b>.<sup><a "
        "role='doc-noteref'>1</a></sup><script>if (a < b) {}</script><h1>Next</h1><p hidden>no"
        "<div>Open <div>inside"
    )
    document = read_here(write(tmp_path / "a.html", page))
    assert (document.title, document.author) == ("Page", "Ann")
    assert outline(document) == [
        ("Top", "Top\n\nA b & c\nnew line."),
        ("Next", "Next\n\nOpen\n\ninside"),
    ]


def test_a_page_in_another_encoding_says_so_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes("<meta charset=windows-1251><p>\u0434\u0430".encode("cp1251"))
    assert read_here(path).chapters[0].text == "\u0434\u0430"
    path.write_bytes(b"<p>caf\xe9 \x97 bar")
    assert read_here(path).chapters[0].text == "caf\u00e9 \u2014 bar"


def test_subtitles_become_paragraphs_where_nobody_speaks(tmp_path: Path) -> None:
    text = (
        "1\n00:00:01,000 --> 00:00:02,500\n<i>Well, I</i>\n{\\an8}never\n\n"
        "2\n00:00:02,600 --> 00:00:04,000\nsaid so.\n\n3\n00:01:00,000 --> 00:01:01,000\n1984\n"
    )
    expected = "Well, I never said so.\n\n1984"
    assert read_document(write(tmp_path / "a.srt", text)).chapters[0].text == expected
    web = "WEBVTT\n\nNOTE no\n\n" + text.replace(",", ".").replace("Well.", "Well,")
    assert read_document(write(tmp_path / "a.vtt", web)).chapters[0].text == expected


PAGES = {
    "cover.xhtml": '<img src="a.png" alt="x"/>',
    "a b.xhtml": "<p>Before.</p><h1 id='one'>One</h1><p>First<a epub:type='noteref'>1</a>.</p>",
    "c.xhtml": "<h2 id='two'>Two</h2><p>Second.</p><h2>Within</h2><p id='three'>Third.</p>",
}


@pytest.mark.parametrize("form", ["nav", "ncx"])
def test_the_contents_of_an_epub_make_its_chapters(tmp_path: Path, form: str) -> None:
    links = [
        ("cover.xhtml", "Cover"),
        ("a%20b.xhtml#one", "I"),
        ("c.xhtml", "II"),
        ("x.xhtml", "?"),
    ]
    path = write_epub(tmp_path / "a.epub", PAGES, **{form: [*links, ("c.xhtml#three", "III")]})
    document = read_here(path)
    assert (document.title, document.author) == ("A Small Book", "Ann Author")
    assert outline(document) == [
        ("Cover", "Before."),
        ("I", "One\n\nFirst."),
        ("II", "Two\n\nSecond.\n\nWithin"),
        ("III", "Third."),
    ]


def test_an_epub_without_contents_has_a_chapter_for_each_file(tmp_path: Path) -> None:
    document = read_here(write_epub(tmp_path / "a.epub", PAGES))
    assert [chapter.title for chapter in document.chapters] == ["One", "Two"]


def test_a_missing_page_of_an_epub_is_a_notice(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "a.epub", {"a.xhtml": "<p>Here.</p>", "../../../etc/passwd": ""})
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(tmp_path / "b.epub", "w") as part:
        for name in whole.namelist():
            if "passwd" not in name:
                part.writestr(name, whole.read(name))
    document = read_here(tmp_path / "b.epub")
    assert outline(document) == [("Here.", "Here.")]
    assert document.notices == ("The file '../../etc/passwd' of the book is missing.",)


def test_lines_of_a_pdf_become_paragraphs_again(tmp_path: Path) -> None:
    long = "A line of ordinary length, as it stands in a book of this kind and"
    pages = [
        ["The Book", "Opening", long, "one that is exam-", "ple. Short.", long, "end.", "1"],
        ["The Book", long, "goes on", "2"],
        ["The Book", "over the page.", "3"],
    ]
    path = write_pdf(tmp_path / "a.pdf", pages, outline={"Opening": 0, "The rest": 1})
    document = read_document(path)
    assert (document.title, document.author) == ("A Small PDF", "Ann Author")
    assert outline(document) == [
        ("Opening", f"Opening\n\n{long} one that is example. Short.\n\n{long} end."),
        ("The rest", f"{long} goes on over the page."),
    ]


def test_a_page_without_text_is_named(tmp_path: Path) -> None:
    document = read_here(write_pdf(tmp_path / "a.pdf", [["Chapter 1", "Some words."], []]))
    assert document.notices == ("Page 2 has no text.",)


def hostile_files(folder: Path) -> dict[str, Path]:
    """Write files that must be refused, by a word of the message."""
    entity = (
        '<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "&c;&c;"><!ENTITY c "x">]>'
    )
    bomb = write_epub(folder / "bomb.epub", {"a.xhtml": " " * 3_000_000})
    drm = "<e><EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'/></e>"
    files = {
        "unpack to more than 1 MB": bomb,
        "DRM": write_epub(folder / "drm.epub", PAGES, others={"META-INF/encryption.xml": drm}),
        "not an EPUB": write(folder / "text.epub", "text"),
        "no text": write_epub(folder / "empty.epub", {"a.xhtml": ""}),
        "encrypted": write_pdf(folder / "secret.pdf", [["Hi."]], password="x"),
        "text layer": write_pdf(folder / "scan.pdf", [[], []]),
        "broken": write(folder / "text.pdf", "%PDF-1.4 no more"),
        "no subtitle": write(folder / "text.srt", "text"),
        "holds no text": write(folder / "empty.txt", " \n\n "),
        "missing.pdf": folder / "missing.pdf",
    }
    with zipfile.ZipFile(folder / "xml.epub", "w") as book:
        book.writestr("META-INF/container.xml", entity + "<p>&a;&b;</p>")
    with zipfile.ZipFile(folder / "up.epub", "w") as book:
        book.writestr("META-INF/container.xml", "<c><rootfile full-path='../../etc/passwd'/></c>")
    return {**files, "'' is missing": folder / "xml.epub", "etc/passwd' is": folder / "up.epub"}


def test_what_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(epub, "MAX_TEXT_BYTES", 1024**2)
    for word, path in hostile_files(tmp_path).items():
        with pytest.raises(PipelineError) as caught:
            read_here(path)
        message = str(caught.value)
        assert word in message
        assert message.startswith(f"Cannot read {path}: ")
        assert "\n" not in message


def test_what_its_own_process_refuses_is_the_same_line(tmp_path: Path) -> None:
    path = write(tmp_path / "text.epub", "text")
    with pytest.raises(PipelineError, match=r"^Cannot read .+text\.epub: it is not an EPUB: "):
        read_document(path)
    with pytest.raises(PipelineError, match=r"^Cannot read missing\.pdf: No such file"):
        read_document("missing.pdf")


def test_a_file_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    """The limit holds in the process of the reader, which is not this one."""
    pytest.importorskip("resource", reason="Windows has no such limit")
    environment = {**os.environ, "PYTHONPATH": str(reading.ROOT)}
    code = (
        "from pipeline.documents import __main__ as command, reading\n"
        "reading.READERS['.md'] = lambda path: bytes(4 * 1024**3)\n"
        "raise SystemExit(command.main(['--json', 'a.md']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "error: Cannot read a.md: it takes more than 3 GB of memory\n"


def test_entities_of_a_file_are_never_resolved(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt", "TOP SECRET")
    head = f'<!DOCTYPE html [<!ENTITY a SYSTEM "{secret.as_uri()}"><!ENTITY b "&c;&c;">]>'
    page = xhtml("<p>Seen: &a; &b;</p>").replace("<!DOCTYPE html>", head)
    path = write_epub(tmp_path / "a.epub", {"a.xhtml": ""}, others={"OEBPS/b.xhtml": page})
    with zipfile.ZipFile(path, "a") as book, pytest.warns(UserWarning, match="Duplicate"):
        book.writestr("OEBPS/a.xhtml", page)
    text = read_here(path).chapters[0].text
    assert "Seen" in text
    assert "SECRET" not in text


def test_a_reader_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(reading, "MAX_SECONDS", 0.05)
    with pytest.raises(PipelineError, match=r"a\.html: it takes longer than 0\.05 s"):
        read_document(write(tmp_path / "a.html", "<p>Hello."))


def test_the_command_lists_chapters_and_prints_the_text(tmp_path: Path, capsys) -> None:
    path = write_epub(tmp_path / "a.epub", PAGES)
    assert main([str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "A Small Book by Ann Author"
    assert lines[2].split() == ["2", "4", "words", "Two"]


def test_the_child_prints_a_document_as_json(tmp_path: Path) -> None:
    document = read_document(write(tmp_path / "a.txt", "One \u00e9."))
    content = reading.document_to_json(document)
    assert reading.document_from_json(content) == document
    assert json.loads(content)["chapters"][0]["text"] == "One \u00e9."
