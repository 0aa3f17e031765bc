"""The server as programs see it: OpenAI's client, gradio_client, plain HTTP, many at once."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gradio_client
import numpy as np
import openai
import pytest
import soundfile

from app.encoding import ENCODINGS
from app.server import share
from pipeline import Synthesizer
from pipeline.audio import to_pcm
from pipeline.errors import PipelineError
from tests.app_server import ROOT, Running, running
from tests.test_app_encoding import decode
from tests.timing import PATIENCE_SECONDS, children_seconds

TEXT = "Hello there. How are you? Fine."


@pytest.fixture(scope="module")
def guarded(tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server for others than its own machine."""
    options = ("--host", "0.0.0.0", "--auth", "me:secret")
    with running(tiny_voice, *options, work_dir=tmp_path_factory.mktemp("guarded")) as server:
        yield server


@pytest.fixture(scope="module")
def tts(tiny_voice: Path) -> Synthesizer:
    return Synthesizer.load(tiny_voice, device="cpu")


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_the_openai_client_gets_the_samples_of_the_same_seed(
    client: openai.OpenAI, tts: Synthesizer
) -> None:
    answer = client.audio.speech.create(
        model="tacoglow",
        voice="tiny",
        input=TEXT,
        response_format="wav",
        extra_body={"seed": 7, "sigma": 0.3},
    )
    samples, rate = soundfile.read(io.BytesIO(answer.content), dtype="int16")
    expected = tts.speak(TEXT, seed=7, sigma=0.3)
    assert rate == expected.sample_rate
    assert np.array_equal(samples, to_pcm(expected.audio))


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_format_plays_for_the_right_time(
    client: openai.OpenAI, tts: Synthesizer, name: str
) -> None:
    answer = client.audio.speech.create(
        model="tts-1",
        voice="tiny",
        input=TEXT,
        response_format=name,  # type: ignore[arg-type]
        speed=1.25,
    )
    assert answer.response.headers["content-type"] == ENCODINGS[name].media_type
    samples, rate = decode(name, answer.content)
    assert len(samples) / rate == pytest.approx(tts.speak(TEXT, rate=1.25).seconds, abs=0.1)


def test_streaming_begins_before_the_end(client: openai.OpenAI) -> None:
    started = time.perf_counter()
    with client.audio.speech.with_streaming_response.create(
        model="tacoglow", voice="tiny", input="And one more. " * 100, response_format="pcm"
    ) as answer:
        pieces = [(time.perf_counter() - started, piece) for piece in answer.iter_bytes(4_096)]
    assert pieces[0][0] < 0.5 * pieces[-1][0]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"input": "  "}, "The text is empty"),
        ({"input": "a" * 100_001}, "at most 100,000"),
        ({"voice": "nobody"}, "There is no 'nobody'; expected one of"),
        ({"voice": "../tiny"}, "There is no '../tiny'"),
        ({"response_format": "aiff"}, "response_format"),
        ({"speed": 4.1}, "speed"),
        ({"extra_body": {"sigma": 7}}, "sigma is 7.0, expected 0 to 2"),
        ({"extra_body": {"sigmal": 1}}, "sigmal"),
    ],
)
def test_mistakes_are_bad_requests_that_say_what(
    client: openai.OpenAI, change: dict, word: str
) -> None:
    good = {"model": "tacoglow", "voice": "tiny", "input": "Hi."}
    with pytest.raises(openai.BadRequestError, match=word):
        client.audio.speech.create(**{**good, **change})


def test_voices_and_health(server: Running) -> None:
    listed = server.client.get("/v1/voices").json()
    assert listed["voices"][0]["id"] == "tiny"
    assert listed["voices"][0]["is_default"]
    assert "tiny" in listed["vocoders"]
    assert server.client.get("/health").json() == {"status": "ok", "waiting": 0}


def test_gradio_client_speaks_by_name(server: Running, tts: Synthesizer, tmp_path: Path) -> None:
    client = gradio_client.Client(server.url, verbose=False, download_files=tmp_path)
    assert "tiny" in client.predict(api_name="/voices")
    assert client.predict("It costs $5.", api_name="/normalize") == "It costs five dollars."
    with pytest.raises(gradio_client.exceptions.AppError, match="at most 5,000"):
        client.predict("word " * 2_000, api_name="/normalize")
    path, facts = client.predict(text=TEXT, seed=3, denoise=0.0, api_name="/speak")
    samples, _ = soundfile.read(path, dtype="int16")
    assert np.array_equal(samples, to_pcm(tts.speak(TEXT, seed=3, denoise=0.0).audio))
    assert facts["settings"]["seed"] == 3
    with pytest.raises(gradio_client.exceptions.AppError, match="There is no 'nobody'"):
        client.predict(text=TEXT, voice="nobody", api_name="/speak")


