"""Fuzzed documents, checkpoints, archives and manifests: read or refused, and nothing outside."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load, save

from pipeline.checkpoints import DESCRIPTION_KEY, load_model
from pipeline.documents.reading import document_from_json, document_to_json, read_here
from pipeline.errors import PipelineError
from pipeline.pretrained.conversion import read_any, to_nemo
from pipeline.pretrained.nemo_archives import CONFIG_NAME, WEIGHTS_NAME
from pipeline.voice_loading import load_predictor, load_voice_vocoder
from pipeline.voices import read_voice
from tests.document_files import write_epub, write_pdf
from tests.fuzzing import altered, damaged, fuzz
from tests.tiny_models import SMALL_FILE, random_waveglow

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("own_files_only")]

HTML = """<html><head><title>T</title><style>a{}</style></head><body><h1 id="a">One</h1>
<p>Some <b>text</b>.<br/>More<table><tr><td>1</td></tr></table><ul><li>x</li></ul>
<h2>Two</h2><p>And &amp; more &#233;.</p><img alt="p" src="file:///etc/passwd"/></body></html>"""
MARKDOWN = (
    "# One\n\nSome *text* [link](x).\n\n- a\n- b\n\n## Two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
)
SUBTITLES = (
    "1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i>\n\n2\n00:00:03,000 --> 00:00:04,5\nBye\n"
)
PAGES = {"a.xhtml": "<h1 id='a'>One</h1><p>Text</p>", "b.xhtml": "<p>More</p>"}


def members(book: bytes) -> dict[str, bytes]:
    """Return the files of a zip."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A good document of each kind by its suffix."""
    folder = tmp_path_factory.mktemp("documents")
    links = [("a.xhtml#a", "One"), ("b.xhtml", "Two")]
    book = write_epub(folder / "book.epub", PAGES, nav=links, ncx=links)
    pdf = write_pdf(folder / "book.pdf", [["One", "text"], ["Two"]], outline={"One": 0})
    return {
        **{".html": HTML.encode(), ".md": MARKDOWN.encode(), ".srt": SUBTITLES.encode()},
        **{".epub": book.read_bytes(), ".pdf": pdf.read_bytes(), ".txt": "One.\n\nTwo. é".encode()},
    }


def check_document(path: Path, content: bytes) -> None:
    """Read a document as its own process does."""
    path.write_bytes(content)
    with contextlib.suppress(PipelineError):
        document = read_here(path)
        assert document_from_json(document_to_json(document)) == document
        assert document.n_characters
        assert "root:" not in document_to_json(document)


@pytest.mark.parametrize("suffix", [".html", ".md", ".srt", ".epub", ".pdf", ".txt"])
@fuzz
@given(data=st.data())
def test_any_document_is_read_or_refused(
    suffix: str, documents: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzzed{suffix}"
    check_document(path, data.draw(damaged(documents[suffix])))


@fuzz
@given(data=st.data())
def test_a_book_of_damaged_pages_is_read_or_refused(
    documents: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data
) -> None:
    files = members(documents[".epub"])
    name = data.draw(st.sampled_from(sorted(files)))
    files[name] = data.draw(damaged(files[name]))
    check_document(tmp_path_factory.getbasetemp() / "fuzzed.epub", zipped(files))


@pytest.fixture(scope="module")
def models(tiny_voice: Path) -> dict[str, bytes]:
    """The two models of a voice."""
    return {n: (tiny_voice / f"{n}.safetensors").read_bytes() for n in ("waveglow", "tacotron2")}


@pytest.mark.parametrize("name", ["waveglow", "tacotron2"])
@fuzz
@given(data=st.data())
def test_any_checkpoint_is_loaded_or_refused(
    name: str, models: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data
) -> None:
    content = models[name]
    header_bytes = 8 + int.from_bytes(content[:8], "little")
    path = tmp_path_factory.getbasetemp() / "fuzzed.safetensors"
    path.write_bytes(data.draw(damaged(content[:header_bytes])) + content[header_bytes:])
    with contextlib.suppress(PipelineError):
        load_model(path, name)


@pytest.mark.parametrize("name", ["waveglow", "tacotron2"])
@fuzz
@given(data=st.data())
def test_any_config_in_a_checkpoint_is_held_against_its_weights(
    name: str, models: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data
) -> None:
    content = models[name]
    header_bytes = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + header_bytes])
    description = json.loads(header["__metadata__"][DESCRIPTION_KEY])
    description["config"] = data.draw(altered(description["config"]))
    path = tmp_path_factory.getbasetemp() / "fuzzed.safetensors"
    path.write_bytes(save(load(content), {DESCRIPTION_KEY: json.dumps(description)}))
    with contextlib.suppress(PipelineError):
        load_model(path, name)


@pytest.fixture(scope="module")
def published() -> tuple[bytes, str]:
    """Return a file of `torch.save`, and the config that goes with it in an archive of NeMo."""
    config, weights = to_nemo(random_waveglow(SMALL_FILE), "waveglow")
    buffer = io.BytesIO()
    torch.save(dict(weights), buffer)
    return buffer.getvalue(), yaml.safe_dump(config)


def nemo(config: bytes, weights: bytes) -> bytes:
    """Return an archive as NeMo writes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in ((CONFIG_NAME, config), (WEIGHTS_NAME, weights)):
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def damage_weights(data, config: str, weights: bytes) -> bytes:
    return data.draw(damaged(weights))


def damage_archive(data, config: str, weights: bytes) -> bytes:
    return data.draw(damaged(nemo(config.encode(), weights)))


def damage_config(data, config: str, weights: bytes) -> bytes:
    return nemo(data.draw(damaged(config.encode())), weights)


def alter_config(data, config: str, weights: bytes) -> bytes:
    changed = data.draw(altered(yaml.safe_load(config)))
    return nemo(json.dumps(changed).encode(), weights)  # JSON is YAML


@pytest.mark.parametrize("damage", [damage_weights, damage_archive, damage_config, alter_config])
@fuzz
@given(data=st.data())
def test_any_published_file_is_converted_or_refused(
    damage: Callable[..., bytes],
    published: tuple[bytes, str],
    tmp_path_factory: pytest.TempPathFactory,
    data,
) -> None:
    weights, config = published
    path = tmp_path_factory.getbasetemp() / "fuzzed.nemo"
    path.write_bytes(damage(data, config, weights))
    with contextlib.suppress(PipelineError):
        read_any(path, mel_max_hz=8_000.0)


@fuzz
@given(data=st.data())
def test_any_voice_is_read_or_refused_and_leads_nowhere_else(
    tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory, data
) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    folder.mkdir(exist_ok=True)
    written = json.loads((tiny_voice / "voice.json").read_text())
    content = json.dumps(data.draw(altered(copy.deepcopy(written)))).encode()
    if data.draw(st.booleans()):
        content = data.draw(damaged(content))
    (folder / "voice.json").write_bytes(content)
    with contextlib.suppress(PipelineError):
        voice = read_voice(folder)
        assert voice.options.sigma is not None
        for model in filter(None, (voice.tacotron2, voice.waveglow)):
            assert (folder / model.file).parent == folder
        load_predictor(folder, voice)
        load_voice_vocoder(folder, voice, vocoder=None, device=torch.device("cpu"))
