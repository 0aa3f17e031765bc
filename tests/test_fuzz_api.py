"""Fuzzed bodies of the speech API: each is spoken, or refused as the client's mistake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from app.metrics import MeasuredSpeechService
from app.network.guard import NetworkOptions
from app.network.uploads import Uploads
from app.server import build_server
from app.voice_store import VoiceStore
from tests.fuzzing import altered, damaged, fuzz

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("own_files_only")]

BODY = {
    **{"model": "tacoglow", "input": "Hi.", "voice": "tiny", "response_format": "pcm"},
    **{"speed": 4.0, "sigma": 0.5, "denoise": 0.0, "seed": 1, "vocoder": "", "lexicon": ""},
    **{"stream_format": "audio", "timestamps": False, "instructions": None},
}
CAPTIONED = BODY | {"stream": True, "return_timestamps": True, "lang_code": "a"}
ANSWERS = {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}


@pytest.fixture(scope="module")
def client(tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client whose server raises what it does not answer."""
    service = MeasuredSpeechService(VoiceStore(tiny_voice, places=[], device="cpu"))
    uploads = Uploads(tmp_path_factory.mktemp("uploads"), max_bytes=10**6)
    server = build_server(service, finetune_jobs=None, network=NetworkOptions(uploads=uploads))
    with TestClient(server, base_url="http://localhost") as client:
        yield client


def check(client: TestClient, path: str, content: bytes) -> None:
    """Post a body and look at the answer."""
    answer = client.post(path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code in ANSWERS, answer.text
    if answer.status_code != HTTPStatus.OK:
        assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "good"), [("/v1/audio/speech", BODY), ("/dev/captioned_speech", CAPTIONED)]
)
@fuzz
@given(data=st.data())
def test_any_body_is_spoken_or_refused(path: str, good: dict, client: TestClient, data) -> None:
    check(client, path, json.dumps(data.draw(altered(good))).encode())


@fuzz
@given(content=damaged(json.dumps(BODY).encode()))
def test_what_is_hardly_json_is_spoken_or_refused(content: bytes, client: TestClient) -> None:
    check(client, "/v1/audio/speech", content)
