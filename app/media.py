"""Routes for what players and downloads ask: audio, live and whole, pictures, reports."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated
from weakref import WeakKeyDictionary, finalize

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from app.encoding import ENCODINGS, AudioEncoder, encode
from app.finetune_jobs import FinetuneJobs
from app.pictures import attention_png, heard_png, mel_png
from app.results import Result, Results
from pipeline.atomic_write import atomic_write

DOWNLOADS = ("wav", "flac", "mp3")
# Chromium drops the last packet of a stream of unknown length; these zeros are dropped instead.
TRAILING_BYTES = 8_192


class Downloads:
    """Results as files, encoded once, so that players may ask for any part: they seek that way."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._folders: WeakKeyDictionary[Result, Path] = WeakKeyDictionary()

    def path(self, result: Result, name: str) -> Path:
        """Return the file of a result in an encoding; it goes when the result goes."""
        with self._guard:
            folder = self._folders.get(result)
            if folder is None:
                folder = self._folders[result] = Path(tempfile.mkdtemp(prefix="tacoglow-"))
                finalize(result, shutil.rmtree, folder, ignore_errors=True)
            path = folder / f"{len(result.parts)}-sentences.{name}"  # others may follow
            if not path.exists():
                speech = result.speech
                with atomic_write(path) as part_path:
                    part_path.write_bytes(encode(name, speech.audio, speech.sample_rate))
            return path


def media_routes(results: Results) -> APIRouter:
    """Return the routes under /results."""
    router = APIRouter(prefix="/results", include_in_schema=False)
    downloads = Downloads()

    def find(result_id: str) -> Result:
        result = results.get(result_id)
        if result is None or not result.parts:
            raise HTTPException(404, "this result is no longer kept; speak the text again")
        return result

    @router.get("/{result_id}/live.wav")
    async def live(result_id: str, start: Annotated[float, Query(ge=0.0)] = 0.0) -> Response:
        return StreamingResponse(_follow(find(result_id), start), media_type="audio/wav")

    @router.get("/{result_id}/mel.png")
    async def mel(result_id: str) -> Response:
        picture = await asyncio.to_thread(mel_png, find(result_id).speech.mel)
        return Response(picture, media_type="image/png")

    @router.get("/{result_id}/heard.png")
    async def heard(result_id: str) -> Response:
        picture = await asyncio.to_thread(heard_png, find(result_id).speech)
        return Response(picture, media_type="image/png")

    @router.get("/{result_id}/attention.png")
    async def attention(result_id: str) -> Response:
        picture = await asyncio.to_thread(attention_png, find(result_id).speech.alignment)
        return Response(picture, media_type="image/png")

    @router.get("/{result_id}/manifest.json")
    async def manifest(result_id: str) -> JSONResponse:
        return JSONResponse(find(result_id).manifest)

    @router.get("/{result_id}/speech.{name}")
    async def audio(result_id: str, name: str) -> FileResponse:
        if name not in DOWNLOADS:
            raise HTTPException(404, f"no {name!r}; expected one of {', '.join(DOWNLOADS)}")
        path = await asyncio.to_thread(downloads.path, find(result_id), name)
        return FileResponse(
            path,
            media_type=ENCODINGS[name].media_type,
            filename=f"{find(result_id).file_name}.{name}",
            content_disposition_type="inline",
        )

    return router


def training_routes(finetune_jobs: FinetuneJobs) -> APIRouter:
    """Return the routes under /training: of the present or last one."""
    router = APIRouter(prefix="/training", include_in_schema=False)

    @router.get("/sample.wav")
    async def sample() -> Response:
        training = await asyncio.to_thread(finetune_jobs.training)
        if not training.sample:
            raise HTTPException(404, "there is no sample yet")
        return Response(training.sample, media_type="audio/wav")

    @router.get("/report.html")
    async def report() -> FileResponse:
        state = finetune_jobs.state()
        if state is None or not (state.folder / "report.html").is_file():
            raise HTTPException(404, "there is no report yet")
        return FileResponse(state.folder / "report.html")

    return router


async def _follow(result: Result, start: float) -> AsyncGenerator[bytes]:
    """Yield a wav file while its result is being made, from a place in seconds on."""
    encoder: AudioEncoder | None = None
    n_left_out = 0
    async for speech in result.follow():
        if encoder is None:
            encoder = AudioEncoder("wav", speech.sample_rate)
            n_left_out = round(start * speech.sample_rate)
        audio = speech.audio
        yield encoder.add(audio[n_left_out:])
        n_left_out = max(0, n_left_out - len(audio))
    yield bytes(TRAILING_BYTES)
