"""Wyoming, the protocol by which Home Assistant asks for speech: describe, synthesize, streams.

Source: the event types of the `wyoming` package.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, async_read_event
from wyoming.info import Attribution, Describe, Info, TtsProgram, TtsVoice
from wyoming.server import AsyncEventHandler
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
)

from app.speech_service import USER_ERRORS, Part, SpeechRequest, SpeechService
from pipeline.audio import to_pcm
from pipeline.speech import PAUSE_SECONDS
from text import split_sentences

MAX_CONNECTIONS = 100
MAX_EVENT_BYTES = 1_000_000
IDLE_SECONDS = 300.0
CHUNK_BYTES = 8_192
ATTRIBUTION = Attribution(name="Tacoglow", url="")


@contextlib.asynccontextmanager
async def wyoming_server(
    service: SpeechService, listener: socket.socket
) -> AsyncGenerator[asyncio.Server]:
    """Serve clients of a listening socket as long as the context lasts."""
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(tasks) >= MAX_CONNECTIONS:
            writer.close()
            return
        task = asyncio.create_task(WyomingConnection(service, reader, writer).run())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, sock=listener)
    try:
        yield server
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class BoundedReader:
    """A reader that takes no event beyond `MAX_EVENT_BYTES`; `wyoming` itself takes any."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def readline(self) -> bytes:
        """Return a line; asyncio bounds it already."""
        return await self._reader.readline()

    async def readexactly(self, n_bytes: int) -> bytes:
        """Return so many bytes, unless they are too many."""
        if n_bytes > MAX_EVENT_BYTES:
            raise ValueError(f"An event of {n_bytes:,} bytes; at most {MAX_EVENT_BYTES:,} go.")
        return await self._reader.readexactly(n_bytes)


class WyomingConnection(AsyncEventHandler):
    """One client. Of a text that comes in pieces, each sentence is spoken once it is whole."""

    def __init__(
        self, service: SpeechService, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        super().__init__(reader, writer)
        self._events = BoundedReader(reader)
        self._service = service
        self._voice = ""
        self._unspoken: str | None = None  # the end of a text in pieces; None between texts
        self._has_begun = False  # whether audio of the present text was sent

    async def run(self) -> None:
        """Answer events until the client goes, is silent for long or sends something else."""
        try:
            while event := await self._next_event():
                await self.handle_event(event)
        except OSError:
            pass  # the client left while it was being answered
        finally:
            self.writer.close()

    async def handle_event(self, event: Event) -> bool:
        """Answer an event; those that are not about speaking are dropped, as the protocol says."""
        try:
            await self._answer(event)
        except USER_ERRORS as error:
            await self._fail(str(error), type(error).__name__)
        except (AttributeError, KeyError, TypeError):
            await self._fail(f"The event {event.type!r} has no text, or a wrong one.", "BadEvent")
        return True

    async def _next_event(self) -> Event | None:
        """Return an event, or None where nothing comes that is one."""
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                return await async_read_event(self._events)  # type: ignore[arg-type]
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            return None
        except (AttributeError, KeyError, TypeError):
            return None  # JSON, but no event

    async def _answer(self, event: Event) -> None:
        if Describe.is_type(event.type):
            await self.write_event(self._info().event())
        elif SynthesizeStart.is_type(event.type):
            self._begin(SynthesizeStart.from_event(event))
            self._unspoken = ""
        elif SynthesizeChunk.is_type(event.type) and self._unspoken is not None:
            whole, self._unspoken = take_whole(
                self._unspoken + SynthesizeChunk.from_event(event).text
            )
            await self._say(whole)
        elif SynthesizeStop.is_type(event.type) and self._unspoken is not None:
            rest, self._unspoken = self._unspoken, None
            await self._say(rest)
            await self._end()
            await self.write_event(SynthesizeStopped().event())
        elif Synthesize.is_type(event.type) and self._unspoken is None:
            # Within a stream it repeats the whole text, for servers that know no streams.
            request = Synthesize.from_event(event)
            self._begin(request)
            await self._say(request.text, even_if_empty=True)
            await self._end()

    def _begin(self, request: Synthesize | SynthesizeStart) -> None:
        self._voice = (request.voice and request.voice.name) or ""
        self._has_begun = False

    async def _say(self, text: str, *, even_if_empty: bool = False) -> None:
        """Send the audio of a text, after a pause if it goes on."""
        if not text.strip() and not even_if_empty:
            return
        pause_seconds = PAUSE_SECONDS if self._has_begun else 0.0
        request = SpeechRequest(text=text, voice=self._voice)
        async with contextlib.aclosing(self._service.speak(request)) as events:
            async for event in events:
                if isinstance(event, Part):
                    await self._send(event, pause_seconds)
                    pause_seconds = 0.0

    async def _send(self, part: Part, pause_seconds: float) -> None:
        rate = part.speech.sample_rate
        if not self._has_begun:
            self._has_begun = True
            await self.write_event(AudioStart(rate=rate, width=2, channels=1).event())
        silence = bytes(2 * round(pause_seconds * rate))
        audio = silence + to_pcm(part.speech.audio).tobytes()
        for start in range(0, len(audio), CHUNK_BYTES):
            piece = audio[start : start + CHUNK_BYTES]
            await self.write_event(AudioChunk(rate=rate, width=2, channels=1, audio=piece).event())

    async def _end(self) -> None:
        if self._has_begun:
            self._has_begun = False
            await self.write_event(AudioStop().event())

    async def _fail(self, message: str, code: str) -> None:
        """Send an error, after the end of what was sent before."""
        await self._end()
        self._unspoken = None
        await self.write_event(Error(text=message, code=code).event())

    def _info(self) -> Info:
        voices = [
            TtsVoice(
                name=name,
                description=name,
                attribution=ATTRIBUTION,
                installed=True,
                version=None,
                languages=[language_tag(voice.language)],
            )
            for name, voice in self._service.store.voices().items()
        ]
        program = TtsProgram(
            name="tacoglow",
            description="Tacotron 2 and WaveGlow",
            attribution=ATTRIBUTION,
            installed=True,
            version=None,
            voices=voices,
            supports_synthesize_streaming=True,
        )
        return Info(tts=[program])


def take_whole(text: str) -> tuple[str, str]:
    """Split the beginning of a text into its whole sentences and the rest.

    The last sentence is never whole: what follows may belong to it.
    """
    last = split_sentences(text)[-1:] or [""]
    start = text.rfind(last[0])
    return (text[:start], text[start:]) if start > 0 else ("", text)


def language_tag(language: str) -> str:
    """Return a language as the protocol writes it: en-us as en-US."""
    name, _, region = language.partition("-")
    return f"{name}-{region.upper()}" if region else name
