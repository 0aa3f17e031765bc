"""Fetching from a server that does all that servers do; no network beyond this machine."""

from __future__ import annotations

import http.server
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pipeline import fetch
from pipeline.checkpoints import file_sha256, load_waveglow
from pipeline.errors import PipelineError
from pipeline.pretrained import download as downloading
from pipeline.pretrained.catalog import read_catalog
from pipeline.pretrained.download import ProgressBar, download
from pipeline.pretrained.waveglow_state_dict import waveglow_to_nemo
from tests.nvidia_state_dicts import latest
from tests.tiny_models import SMALL_FILE, random_waveglow

CONTENT = bytes(range(256)) * 4_000  # 1,024,000 bytes
Answer = Callable[["Handler"], None]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers each request with the next of the server's answers; the last one stays."""

    server: Server

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers.get("Range")))
        answers = self.server.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def do_CONNECT(self) -> None:
        self.server.requests.append((self.path, "CONNECT"))
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Server(http.server.ThreadingHTTPServer):
    """What it answers, and what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[Answer] = []
        self.requests: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/model.pt"


def whole(
    content: bytes = CONTENT, *, etag: str = '"1"', kind: str = "application/octet-stream"
) -> Answer:
    """Answer well: the file or the rest of it that is asked for."""

    def answer(handler: Handler) -> None:
        start = 0
        asked = handler.headers.get("Range")
        if asked and handler.headers.get("If-Range") == etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content) - start))
        handler.send_header("ETag", etag)
        handler.end_headers()
        handler.wfile.write(content[start:])

    return answer


def cut_after(n_bytes: int) -> Answer:
    """Announce the rest of the file and cut the connection after so many bytes of it."""

    def answer(handler: Handler) -> None:
        asked = handler.headers.get("Range")
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        handler.send_header("Content-Length", str(len(CONTENT) - start))
        handler.send_header("ETag", '"1"')
        handler.end_headers()
        handler.wfile.write(CONTENT[start : start + n_bytes])

    return answer


def status(code: int, **headers: str) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def lying_range(handler: Handler) -> None:
    """Send the file from its start and call it another part."""
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes 7-{len(CONTENT) - 1}/{len(CONTENT)}")
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT)


def without_length(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(CONTENT)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


class Waits(list[float]):
    """Remembers how long was waited, and does not wait."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def test_a_file_comes_whole(server: Server, tmp_path: Path) -> None:
    server.answers = [whole()]
    seen: list[tuple[int, int | None]] = []
    url = download([server.url], tmp_path / "x", progress=lambda *state: seen.append(state))
    assert url == server.url
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)


def test_after_a_cut_it_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    server.answers = [cut_after(300_000), cut_after(200_000), whole()]
    download([server.url], tmp_path / "x", wait=Waits())
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == [None, "bytes=300000-", "bytes=500000-"]


def test_a_later_run_goes_on_where_the_first_gave_up(server: Server, tmp_path: Path) -> None:
    server.answers = [cut_after(300_000), cut_after(0)]
    with pytest.raises(PipelineError, match="ended after 300000 of 1024000 bytes"):
        download([server.url], tmp_path / "x", wait=Waits())
    assert not (tmp_path / "x").exists()
    server.answers, server.requests = [whole()], []
    download([server.url], tmp_path / "x")
    assert server.requests == [("/model.pt", "bytes=300000-")]
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_begun_anew(server: Server, tmp_path: Path) -> None:
    other = CONTENT[::-1]
    server.answers = [cut_after(300_000), whole(other, etag='"2"')]
    download([server.url], tmp_path / "x", wait=Waits())
    assert (tmp_path / "x").read_bytes() == other


