"""The API in the place of OpenAI's and Kokoro-FastAPI's: what their clients ask, and mistakes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient

from app.encoding import encode
from app.metrics import MeasuredSpeechService
from app.network.guard import NetworkOptions
from app.network.uploads import Uploads
from app.server import build_server
from app.voice_store import VoiceStore
from pipeline import Synthesizer
from pipeline.audio import to_pcm
from tests.app_server import Running
from text.lexicon import parse_lexicon

TEXT = "Pay $5 now. Hi there."


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def tts(tiny_voice: Path) -> Synthesizer:
    return Synthesizer.load(tiny_voice, device="cpu")


def is_spoken(content: bytes, tts: Synthesizer, **options: float) -> bool:
    """Tell whether a streamed wav file has the samples of the text."""
    return content[44:] == to_pcm(tts.speak(TEXT, **options).audio).tobytes()


def test_openai_s_own_request_is_served_and_says_by_what(
    client: openai.OpenAI, tts: Synthesizer
) -> None:
    answer = client.audio.speech.create(
        model="gpt-4o-mini-tts",
        voice="alloy",
        input=TEXT,
        instructions="Speak like a pirate.",
        response_format="wav",
    )
    assert is_spoken(answer.content, tts)
    headers = answer.response.headers
    assert headers["tacoglow-model"] == "tacoglow"
    assert headers["tacoglow-voice"] == "tiny"
    assert headers["tacoglow-notice"] == (
        "model 'gpt-4o-mini-tts' is served by tacoglow; voice 'alloy' is 'tiny'; "
        "instructions has no effect"
    )


def test_a_request_that_is_served_as_asked_has_no_notice(client: openai.OpenAI) -> None:
    answer = client.audio.speech.create(model="tacoglow", voice={"id": "tiny"}, input="Hi.")
    assert "tacoglow-notice" not in answer.response.headers
    odd = client.audio.speech.create(model="mod\u00e8le\n\U0001f600", voice="tiny", input="Hi.")
    assert "'mod\\xe8le\\n\\U0001f600'" in odd.response.headers["tacoglow-notice"]


@pytest.mark.parametrize("speed", [0.25, 4.0])
def test_all_of_openai_s_speeds_are_spoken(
    client: openai.OpenAI, tts: Synthesizer, speed: float
) -> None:
    answer = client.audio.speech.create(
        model="tts-1", voice="nova", input=TEXT, response_format="wav", speed=speed
    )
    assert is_spoken(answer.content, tts, rate=speed)


def test_events_carry_the_audio_and_the_words(client: openai.OpenAI, tts: Synthesizer) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="tts-1",
        voice="tiny",
        input=TEXT,
        response_format="pcm",
        stream_format="sse",
        extra_body={"timestamps": True},
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert [event["type"] for event in events[:-1]] == ["speech.audio.delta"] * (len(events) - 1)
    assert events[-1]["type"] == "speech.audio.done"
    speech = tts.speak(TEXT)
    audio = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert audio == encode("pcm", speech.audio, speech.sample_rate)
    words = [word for event in events[:-1] for word in event["words"]]
    assert words == [word.as_json() for word in speech.words]
    usage = events[-1]["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0


@pytest.mark.parametrize("name", ["wav", "flac"])
def test_timestamps_come_with_the_whole_audio(server: Running, tts: Synthesizer, name: str) -> None:
    body = {"input": TEXT, "response_format": name, "timestamps": True}
    answer = server.client.post("/v1/audio/speech", json=body).json()
    speech = tts.speak(TEXT)
    assert answer["audio_format"] == f"audio/{name}"
    assert answer["words"] == [word.as_json() for word in speech.words]
    whole = encode(name, speech.audio, speech.sample_rate)
    assert base64.b64decode(answer["audio"])[44:] == whole[44:]


def test_captioned_speech_is_kokoro_fastapi_s(server: Running, tts: Synthesizer) -> None:
    body = {"model": "kokoro", "input": TEXT, "voice": "tiny", "lang_code": "a", "speed": 1.0}
    url = "/dev/captioned_speech"
    expected = [
        {"word": word["written"], "start_time": word["start"], "end_time": word["end"]}
        for word in (one.as_json() for one in tts.speak(TEXT).words)
    ]
    whole = server.client.post(url, json=body | {"stream": False, "response_format": "mp3"})
    assert whole.json()["timestamps"] == expected
    assert whole.json()["audio_format"] == "audio/mpeg"
    assert "lang_code has no effect" in whole.headers["tacoglow-notice"]
    lines = [json.loads(line) for line in server.client.post(url, json=body).text.splitlines()]
    assert [word for line in lines for word in line["timestamps"]] == expected
    assert b"".join(base64.b64decode(line["audio"]) for line in lines)
    silent = server.client.post(url, json=body | {"stream": False, "return_timestamps": False})
    assert silent.json()["timestamps"] is None


def test_a_lexicon_comes_with_a_request(server: Running, tts: Synthesizer) -> None:
    body = {"input": "Last.", "lexicon": "last  F ER1 S T\n", "response_format": "wav"}
    answer = server.client.post("/v1/audio/speech", json=body)
    said = tts.with_lexicon(parse_lexicon(body["lexicon"])).speak("Last.").audio
    assert answer.content[44:] == to_pcm(said).tobytes()


def test_models_and_voices_are_listed(client: openai.OpenAI, server: Running) -> None:
    assert [model.id for model in client.models.list()] == ["tacoglow"]
    assert client.models.retrieve("tacoglow").object == "model"
    with pytest.raises(openai.NotFoundError, match="There is no model 'gpt-5'"):
        client.models.retrieve("gpt-5")
    assert server.client.get("/v1/audio/models").json() == {"models": [{"id": "tacoglow"}]}
    voices = server.client.get("/v1/audio/voices").json()["voices"]
    assert {"id": "tiny", "name": "tiny"} in voices


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b'{"input": "caf\xe9"}', 400, "body"),
        (b'{"input": ' + b"[" * 200_000, 400, "body"),
        (b'{"input": ' + b"[" * 500 + b"]" * 500 + b"}", 400, "input"),
        (b'{"input": "Hi.", "\\ud800": 1}', 400, ""),
        (b'{"input": "\\ud800"}', 400, ""),
        (b"not JSON", 400, "JSON"),
        (b"[1]", 400, "body"),
        (b"", 400, "required"),
        (b'{"input": "<speak><b</speak>"}', 400, "not well-formed"),
        (b'{"input": "Hi.", "voice": "nobody"}', 400, "There is no 'nobody'"),
        (b'{"input": "Hi.", "voice": {"name": "x"}}', 400, "voice"),
        (b'{"input": "Hi.", "speed": NaN}', 400, "speed"),
    ],
)
def test_mistakes_are_answered_in_openai_s_shape(
    server: Running, content: bytes, status: int, message: str
) -> None:
    answer = server.client.post(
        "/v1/audio/speech",
        content=content,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert message in error["message"]
    assert error["type"] == "invalid_request_error"


def test_what_is_ignored_may_be_anything(server: Running) -> None:
    deep = b"[" * 900 + b"]" * 900
    answer = server.client.post(
        "/v1/audio/speech",
        content=b'{"input": "Hi.", "instructions": ' + deep + b"}",
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 200
    assert answer.headers["tacoglow-notice"] == "instructions has no effect"


def test_routes_that_are_not_there_say_so(server: Running) -> None:
    for method, path in (("GET", "audio/speech"), ("POST", "chat/completions"), ("GET", "x/y")):
        answer = server.client.request(method, f"/v1/{path}")
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == f"There is no {method} /v1/{path}"


def test_mistakes_leave_nothing_in_the_log(server: Running) -> None:
    for content in (b'{"input": "Hi.", "voice": "nobody"}', b'{"input": "{XX1}"}', b"\xff"):
        server.client.post("/v1/audio/speech", content=content)
    with server.client.stream(
        "POST", "/v1/audio/speech", json={"input": "Go on. " * 300}
    ) as answer:
        next(answer.iter_raw())  # and then the client is gone
    server.wait_until_idle()
    log = server.log_path.read_text()
    assert "Traceback" not in log
    assert "never retrieved" not in log


def test_an_option_refuses_openai_s_voices(tiny_voice: Path, tmp_path: Path) -> None:
    service = MeasuredSpeechService(VoiceStore(tiny_voice, places=[], device="cpu"))
    network = NetworkOptions(uploads=Uploads(tmp_path, max_bytes=0))
    strict = build_server(service, finetune_jobs=None, network=network, exact_voices=True)
    body: dict[str, Any] = {"model": "tts-1", "input": "Hi.", "voice": "alloy"}
    with TestClient(strict, base_url="http://localhost") as client:
        answer = client.post("/v1/audio/speech", json=body)
    assert answer.status_code == 400
    assert "There is no 'alloy'" in answer.json()["error"]["message"]
