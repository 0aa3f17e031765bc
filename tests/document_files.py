"""Small documents of every kind, written for a test."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>"""
PACKAGE = """<?xml version="1.0"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata
xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A  Small Book</dc:title>
<dc:creator>Ann Author</dc:creator></metadata>
<manifest>{items}</manifest><spine toc="ncx">{order}</spine></package>"""
NAV = """<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>
<nav epub:type="toc"><ol>{lines}</ol></nav></body></html>"""
NCX = """<?xml version="1.0"?><!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN"
"http://www.daisy.org/z3986/2005/ncx-2005-1.dtd"><ncx xmlns="http://www.daisy.org/z3986/2005/ncx/">
<navMap>{lines}</navMap></ncx>"""


def xhtml(body: str) -> str:
    return f"""<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="x.js"/></head>
<body>{body}</body></html>"""


def write_epub(
    path: Path,
    pages: Mapping[str, str],
    *,
    nav: Sequence[tuple[str, str]] = (),
    ncx: Sequence[tuple[str, str]] = (),
    others: Mapping[str, str] | None = None,
) -> Path:
    """Write an EPUB: pages by file name, a table of contents of links and titles in either form."""
    items = "".join(
        f'<item id="i{n}" href="{name}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(pages)
    )
    items += '<item id="nav" href="nav.xhtml" properties="nav" media-type="x"/>' if nav else ""
    items += '<item id="ncx" href="toc.ncx" media-type="x"/>' if ncx else ""
    order = "".join(f'<itemref idref="i{n}"/>' for n in range(len(pages)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr("META-INF/container.xml", CONTAINER)
        book.writestr("OEBPS/book.opf", PACKAGE.format(items=items, order=order))
        for name, body in pages.items():
            book.writestr(f"OEBPS/{name}", xhtml(body))
        if nav:
            lines = "".join(f'<li><a href="{link}">{title}</a></li>' for link, title in nav)
            book.writestr("OEBPS/nav.xhtml", NAV.format(lines=lines))
        if ncx:
            lines = "".join(
                f"<navPoint><navLabel><text>{title}</text></navLabel>"
                f"<content src='{link}'/></navPoint>"
                for link, title in ncx
            )
            book.writestr("OEBPS/toc.ncx", NCX.format(lines=lines))
        for name, content in (others or {}).items():
            book.writestr(name, content)
    return path


def write_pdf(
    path: Path,
    pages: Sequence[Sequence[str]],
    *,
    outline: Mapping[str, int] | None = None,
    password: str = "",
) -> Path:
    """Write a PDF: the lines of each page, and an outline of titles with the index of a page."""
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for lines in pages:
        page = writer.add_blank_page(595, 842)
        content = DecodedStreamObject()
        shown = "".join(f"({line}) Tj 0 -14 Td\n" for line in lines)
        content.set_data(f"BT /F1 12 Tf 72 770 Td\n{shown}ET".encode("latin-1"))
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        page[NameObject("/Contents")] = writer._add_object(content)
    for title, index in (outline or {}).items():
        writer.add_outline_item(title=title, page_number=index)
    writer.add_metadata({"/Title": "A Small PDF", "/Author": "Ann Author"})
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(path)
    return path