@pytest.mark.parametrize(
    "answers",
    [
        [cut_after(300_000), lying_range, whole()],
        [cut_after(300_000), status(416), whole()],
        [cut_after(300_000), status(503), whole()],
        [cut_after(300_000), whole(etag='"1"')],
        [lying_range, whole()],
        [without_length],
    ],
    ids=["lying range", "no such range", "busy", "good", "range unasked", "no length"],
)
def test_whatever_the_server_says_the_file_is_right(
    answers: list[Answer], server: Server, tmp_path: Path
) -> None:
    server.answers = answers
    download([server.url], tmp_path / "x", wait=Waits())
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_a_busy_server_is_given_the_time_it_asks_for(server: Server, tmp_path: Path) -> None:
    server.answers = [status(503, Retry_After="3"), status(503), status(429), whole()]
    waits = Waits()
    download([server.url], tmp_path / "x", wait=waits)
    assert waits == [3.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("answer", "told", "n_requests"),
    [
        (status(404), "404 Not Found", 1),
        (status(403), "403 Forbidden", 1),
        (status(503), "503 Service Unavailable", 4),
        (lying_range, "sent the range 'bytes 7-", 4),
        (whole(b"<html>quota</html>", kind="text/html"), "a web page instead of the file", 1),
        (whole(CONTENT[:-1]), "has a file of 1023999 bytes, expected 1024000", 1),
        (cut_after(0), "ended after 0 of 1024000 bytes", 4),
        (status(302, Location="/model.pt"), "302 .* infinite loop", None),
    ],
)
def test_a_mirror_that_has_it_not_is_told(
    answer: Answer, told: str, n_requests: int | None, server: Server, tmp_path: Path
) -> None:
    server.answers = [answer]
    with pytest.raises(PipelineError, match=told) as caught:
        download([server.url], tmp_path / "x", size_bytes=len(CONTENT), wait=Waits())
    assert "HTTPS_PROXY" in str(caught.value)
    assert "--from-file" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "x").exists()
    assert n_requests in (None, len(server.requests))


def test_the_next_mirror_is_tried(server: Server, tmp_path: Path) -> None:
    server.answers = [status(404), whole()]
    assert download([server.url, f"{server.url}?2"], tmp_path / "x") == f"{server.url}?2"


def test_no_internet_is_told_with_what_to_do(server: Server, tmp_path: Path) -> None:
    server.server_close()
    with pytest.raises(PipelineError, match=r"127\.0\.0\.1: .*refused.*HTTPS_PROXY.*--from-file"):
        download([server.url], tmp_path / "x", wait=Waits())


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_only_the_web_is_asked(url: str, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="not a web address"):
        download([url], tmp_path / "x")


def test_a_redirect_to_less_than_https_is_not_followed() -> None:
    request = SimpleNamespace(full_url="https://example.org/x")
    with pytest.raises(downloading.MirrorError, match="not https"):
        downloading.SafeRedirects().redirect_request(
            request,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            302,
            "Found",
            None,  # type: ignore[arg-type]
            "http://example.org/x",
        )


def test_a_full_disk_is_told_before_the_first_byte(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = [whole()]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_500_000))
    with pytest.raises(PipelineError, match="2 MB free, 2 MB are needed"):
        download([server.url], tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_the_proxy_is_asked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_port}")
    with pytest.raises(PipelineError, match="403"):
        download(["https://checkpoints.invalid/model.pt"], tmp_path / "x", wait=Waits())
    assert server.requests[0] == ("checkpoints.invalid:443", "CONNECT")


