"""EPUB: a zip of web pages, with the order of reading and a table of contents.

Source: EPUB 3.3 (W3C), and the NCX of EPUB 2.0.1. Nothing is ever unpacked to disk.
"""

from __future__ import annotations

import posixpath
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from pipeline.documents.document import Block, Document, make_document
from pipeline.documents.html_text import parse_html
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_TEXT_BYTES = 128 * 1024**2  # of all files that are read, unpacked; pictures are not
_MAX_DEPTH = 2  # of the table of contents: parts and chapters, no sections
# Scrambled fonts are no obstacle to reading.
_FONT_ALGORITHMS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


class _Entry(NamedTuple):
    """A line of the table of contents."""

    file: str
    anchor: str
    title: str


class _Archive:
    """The files of a zip, read with a limit on what they unpack to."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left_bytes = MAX_TEXT_BYTES

    def has(self, name: str) -> bool:
        return name in self._archive.NameToInfo

    def read(self, name: str) -> bytes:
        if not self.has(name):
            raise PipelineError(f"the file {name!r} is missing in it")
        try:
            with self._archive.open(name) as file:
                data = file.read(self._left_bytes + 1)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise PipelineError(f"{name!r} in it cannot be unpacked: {error}") from error
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            raise PipelineError(
                f"its texts unpack to more than {MAX_TEXT_BYTES // 1024**2} MB, at {name!r}"
            )
        return data

    def xml(self, name: str) -> _Element:
        """Return the root of an XML file; entities stay as they are, nothing is fetched."""
        from lxml import etree

        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
        try:
            root = etree.fromstring(self.read(name), parser)
        except etree.XMLSyntaxError as error:
            raise PipelineError(f"{name!r} in it is not XML: {error}") from error
        if root is None:
            raise PipelineError(f"{name!r} in it is not XML")
        return root


def read_epub(path: Path) -> Document:
    """Return the book; its table of contents, or else its files, make chapters.

    Raises:
        PipelineError: It is not a zip, a file that is needed is missing, it is protected, or it
            unpacks to too much.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise PipelineError(f"it is not an EPUB: {error}") from error
    with archive:
        return _read(_Archive(archive))


def _read(archive: _Archive) -> Document:
    _refuse_protected(archive)
    container = archive.xml("META-INF/container.xml")
    package_name = next((one.get("full-path", "") for one in container.iter("{*}rootfile")), "")
    package = archive.xml(package_name)
    folder = posixpath.dirname(package_name)
    items = {item.get("id", ""): item for item in package.iter("{*}item")}
    spine = next(package.iter("{*}spine"), None)
    order = [] if spine is None else list(spine.iter("{*}itemref"))
    blocks: list[Block] = []
    places: dict[tuple[str, str], int] = {}  # where a file or an anchor in it begins
    notices = []
    for reference in order:
        item = items.get(reference.get("idref", ""))
        if item is None or "nav" in item.get("properties", "").split():
            continue
        file = _resolve(folder, item.get("href", ""))[0]
        if not archive.has(file):
            notices.append(f"The file {file!r} of the book is missing.")
        elif reference.get("linear") != "no" and "html" in item.get("media-type", "html"):
            _add_file(blocks, places, file, archive.read(file))
    entries = _contents(archive, items, spine, folder)
    starts = {
        places.get((entry.file, entry.anchor), places[entry.file, ""]): entry.title
        for entry in entries
        if (entry.file, "") in places
    }
    if not starts:
        starts = {index: "" for (_, anchor), index in places.items() if not anchor}
    return make_document(
        blocks,
        starts,
        title=_fact(package, "title"),
        author=_fact(package, "creator"),
        notices=notices,
    )


def _add_file(
    blocks: list[Block], places: dict[tuple[str, str], int], file: str, data: bytes
) -> None:
    places.setdefault((file, ""), len(blocks))
    for block in parse_html(data).blocks:
        for anchor in block.anchors:
            places.setdefault((file, anchor), len(blocks))
        blocks.append(block)


def _refuse_protected(archive: _Archive) -> None:
    if not archive.has("META-INF/encryption.xml"):
        return
    methods = archive.xml("META-INF/encryption.xml").iter("{*}EncryptionMethod")
    if any(method.get("Algorithm") not in _FONT_ALGORITHMS for method in methods):
        raise PipelineError("it is protected against copying (DRM), so its text cannot be read")


def _contents(
    archive: _Archive, items: dict[str, _Element], spine: _Element | None, folder: str
) -> list[_Entry]:
    """Return the table of contents, that of EPUB 3 or that of EPUB 2, or nothing."""
    for item in items.values():
        file = _resolve(folder, item.get("href", ""))[0]
        if "nav" in item.get("properties", "").split() and archive.has(file):
            return _nav_entries(archive.xml(file), posixpath.dirname(file))
    ncx = items.get("" if spine is None else spine.get("toc", ""))
    file = "" if ncx is None else _resolve(folder, ncx.get("href", ""))[0]
    return _ncx_entries(archive.xml(file), posixpath.dirname(file)) if archive.has(file) else []


def _nav_entries(root: _Element, folder: str) -> list[_Entry]:
    for nav in root.iter("{*}nav"):
        kinds = nav.get("{http://www.idpf.org/2007/ops}type", "toc").split()
        if "toc" in kinds:
            return [
                _Entry(*_resolve(folder, link.get("href", "")), _words(link))
                for link in nav.iter("{*}a")
                if sum(1 for _ in link.iterancestors("{*}li")) <= _MAX_DEPTH
            ]
    return []


def _ncx_entries(root: _Element, folder: str) -> list[_Entry]:
    entries = []
    for point in root.iter("{*}navPoint"):
        content, label = point.find("{*}content"), point.find("{*}navLabel")
        is_deep = sum(1 for _ in point.iterancestors("{*}navPoint")) >= _MAX_DEPTH
        if content is not None and label is not None and not is_deep:
            entries.append(_Entry(*_resolve(folder, content.get("src", "")), _words(label)))
    return entries


def _resolve(folder: str, href: str) -> tuple[str, str]:
    """Return the name in the zip, and the anchor, that a link leads to."""
    file, _, anchor = href.partition("#")
    return posixpath.normpath(posixpath.join(folder, unquote(file))), unquote(anchor)


def _words(element: _Element) -> str:
    return " ".join("".join(part for part in element.itertext()).split())


def _fact(package: _Element, name: str) -> str:
    """Return an element of Dublin Core, the first that says something."""
    namespace = "{http://purl.org/dc/elements/1.1/}"
    return next(filter(None, map(_words, package.iter(f"{namespace}{name}"))), "")
