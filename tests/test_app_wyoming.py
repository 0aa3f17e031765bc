"""Wyoming as Home Assistant speaks it, by the `wyoming` package's own client."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from app.metrics import MeasuredSpeechService
from app.speech_service import SpeechService
from app.voice_store import VoiceStore
from app.wyoming_server import MAX_EVENT_BYTES, language_tag, take_whole, wyoming_server
from pipeline import Synthesizer
from pipeline.audio import to_pcm
from pipeline.speech import PAUSE_SECONDS
from tests.timing import PATIENCE_SECONDS

TEXT = "Hello there. How are you? Fine."
Conversation = Callable[[AsyncTcpClient], Awaitable[None]]


@pytest.fixture(scope="module")
def service(tiny_voice: Path) -> Iterator[MeasuredSpeechService]:
    service = MeasuredSpeechService(VoiceStore(tiny_voice, places=[], device="cpu"))
    yield service
    service.queue.close()


@pytest.fixture
def converse(service: SpeechService) -> Callable[[Conversation], None]:
    """Return what runs a conversation with a server of its own."""

    async def scenario(conversation: Conversation) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        async with (
            asyncio.timeout(PATIENCE_SECONDS),
            wyoming_server(service, listener),
            AsyncTcpClient(*listener.getsockname()) as client,
        ):
            await conversation(client)

    return lambda conversation: asyncio.run(scenario(conversation))


async def events_until(client: AsyncTcpClient, last: type) -> AsyncGenerator[Event]:
    while (event := await client.read_event()) is not None:
        yield event
        if last.is_type(event.type):
            return
    raise AssertionError(f"the server closed before {last.__name__}")


async def heard(client: AsyncTcpClient, last: type = AudioStop) -> np.ndarray:
    """Return the samples of one answer, which must be start, chunks, stop."""
    events = [event async for event in events_until(client, last)]
    audio = [event for event in events if not SynthesizeStopped.is_type(event.type)]
    assert AudioStart.is_type(audio[0].type)
    assert AudioStop.is_type(audio[-1].type)
    chunks = [AudioChunk.from_event(event) for event in audio[1:-1]]
    assert {(chunk.rate, chunk.width, chunk.channels) for chunk in chunks} == {(22_050, 2, 1)}
    return np.frombuffer(b"".join(chunk.audio for chunk in chunks), dtype="<i2")


def test_describe_lists_the_voices_and_says_that_text_may_stream(converse) -> None:
    async def conversation(client: AsyncTcpClient) -> None:
        await client.write_event(Describe().event())
        event = await client.read_event()
        assert event is not None
        (program,) = Info.from_event(event).tts
        assert program.supports_synthesize_streaming
        assert [(voice.name, voice.languages) for voice in program.voices] == [("tiny", ["en-US"])]

    converse(conversation)


def test_synthesize_sends_the_samples_of_the_voice(converse, tiny_voice: Path) -> None:
    expected = to_pcm(Synthesizer.load(tiny_voice, device="cpu").speak(TEXT).audio)

    async def conversation(client: AsyncTcpClient) -> None:
        for voice in (None, SynthesizeVoice(name="tiny"), SynthesizeVoice(language="en")):
            await client.write_event(Synthesize(text=TEXT, voice=voice).event())
            assert np.array_equal(await heard(client), expected)

    converse(conversation)


def test_a_text_in_pieces_is_spoken_while_it_still_comes(converse, tiny_voice: Path) -> None:
    """Pieces break words and sentences anywhere; the whole text repeated is not said twice."""
    tts = Synthesizer.load(tiny_voice, device="cpu")
    pause = np.zeros(round(PAUSE_SECONDS * 22_050), dtype="<i2")
    first, rest = (to_pcm(tts.speak(text).audio) for text in ("Hello there.", "How are you?"))

    async def conversation(client: AsyncTcpClient) -> None:
        await client.write_event(SynthesizeStart(voice=SynthesizeVoice(name="tiny")).event())
        for piece in ("Hel", "lo ", "there. H", "ow "):
            await client.write_event(SynthesizeChunk(text=piece).event())
        async for event in events_until(client, AudioChunk):  # before the text has ended
            assert AudioStart.is_type(event.type) or AudioChunk.is_type(event.type)
        beginning = np.frombuffer(AudioChunk.from_event(event).audio, dtype="<i2")
        await client.write_event(SynthesizeChunk(text="are you?").event())
        await client.write_event(Synthesize(text="Hello there. How are you?").event())
        await client.write_event(SynthesizeStop().event())
        events = [event async for event in events_until(client, SynthesizeStopped)]
        assert [event.type for event in events[-2:]] == ["audio-stop", "synthesize-stopped"]
        chunks = [AudioChunk.from_event(event).audio for event in events[:-2]]
        samples = np.concatenate([beginning, np.frombuffer(b"".join(chunks), dtype="<i2")])
        assert np.array_equal(samples, np.concatenate([first, pause, rest]))

    converse(conversation)


@pytest.mark.parametrize(
    ("event", "word"),
    [
        (Synthesize(text="  ").event(), "The text is empty"),
        (Synthesize(text="a" * 5_001).event(), "at most 5,000"),
        (Synthesize(text="Hi.", voice=SynthesizeVoice(name="nobody")).event(), "no 'nobody'"),
        (Event("synthesize", {}), "has no text"),
        (Event("synthesize", {"text": 7}), "has no text"),
        (Event("synthesize", {"text": "Hi.", "voice": 7}), "has no text"),
    ],
)
def test_mistakes_are_told_and_the_connection_stays(converse, event: Event, word: str) -> None:
    async def conversation(client: AsyncTcpClient) -> None:
        await client.write_event(event)
        answer = await client.read_event()
        assert answer is not None
        assert word in Error.from_event(answer).text
        await client.write_event(Synthesize(text="Hi.").event())
        assert len(await heard(client)) > 0

    converse(conversation)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"[1, 2]\n",
        b"{}\n",
        b'{"type": "describe", "data": 3, "data_length": 2}\n{}',
        b'{"type": "synthesize", "data_length": "9"}\n',
        b'{"type": "audio-chunk", "payload_length": %d}\n' % (MAX_EVENT_BYTES + 1),
        b"x" * 200_000,
    ],
)
def test_what_is_not_wyoming_is_hung_up_on(
    service: SpeechService, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> bytes:
        listener = socket.create_server(("127.0.0.1", 0))
        async with asyncio.timeout(PATIENCE_SECONDS), wyoming_server(service, listener):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(sent)
            try:
                return await reader.read()
            except ConnectionResetError:
                return b""

    assert asyncio.run(scenario()) == b""
    assert caplog.records == []


def test_a_client_that_leaves_stops_its_synthesis(
    service: MeasuredSpeechService, tiny_voice: Path
) -> None:
    n_sentences, made = 700, service.metrics.audio_seconds._value
    before = made.get()

    async def scenario() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        async with asyncio.timeout(PATIENCE_SECONDS), wyoming_server(service, listener):
            async with AsyncTcpClient(*listener.getsockname()) as client:
                await client.write_event(Synthesize(text="Go on. " * n_sentences).event())
                await client.read_event()
            while service.queue:
                await asyncio.sleep(0.02)

    asyncio.run(scenario())
    whole = n_sentences * Synthesizer.load(tiny_voice, device="cpu").speak("Go on.").seconds
    assert 0 < made.get() - before < whole / 4


@pytest.mark.parametrize(
    ("text", "whole", "rest"),
    [
        ("", "", ""),
        ("Hello the", "", "Hello the"),
        ("Hello there. ", "", "Hello there. "),
        ("Hello there. How ", "Hello there. ", "How "),
        ("One. Two. Three", "One. Two. ", "Three"),
        ("Dr. Lee", "", "Dr. Lee"),
        ("It is 3.", "", "It is 3."),
    ],
)
def test_sentences_are_taken_once_they_are_whole(text: str, whole: str, rest: str) -> None:
    assert take_whole(text) == (whole, rest)


def test_languages_are_written_as_the_protocol_has_them() -> None:
    assert [language_tag(name) for name in ("en-us", "en")] == ["en-US", "en"]