def test_progress_is_shown_in_lines_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bar = ProgressBar("waveglow")
    for there in range(0, 1_000_001, 10_000):
        bar(there, 1_000_000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert "100 % of 1.0 MB" in lines[-1]
    bar = ProgressBar("waveglow")
    bar(5_000_000, None)
    assert "5.0 MB" in capsys.readouterr().err


# The command.


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "model.pt"
    state = latest(waveglow_to_nemo(random_waveglow(SMALL_FILE)))
    torch.save({"state_dict": state}, path)
    return path


class Shop:
    """A server with one published file, a catalog of it, and the command."""

    def __init__(self, server: Server, folder: Path, published: Path) -> None:
        self.server, self.into, self.published = server, folder / "checkpoints", published
        self.catalog = folder / "catalog.json"
        server.answers = [whole(published.read_bytes())]
        self.write(sha256=file_sha256(published))

    def write(self, **changes: object) -> None:
        entry = {
            "what": "a WaveGlow",
            "licence": "none",
            "file": "model.pt",
            "mirrors": [self.server.url],
            "size_bytes": self.published.stat().st_size,
            "mel_max_hz": 8000.0,
        }
        self.catalog.write_text(json.dumps({"waveglow-tiny": entry | changes}))

    def fetch(self, *options: object) -> int:
        arguments = ["--catalog", self.catalog, "--into", self.into, *options]
        return fetch.main([str(argument) for argument in arguments])

    @property
    def folder(self) -> Path:
        return self.into / "waveglow-tiny"

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def shop(server: Server, tmp_path: Path, published: Path) -> Shop:
    return Shop(server, tmp_path, published)


def test_fetching_verifies_converts_and_deletes_the_original(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.fetch("waveglow-tiny") == 0
    assert shop.files == ["source.json", "waveglow.safetensors"]
    assert load_waveglow(shop.folder / "waveglow.safetensors").config == SMALL_FILE
    source = json.loads((shop.folder / "source.json").read_text())
    assert source["sha256"] == file_sha256(shop.published)
    assert source["from"] == shop.server.url
    told = capsys.readouterr()
    assert "speak with --vocoder waveglow-tiny" in told.out
    assert "100 %" in told.err
    assert shop.fetch("waveglow-tiny") == 1
    assert "is there already; --force fetches it anew" in capsys.readouterr().err
    assert shop.fetch("waveglow-tiny", "--force", "--keep", "--half") == 0
    assert "model.pt" in shop.files


def test_wrong_bytes_are_not_used_and_not_kept(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = bytearray(shop.published.read_bytes())
    wrong[-100] ^= 0xFF
    shop.server.answers = [whole(bytes(wrong))]
    assert shop.fetch("waveglow-tiny") == 1
    error = capsys.readouterr().err
    assert f"expected {file_sha256(shop.published)}" in error
    assert shop.files == []
    shop.server.answers = [whole(shop.published.read_bytes())]
    assert shop.fetch("waveglow-tiny") == 0


def test_without_a_published_sha256_the_first_one_is_held_to(
    shop: Shop, published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.write(sha256=None, size_bytes=None)
    assert shop.fetch("waveglow-tiny") == 0
    other = latest(waveglow_to_nemo(random_waveglow(SMALL_FILE, seed=1)))
    torch.save({"state_dict": other}, tmp_path / "other.pt")
    shop.server.answers = [whole((tmp_path / "other.pt").read_bytes())]
    assert shop.fetch("waveglow-tiny", "--force") == 1
    assert f"expected {file_sha256(published)}" in capsys.readouterr().err
    assert shop.files == ["source.json", "waveglow.safetensors"]


def test_a_file_brought_by_other_means_needs_no_server(shop: Shop) -> None:
    shop.write(sha256=file_sha256(shop.published), mirrors=[])
    assert shop.fetch("waveglow-tiny", "--from-file", shop.published) == 0
    assert shop.published.exists()
    assert shop.files == ["source.json", "waveglow.safetensors"]
    assert shop.server.requests == []


def test_a_wrong_file_brought_by_other_means_is_refused_and_left(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.pt").write_bytes(b"other")
    assert shop.fetch("waveglow-tiny", "--from-file", tmp_path / "other.pt") == 1
    assert "expected" in capsys.readouterr().err
    assert (tmp_path / "other.pt").exists()
    assert shop.fetch("waveglow-tiny", "--from-file", tmp_path / "nothing.pt") == 1
    assert "nothing.pt is not a file; expected model.pt" in capsys.readouterr().err


def test_a_download_that_was_not_converted_is_not_downloaded_again(shop: Shop) -> None:
    shop.write(sha256=None, mel_max_hz=None)
    assert shop.fetch("waveglow-tiny") == 1  # converting asks for the mels
    assert shop.files == ["model.pt"]
    shop.write(sha256=None)
    assert shop.fetch("waveglow-tiny") == 0
    assert len(shop.server.requests) == 1


def test_an_unknown_name_is_told_what_is_near(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.fetch("waveglow-tinny") == 1
    assert "did you mean waveglow-tiny?" in capsys.readouterr().err


def test_without_a_name_the_catalog_is_listed(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.fetch() == 0
    assert "waveglow-tiny" in capsys.readouterr().out
    shop.fetch("waveglow-tiny")
    capsys.readouterr()
    assert shop.fetch() == 0
    assert "fetched" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[", "does not hold a catalog"),
        ("[]", "does not hold a catalog"),
        ('{"x": {"what": "y", "url": "z"}}', "does not know url"),
    ],
)
def test_a_spoiled_catalog_is_told(
    content: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "catalog.json").write_text(content)
    assert fetch.main(["--catalog", str(tmp_path / "catalog.json")]) == 1
    assert told in capsys.readouterr().err


def test_the_catalog_of_this_repository_is_whole() -> None:
    catalog = read_catalog()
    assert {"tacotron2-ljspeech", "waveglow-256-ljspeech", "tacotron2-nemo"} <= set(catalog)
    for name, entry in catalog.items():
        assert entry.mirrors, name
        assert all(url.startswith("https://") for url in entry.mirrors), name
        assert entry.mel_max_hz == (None if entry.file.endswith(".nemo") else 8_000.0), name
        assert entry.sha256 is None or len(entry.sha256) == 64, name
        assert entry.couplings in (None, "alternate"), name
