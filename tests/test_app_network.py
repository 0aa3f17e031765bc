"""What stands before the server, on a running one: hosts, origins, bodies, uploads, passwords."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

import app.network.bodies
import app.network.connection
from app.__main__ import build_parser
from app.network.bodies import BodyLimits
from app.network.guard import NetworkOptions
from app.network.hosts import HostPolicy
from app.network.password import FREE_TRIES, MAX_ADDRESSES, RequirePassword, WrongPasswords
from app.network.uploads import LEFTOVER_SECONDS, Uploads, own_uploads_dir
from tests.served import Served, served

SPEECH = {"model": "tacoglow", "voice": "tiny", "input": "Hi.", "response_format": "wav"}
MAX_BODY, MAX_UPLOADS = 50_000, 300_000
PATIENCE_SECONDS = 1.0  # of the server with half a request: long for an honest client of its own
HANGS_SECONDS = 12.0  # less than the server's patience is without such an option
EVIL, FRIEND = "https://evil.example", "https://friend.example"


@pytest.fixture(scope="module")
def server(tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("uploads")
    network = NetworkOptions(
        uploads=Uploads(folder, max_bytes=MAX_UPLOADS),
        hosts=("voice.example",),
        origins=(FRIEND,),
        bodies=BodyLimits(max_bytes=MAX_BODY, patience_seconds=PATIENCE_SECONDS),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        patch.setattr(app.network.connection, "HEAD_SECONDS", PATIENCE_SECONDS)
        with served(tiny_voice, network) as server:
            yield server


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def message_of(answer: httpx.Response) -> str:
    return answer.json()["error"]["message"]


def upload(client: httpx.Client, n_bytes: int, **headers: str) -> httpx.Response:
    files = {"files": (f"{n_bytes}.wav", os.urandom(n_bytes))}
    return client.post("/gradio_api/upload", files=files, headers=headers)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/audio/speech"),
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/gradio_api/upload"),
        ("GET", "/"),
        ("GET", "/config"),
        ("GET", "/health"),
        ("GET", "/results/x/live.wav"),
    ],
)
def test_a_rebound_name_reaches_nothing(client: httpx.Client, method: str, path: str) -> None:
    for host in ("evil.example", "evil.example:7860", "localhost.evil.example", "203.0.113.9", ""):
        answer = client.request(method, path, json=SPEECH, headers={"host": host})
        assert answer.status_code == 403, host
        assert "--allow-host" in message_of(answer)


@pytest.mark.parametrize(
    "host", ["localhost:7860", "127.0.0.1", "[::1]:80", "LocalHost.", "voice.example:443"]
)
def test_local_and_allowed_names_are_served(client: httpx.Client, host: str) -> None:
    answer = client.post("/v1/audio/speech", json=SPEECH, headers={"host": host})
    assert answer.status_code == 200
    assert answer.content.startswith(b"RIFF")


@pytest.mark.parametrize(
    ("host", "server_ip", "is_accepted"),
    [
        ("192.168.1.5:7860", "192.168.1.5", True),
        ("192.168.1.5:7860", "::ffff:192.168.1.5", True),
        ("[fd00::5]", "fd00::5", True),
        ("192.168.1.6", "192.168.1.5", False),
        ("0.0.0.0:7860", "127.0.0.1", True),
        (socket.gethostname(), "192.168.1.5", True),
        (f"{socket.gethostname()}.local:80", "192.168.1.5", True),
        ("voice.example", "192.168.1.5", True),
        ("other.voice.example", "192.168.1.5", False),
        ("voice.example@evil.example", "192.168.1.5", False),
        ("127.0.0.1.evil.example", "127.0.0.1", False),
    ],
)
def test_the_names_of_a_server_on_a_network(host: str, server_ip: str, is_accepted: bool) -> None:
    assert HostPolicy(["voice.example"]).accepts_host(host, server_ip) is is_accepted


@pytest.mark.parametrize("origin", [EVIL, "null", "http://localhost:3000", "file://", ""])
def test_a_foreign_page_writes_nothing(server: Served, client: httpx.Client, origin: str) -> None:
    before = sorted(server_files(server))
    headers = {"origin": origin}
    for path in ("/v1/audio/speech", "/gradio_api/queue/join", "/gradio_api/run/predict", "/login"):
        answer = client.post(path, json=SPEECH, headers=headers)
        assert answer.status_code == 403, path
        assert "--cors" in message_of(answer)
    assert upload(client, 1_000, **headers).status_code == 403
    assert sorted(server_files(server)) == before


def server_files(server: Served) -> list[Path]:
    return [path for path in Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:7860", "localhost:7860"),
        ("https://voice.example", "voice.example"),
        ("https://voice.example", "127.0.0.1:7860"),  # a proxy that puts its own name there
        ("http://voice.example:80", "voice.example"),
        (FRIEND, "localhost"),
    ],
)
def test_own_and_invited_pages_write(client: httpx.Client, origin: str, host: str) -> None:
    answer = client.post("/v1/audio/speech", json=SPEECH, headers={"origin": origin, "host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/v1/voices", "/gradio_api/info", "/config"])
@pytest.mark.parametrize("host", ["localhost", "voice.example"])
def test_other_sites_read_only_where_asked(client: httpx.Client, path: str, host: str) -> None:
    shown = "access-control-allow-origin"
    foreign = client.get(path, headers={"origin": EVIL, "host": host})
    assert shown not in foreign.headers
    assert client.get(path, headers={"origin": FRIEND, "host": host}).headers[shown] == FRIEND
    asks = {"access-control-request-method": "POST", "host": host}
    assert client.options(path, headers={"origin": FRIEND, **asks}).headers[shown] == FRIEND
    refused = client.options(path, headers={"origin": EVIL, **asks})
    assert refused.status_code == 400
    assert shown not in refused.headers


@pytest.mark.parametrize("path", ["/", "/v1/voices", "/config", "/nothing", "/results/x/mel.png"])
def test_every_answer_forbids_frames_sniffing_and_referrers(
    client: httpx.Client, path: str
) -> None:
    for headers in ({}, {"host": "evil.example"}):
        answer = client.get(path, headers=headers)
        assert answer.headers["content-security-policy"] == "frame-ancestors 'self'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    ["/v1/audio/speech", "/gradio_api/queue/join", "/gradio_api/call/normalize", "/nothing", "/"],
)
def test_large_bodies_are_refused_before_they_are_parsed(client: httpx.Client, path: str) -> None:
    body = b'{"data": ["' + b"a" * MAX_BODY + b'"]}'
    declared = client.post(path, content=body)
    chunked = client.post(path, content=iter([body[:30_000], body[30_000:]]))
    if path in ("/nothing", "/"):  # nothing there reads a body
        assert chunked.status_code in (404, 405, 413)
    else:
        assert chunked.status_code == 413
        assert f"at most {MAX_BODY:,}" in message_of(chunked)
    assert declared.status_code == 413


def test_a_refused_client_that_is_still_sending_reads_why(server: Served) -> None:
    for _ in range(20):
        with socket.create_connection(server.address, timeout=60) as connection:
            head = f"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2**20}"
            connection.sendall(f"{head}\r\n\r\n".encode())
            time.sleep(0.01)  # the refusal is on its way
            connection.sendall(bytes(2**20))
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert f"at most {MAX_BODY:,}".encode() in answer


def test_a_refused_client_cannot_hold_the_connection(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.network.bodies, "LINGER_SECONDS", 0.2)
    with socket.create_connection(server.address, timeout=60) as connection:
        head = f"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2**20}"
        connection.sendall(f"{head}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_uploads_stop_at_the_quota_whether_or_not_they_say_their_size(
    server: Served, client: httpx.Client
) -> None:
    for path in server_files(server):
        path.unlink()
    assert upload(client, 200_000).status_code == 200
    assert upload(client, 90_000).status_code == 200
    declared = upload(client, 50_000)
    assert declared.status_code == 413
    assert "older uploads" in message_of(declared)
    request = httpx.Request("POST", f"{server.url}/gradio_api/upload", files={"files": bytes(9)})
    head = request.read().split(b"\r\n\r\n")[0] + b"\r\n\r\n"
    headers = {"content-type": request.headers["content-type"]}
    pieces = iter([head, *[bytes(10_000)] * 5])
    chunked = client.post("/gradio_api/upload", content=pieces, headers=headers)
    assert chunked.status_code == 413
    for path in server_files(server):
        path.unlink()
    assert upload(client, 50_000).status_code == 200


def test_old_and_half_written_uploads_are_deleted(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, max_bytes=1_000, max_age_seconds=1_000)
    ages = {"a/old.wav": 1_001, "b/new.wav": 999, "tmp1": LEFTOVER_SECONDS + 1, "tmp2": 0}
    for name, age in ages.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(100))
        os.utime(path, (time.time() - age,) * 2)
    (tmp_path / "link").symlink_to(tmp_path / "b" / "new.wav")
    assert uploads.free_bytes() <= 1_000 - 200
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {
        *("new.wav", "tmp2", "link")
    }
    assert uploads.folder == tmp_path


def test_only_a_folder_of_our_own_is_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", "/tmp")
    assert own_uploads_dir() == Path("/tmp/tacoglow-uploads")
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/me/.cache")
    assert own_uploads_dir() == Path("/home/me/.cache/tacoglow-uploads")


HEAD = b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", b""),
        (HEAD, b""),
        (HEAD + b"Content-Length: 99\r\n\r\n{", b"HTTP/1.1 408"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"HTTP/1.1 408"),
        (HEAD.replace(b"v1/audio/speech", b"gradio_api/queue/join") + b"Content-Length: 9\r\n\r\n{",
         b"HTTP/1.1 408"),
    ],
)  # fmt: skip
def test_half_a_request_is_not_waited_for(server: Served, sent: bytes, answer: bytes) -> None:
    with socket.create_connection(server.address, timeout=60) as connection:
        connection.sendall(sent)
        started = time.monotonic()
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert time.monotonic() - started < HANGS_SECONDS
        assert received.startswith(answer) if answer else received == b""


def test_a_trickle_is_not_waited_for_either(server: Served) -> None:
    """One byte now and then keeps no connection open for longer."""

    def trickle() -> None:
        with socket.create_connection(server.address, timeout=60) as connection:
            for byte in HEAD * 10:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)

    started = time.monotonic()
    with pytest.raises(OSError, match=r"reset|pipe"):
        trickle()
    assert time.monotonic() - started < HANGS_SECONDS


def test_an_idle_connection_serves_its_next_request_after_a_pause(server: Served) -> None:
    """The clock of a head starts with the head, not with the connection."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        for _ in range(3):
            assert client.get("/v1/voices").status_code == 200
            time.sleep(0.6 * PATIENCE_SECONDS)


