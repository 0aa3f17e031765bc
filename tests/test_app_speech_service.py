"""The speech service and its results on a tiny voice: many clients, one queue, nothing mixed up."""

from __future__ import annotations

import asyncio
import gc
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from app.media import Downloads, media_routes
from app.pictures import LOG_RANGE
from app.results import Result, Results
from app.speech_service import (
    MAX_CHARACTERS,
    USER_ERRORS,
    Part,
    SpeechRequest,
    SpeechService,
    Waiting,
)
from app.voice_store import MAX_LOADED, VoiceStore
from pipeline import Speech, SpeechOptions, Synthesizer
from pipeline.mel import log_mel
from pipeline.speech import AudioPiece, join
from tests.conftest import make_voice

TEXT = "Hello there. How are you? Fine."


@pytest.fixture(scope="module")
def service(tiny_voice: Path) -> SpeechService:
    return SpeechService(VoiceStore(tiny_voice, places=[], device="cpu"))


async def spoken(events) -> Speech:
    return join([event.speech async for event in events if isinstance(event, Part)])


def test_what_the_service_speaks_is_what_the_voice_speaks_alone(
    service: SpeechService, tiny_voice: Path
) -> None:
    alone = Synthesizer.load(tiny_voice, device="cpu").speak(TEXT, seed=4, sigma=0.3)
    heard = asyncio.run(
        spoken(service.speak(SpeechRequest(text=TEXT, options=SpeechOptions(seed=4, sigma=0.3))))
    )
    assert np.array_equal(heard.audio, alone.audio)


def test_pieces_are_the_audio_that_is_spoken_before_a_sentence_ends(
    service: SpeechService,
) -> None:
    async def scenario() -> list[AudioPiece]:
        events = service.stream(SpeechRequest(text=TEXT))
        return [event async for event in events if isinstance(event, AudioPiece)]

    pieces = asyncio.run(scenario())
    whole = asyncio.run(spoken(service.speak(SpeechRequest(text=TEXT))))
    audio = np.concatenate([piece.audio for piece in pieces])
    np.testing.assert_allclose(audio, whole.audio, atol=1e-5)
    ended = [piece.speech for piece in pieces if piece.speech is not None]
    assert len(pieces) > len(ended) == len(whole.sentences)
    np.testing.assert_allclose(join(ended).audio, audio, atol=0)
    np.testing.assert_allclose(join(ended).alignment, whole.alignment, atol=1e-5)