def test_32_clients_at_once_each_get_their_own_sentence(server: Running, tts: Synthesizer) -> None:
    """Each text has a length and a seed of its own; nothing is lost, mixed up or refused."""
    requests = [(f"This is client {n}. " + "Again. " * (n % 4), n) for n in range(32)]

    def ask(request: tuple[str, int]) -> bytes:
        body = {"model": "tacoglow", "voice": "tiny", "input": request[0], "seed": request[1]}
        answer = server.client.post("/v1/audio/speech", json={**body, "response_format": "wav"})
        assert answer.status_code == 200, answer.text
        return answer.content[44:]

    with ThreadPoolExecutor(32) as pool:
        heard = list(pool.map(ask, requests))
    expected = [to_pcm(tts.speak(text, seed=seed).audio).tobytes() for text, seed in requests]
    assert heard == expected


def test_a_client_that_goes_away_stops_its_synthesis(server: Running, tts: Synthesizer) -> None:
    n_sentences, before = 700, server.audio_seconds()
    body = {"model": "tacoglow", "voice": "tiny", "input": "Go on. " * n_sentences}
    with server.client.stream("POST", "/v1/audio/speech", json=body) as answer:
        next(answer.iter_raw())
    server.wait_until_idle()
    whole = n_sentences * tts.speak("Go on.").seconds
    assert 0 < server.audio_seconds() - before < whole / 4


def test_memory_stays_flat_over_300_requests(server: Running) -> None:
    body = {"model": "tacoglow", "voice": "tiny", "input": "Hi.", "response_format": "wav"}
    sizes = []
    for _ in range(5):
        for _ in range(60):
            assert server.client.post("/v1/audio/speech", json=body).status_code == 200
        sizes.append(server.resident_bytes())
    assert sizes[-1] - sizes[1] < 8_000_000, sizes


def test_the_page_asks_nothing_outside_and_hides_its_private_endpoints(server: Running) -> None:
    page = server.client.get("/").text
    assert "fonts.googleapis" not in page
    assert "player.js" in page or "speech-player" in page
    named = server.client.get("/gradio_api/info").json()["named_endpoints"]
    assert set(named) >= {"/speak", "/voices", "/normalize"}
    assert not [name for name in named if "compare" in name or "revoice" in name]


def test_a_password_guards_page_files_and_api(guarded: Running) -> None:
    for path in ("/", "/v1/voices", "/gradio_api/info", "/results/x/speech.wav", "/config"):
        refused = guarded.client.get(path)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic")
        assert guarded.client.get(path, auth=("me", "wrong")).status_code == 401
    assert guarded.client.get("/v1/voices", auth=("me", "secret")).status_code == 200
    assert guarded.client.get("/", auth=("me", "secret")).status_code == 200
    client = openai.OpenAI(base_url=f"{guarded.url}/v1", api_key="secret")
    assert client.audio.speech.create(model="tts-1", voice="tiny", input="Hi.").content
    client = openai.OpenAI(base_url=f"{guarded.url}/v1", api_key="wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        client.audio.speech.create(model="tts-1", voice="tiny", input="Hi.")


def test_fine_tuning_is_off_where_others_may_come(guarded: Running) -> None:
    auth = ("me", "secret")
    page = guarded.client.get("/", auth=auth).text
    assert "Fine-tuning is off" in page
    assert "Name of the new voice" not in page
    assert guarded.client.get("/training/sample.wav", auth=auth).status_code == 404


def test_sharing_without_a_way_out_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_way_out(*_: object) -> str:
        raise RuntimeError("Could not get share link")

    monkeypatch.setattr("gradio.networking.setup_tunnel", no_way_out)
    with pytest.raises(PipelineError, match="--share found no tunnel"):
        share(7860)


def test_the_server_starts_without_training_code() -> None:
    program = "import sys, app.server; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"lightning", "nemo", "tensorboard", "pipeline.training", "librosa", "pocketsphinx"}
    assert heavy & set(loaded) == set()


def run_app(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_help_answers_at_once() -> None:
    started = children_seconds()
    answer = run_app("--help")
    assert answer.returncode == 0
    assert "--share" in answer.stdout
    assert children_seconds() - started < 1.0  # half of it where nothing else runs; torch takes two


def test_wrong_usage_and_a_missing_voice(tmp_path: Path) -> None:
    assert run_app("--auth", "nopassword").returncode == 2
    answer = run_app("--voice", str(tmp_path / "nobody"))
    assert answer.returncode == 1
    assert "No voice" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_taken_port_is_one_line(tiny_voice: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = run_app("--voice", str(tiny_voice), "--port", str(port))
    assert answer.returncode == 1
    assert f"Cannot listen on 127.0.0.1 port {port}" in answer.stderr
    assert answer.stderr.count("\n") == 1