def test_wrong_passwords_make_an_address_wait_longer_each_time() -> None:
    now = 0.0
    wrong = WrongPasswords(lambda: now)
    pauses = []
    for _ in range(FREE_TRIES + 8):
        wrong.add("here")
        pauses.append(wrong.pause_seconds("here"))
        now += pauses[-1]
        assert wrong.pause_seconds("here") == 0
    assert pauses == [0] * FREE_TRIES + [2, 4, 8, 16, 32, 60, 60, 60]
    wrong.add("here")
    assert wrong.pause_seconds("there") == 0
    wrong.forget("here")
    assert wrong.pause_seconds("here") == 0


def test_memory_of_wrong_passwords_is_bounded() -> None:
    wrong = WrongPasswords()
    for number in range(MAX_ADDRESSES + 500):
        wrong.add(str(number))
    assert len(wrong) == MAX_ADDRESSES


async def hello(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "bAsIc"])
def test_the_scheme_is_taken_in_any_case(scheme: str) -> None:
    guarded = RequirePassword(hello, user="me", password="sé:cret")
    client = TestClient(guarded)
    value = httpx.BasicAuth("me", "sé:cret")._auth_header.removeprefix("Basic ")
    assert get(client, f"{scheme} {value}") == 200
    assert get(client, f"Bearer {value}") == 401
    assert get(client, "bearer sé:cret") == 200
    assert get(client, "") == get(client, "digest x") == 401


def test_after_wrong_passwords_the_right_one_must_wait_too() -> None:
    """Otherwise the answer would tell right from wrong as quickly as before."""
    now = 0.0
    guarded = RequirePassword(hello, user="me", password="secret", now=lambda: now)
    client = TestClient(guarded)
    assert [get(client, "bearer wrong") for _ in range(8)] == [401] * 6 + [429] * 2
    assert get(client, "bearer secret") == 429
    assert get(client, "") == 401  # asks for the password, tries none
    now += 2.1
    assert get(client, "bearer secret") == 200
    assert get(client, "bearer wrong") == 401


def get(client: httpx.Client, authorization: str) -> int:
    headers = {"authorization": authorization.encode()} if authorization else {}
    return client.get("/", headers=headers).status_code


@pytest.mark.parametrize("wrong", ["friend.example", "https://", "https://friend.example/page"])
def test_an_origin_has_a_scheme_and_no_path(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert build_parser().parse_args(["--cors", FRIEND.upper() + "/"]).cors == [FRIEND]
    with pytest.raises(SystemExit):
        build_parser().parse_args(["--cors", wrong])
    assert "is not an origin" in capsys.readouterr().err
