"""Files for deployment: their commands are ours, their promises agree with each other."""

from __future__ import annotations

import configparser
import importlib.util
import io
import json
import re
import shlex
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml

from app.__main__ import build_parser
from pipeline.options import OPTIONS

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def unit() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(DEPLOY / "tacoglow.service")
    return parser["Service"]


def entrypoint() -> list[str]:
    found = re.search(r"^ENTRYPOINT (.+)$", DOCKERFILE, flags=re.MULTILINE)
    assert found
    return json.loads(found[1])


def test_the_image_starts_the_server_with_options_that_exist() -> None:
    program, flag, module, *options = entrypoint()
    assert (program, flag, module) == ("python", "-m", "app")
    for name, service in COMPOSE["services"].items():
        args = build_parser().parse_args([*options, *service["command"]])
        assert args.host == "0.0.0.0", name
        ports = {int(port.rpartition(":")[2]) for port in service["ports"]}
        assert ports == {args.port, args.wyoming}
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert args.grace_seconds < int(service["stop_grace_period"].removesuffix("s"))
        assert args.runs.is_relative_to(service["volumes"][0].partition(":")[2])


def test_the_image_holds_what_it_copies_and_is_sent_nothing_else() -> None:
    copied = {line.split()[1] for line in DOCKERFILE.splitlines() if line.startswith("COPY ")}
    copied -= {"--from=packages"}
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)
    assert "USER 10001" in DOCKERFILE


def test_the_unit_starts_the_server_with_options_that_exist() -> None:
    service = unit()
    program, command, *options = shlex.split(service["ExecStart"])
    assert (Path(program).name, command) == ("tacoglow", "serve")
    args = build_parser().parse_args(options)
    assert args.grace_seconds < float(service["TimeoutStopSec"])
    assert args.runs.is_relative_to("/var/lib/" + service["StateDirectory"])
    assert service["DynamicUser"] == service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = DEPLOY / "speech-dispatcher" / "say.py"
    spec = importlib.util.spec_from_file_location("tacoglow_say", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Recorder(BaseHTTPRequestHandler):
    """Answers as the API does, and keeps what it was asked."""

    asked: list[dict[str, object]] = []  # noqa: RUF012 - of the one test

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.asked.append({"path": self.path, **json.loads(self.rfile.read(length))})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"RIFF and so on")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_speech_dispatcher_gets_its_text_spoken_at_its_rate(
    say: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = HTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    out = io.BytesIO()
    text = 'It\'s "10%" \u2013 & more.'
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    url = f"http://127.0.0.1:{server.server_port}"
    assert say.main(["--rate=-100", "--voice", "ljspeech", "--url", url]) == 0
    server.shutdown()
    server.server_close()
    assert out.getvalue() == b"RIFF and so on"
    (asked,) = Recorder.asked
    assert (asked["path"], asked["input"]) == ("/v1/audio/speech", text)
    assert (asked["voice"], asked["speed"]) == ("ljspeech", 0.5)


def test_rates_of_speech_dispatcher_stay_within_ours(say: ModuleType) -> None:
    assert [say.speed_of(rate) for rate in (-100, 0, 100, 900)] == [0.5, 1.0, 2.0, 2.0]
    assert OPTIONS["rate"].low <= say.SLOWEST
    assert OPTIONS["rate"].high >= say.FASTEST


def test_a_server_that_is_not_there_is_one_line(
    say: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"Hi.")))
    assert say.main(["--url", "http://127.0.0.1:9"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