def test_closing_a_stream_stops_after_the_present_piece(
    service: SpeechService, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[AudioPiece] = []
    stream_pieces = Synthesizer.stream_pieces

    def recorded(self: Synthesizer, text: str, options: SpeechOptions) -> Iterator[AudioPiece]:
        for piece in stream_pieces(self, text, options):
            made.append(piece)
            yield piece

    async def scenario() -> None:
        events = service.stream(SpeechRequest(text="One more. " * 50))
        async for event in events:
            if isinstance(event, AudioPiece):
                break
        await events.aclose()
        await spoken(service.speak(SpeechRequest(text="Next.")))

    monkeypatch.setattr(Synthesizer, "stream_pieces", recorded)
    asyncio.run(scenario())
    assert len(made) <= 2  # the one that was heard, and at most one that had begun


def test_revoicing_keeps_the_mel(service: SpeechService) -> None:
    old = asyncio.run(spoken(service.speak(SpeechRequest(text=TEXT))))
    options = SpeechOptions(sigma=0.9, denoise=0.0, seed=3)
    new = asyncio.run(spoken(service.revoice(old, SpeechRequest(text=TEXT, options=options))))
    assert np.array_equal(new.mel, old.mel)
    assert not np.array_equal(new.audio, old.audio)
    assert {sentence.mel_seed for sentence in new.sentences} == {0}  # so the manifest repeats it
    assert new.options == options


def test_a_short_text_need_not_wait_for_the_end_of_a_long_one(service: SpeechService) -> None:
    async def scenario() -> list[str]:
        order: list[str] = []

        async def listen(name: str, text: str) -> None:
            async for event in service.speak(SpeechRequest(text=text)):
                if isinstance(event, Part):
                    order.append(name)

        await asyncio.gather(listen("long", "One more. " * 10), listen("short", "Hi. Bye."))
        return order

    order = asyncio.run(scenario())
    assert order.count("long") == 10
    assert max(index for index, name in enumerate(order) if name == "short") <= 4


def test_closing_stops_after_the_present_sentence(
    service: SpeechService, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    stream = Synthesizer.stream

    def recorded(self: Synthesizer, text: str, options: SpeechOptions) -> Iterator[Speech]:
        for speech in stream(self, text, options):
            made.append(speech.sentences[0].text)
            yield speech

    async def scenario() -> None:
        events = service.speak(SpeechRequest(text="One more. " * 50))
        async for event in events:
            if isinstance(event, Part) and len(made) == 2:
                break
        await events.aclose()
        await spoken(
            service.speak(SpeechRequest(text="Next."))
        )  # its turn comes after all that is left

    monkeypatch.setattr(Synthesizer, "stream", recorded)
    asyncio.run(scenario())
    assert made == ["One more.", "One more.", "Next."]


def test_the_first_request_hears_that_its_voice_is_being_loaded(tiny_voice: Path) -> None:
    async def scenario() -> list[Waiting]:
        service = SpeechService(VoiceStore(tiny_voice, places=[], device="cpu"))
        return [e async for e in service.speak(SpeechRequest(text="Hi.")) if isinstance(e, Waiting)]

    progress = asyncio.run(scenario())
    assert progress[0].loading == "tiny"
    assert progress[-1].loading == ""


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        (SpeechRequest(text=" \n"), "The text is empty"),
        (SpeechRequest(text="a" * (MAX_CHARACTERS + 1)), "5,001 characters; at most 5,000"),
        (
            SpeechRequest(text="Hi.", voice="../../etc"),
            "There is no '../../etc'; expected one of tiny",
        ),
        (SpeechRequest(text="Hi.", vocoder="/tmp"), "There is no '/tmp'"),
        (SpeechRequest(text="{QQ}"), "QQ"),
    ],
)
def test_user_errors_are_explained(service: SpeechService, asked: SpeechRequest, word: str) -> None:
    with pytest.raises(USER_ERRORS, match=word.replace("(", r"\(")):
        asyncio.run(spoken(service.speak(asked)))


def test_the_store_keeps_few_voices_and_sees_new_ones(tmp_path: Path) -> None:
    default = make_voice(tmp_path / "first")
    store = VoiceStore(default, places=[tmp_path], device="cpu")
    for number in range(MAX_LOADED + 1):
        make_voice(tmp_path / f"voice{number}", seed=number)
        store.get(f"voice{number}", "first")
    assert next(iter(store.voices())) == "first"
    assert len(store.voices()) == len(store.vocoders()) == MAX_LOADED + 2
    assert not store.is_loaded("voice0", "first")
    assert store.is_loaded("voice1", "first")
    old = store.get("voice1", "first")
    make_voice(tmp_path / "voice1", seed=99)
    assert store.get("voice1", "first").voice.tacotron2 != old.voice.tacotron2


def test_a_folder_that_is_no_voice_is_left_out(tmp_path: Path) -> None:
    default = make_voice(tmp_path / "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "voice.json").write_text('{"name": "bad"}')
    assert list(VoiceStore(default, places=[tmp_path]).voices()) == ["good"]


def test_listeners_of_a_result_hear_all_of_it_whenever_they_come(service: SpeechService) -> None:
    async def scenario() -> tuple[list[Speech], list[Speech], Speech]:
        result = Results().new(SpeechRequest(text=TEXT))

        async def listen() -> list[Speech]:
            return [speech async for speech in result.follow()]

        early = asyncio.create_task(listen())
        await asyncio.sleep(0)
        async for event in service.speak(result.request):
            if isinstance(event, Part):
                result.add(event)
        result.finish()
        return await early, await listen(), result.speech

    early, late, whole = asyncio.run(scenario())
    assert len(early) == len(late) == 3
    assert np.array_equal(join(early).audio, whole.audio)


def test_old_results_give_way_and_unfinished_ones_stay(service: SpeechService) -> None:
    async def scenario() -> None:
        seconds = (await spoken(service.speak(SpeechRequest(text="Hi.")))).seconds
        results = Results(max_seconds=2.5 * seconds)  # two of four
        kept = []
        for finished in (True, False, True, True):
            result = results.new(SpeechRequest(text="Hi."))
            async for event in service.speak(result.request):
                if isinstance(event, Part):
                    result.add(event)
            if finished:
                result.finish()
            kept.append(result)
        results.new(SpeechRequest(text="Hi."))
        assert [results.get(result.id) is result for result in kept] == [False, True, False, True]
        assert results.get("unknown") is None

    asyncio.run(scenario())


@pytest.fixture(scope="module")
def media(service: SpeechService) -> tuple[TestClient, str, Speech]:
    """A client of the media routes, the path of a result there, and its speech."""
    results = Results()

    async def fill():
        result = results.new(SpeechRequest(text=TEXT))
        async for event in service.speak(result.request):
            if isinstance(event, Part):
                result.add(event)
        result.finish()
        return result

    result = asyncio.run(fill())
    server = FastAPI()
    server.include_router(media_routes(results))
    return TestClient(server), f"/results/{result.id}", result.speech


@pytest.mark.parametrize("name", ["wav", "flac"])
def test_lossless_downloads_are_the_samples(media, name: str) -> None:
    client, path, speech = media
    samples, rate = soundfile.read(io.BytesIO(client.get(f"{path}/speech.{name}").content))
    assert rate == speech.sample_rate
    np.testing.assert_allclose(samples, speech.audio, atol=1 / 32_000)


def test_the_live_stream_is_the_same_audio_and_then_silence(media) -> None:
    client, path, speech = media
    live, _ = soundfile.read(io.BytesIO(client.get(f"{path}/live.wav").content))
    np.testing.assert_allclose(live[: len(speech.audio)], speech.audio, atol=1 / 32_000)
    assert not live[len(speech.audio) :].any()
    start = len(speech.audio) // 2
    seconds = start / speech.sample_rate
    rest, _ = soundfile.read(io.BytesIO(client.get(f"{path}/live.wav?start={seconds}").content))
    np.testing.assert_array_equal(rest, live[start:])
    assert client.get(f"{path}/live.wav?start=-1").status_code == 422


def test_a_download_is_encoded_once_and_goes_with_its_result(media) -> None:
    _, _, speech = media
    downloads, result = Downloads(), Result(SpeechRequest(text=TEXT))
    result.parts.append(speech)
    path = downloads.path(result, "wav")
    path.write_bytes(b"kept")
    assert downloads.path(result, "wav").read_bytes() == b"kept"
    result.parts.append(speech)
    longer = downloads.path(result, "wav")
    assert soundfile.info(longer).frames == 2 * len(speech.audio)
    del result
    gc.collect()
    assert not path.parent.exists()


def test_a_player_may_seek(media) -> None:
    client, path, _ = media
    whole = client.get(f"{path}/speech.wav")
    assert whole.headers["accept-ranges"] == "bytes"
    part = client.get(f"{path}/speech.wav", headers={"range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    rest = client.get(f"{path}/speech.wav", headers={"range": "bytes=1000-"})
    assert rest.content == whole.content[1000:]
    beyond = client.get(f"{path}/speech.wav", headers={"range": "bytes=99999999-"})
    assert beyond.status_code == 416


def test_pictures_show_what_they_are_named_after(media) -> None:
    """A column a frame or decoder step, low at the bottom: brighter where the values are higher."""
    client, path, speech = media
    audio = torch.from_numpy(speech.audio)[None]
    shown = {"mel": speech.mel, "heard": log_mel(audio)[0].numpy(), "attention": speech.alignment.T}
    for name, values in shown.items():
        picture = Image.open(io.BytesIO(client.get(f"{path}/{name}.png").content))
        levels = np.asarray(picture)[::-1].astype(float)
        low, high = (0.0, 1.0) if name == "attention" else LOG_RANGE
        expected = np.clip((values - low) / (high - low), 0.0, 1.0)
        assert levels.std() > 0
        np.testing.assert_allclose(levels / 255.0, expected, atol=1.01 / 255.0)


def test_the_manifest_is_that_of_the_result(media) -> None:
    client, path, speech = media
    facts = client.get(f"{path}/manifest.json").json()
    assert facts["text"] == TEXT
    assert facts["audio_seconds"] == pytest.approx(speech.seconds, abs=1e-3)


def test_unknown_results_and_formats_are_404(media) -> None:
    client, path, _ = media
    for wrong in ("/results/nothing/speech.wav", f"{path}/speech.xyz", f"{path}/../../etc/passwd"):
        assert client.get(wrong).status_code == 404
