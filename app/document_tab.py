"""The tab for documents: open one, choose chapters, hear it read, in every format."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import gradio as gr

from app import document_html as html
from app.book_files import export_book, work_folder
from app.document_visit import DocumentVisit
from app.sentence_redo import SentenceRedo
from app.speech_service import USER_ERRORS, SpeechRequest, SpeechService, Waiting
from app.status import problem, says, status_line, waits
from pipeline import SpeechOptions, Synthesizer
from pipeline.audio import BOOK_FORMATS
from pipeline.audiobook.recording import Progress, Recording
from pipeline.caption_formats import CAPTION_FORMATS
from pipeline.documents import SUFFIXES, Document, read_document
from pipeline.errors import PipelineError
from text.lexicon import parse_lexicon

REFRESH_SECONDS = 0.5
SAMPLE = "This sentence is spoken to find out how long a document will take here."

Changes = AsyncGenerator[dict[Any, Any]]


class DocumentTab:
    """Builds the tab inside an open page."""

    def __init__(self, service: SpeechService, lexicon: gr.BrowserState | None = None) -> None:
        """Build it.

        Args:
            service: Speaks.
            lexicon: What a visitor's browser keeps; it goes before the dictionary.
        """
        self._service = service
        self._lexicon = lexicon or gr.State("")
        self._reader = asyncio.Semaphore(1)  # a document takes up to a processor and 3 GB
        self._visit = gr.State(None)
        with gr.Row(elem_classes="columns"):
            with gr.Column(scale=3, min_width=300):
                self._build_form()
            with gr.Column(scale=5, min_width=320):
                self._status = status_line()
                self._progress = gr.HTML(html.GUIDE, elem_id="book-progress")
                with gr.Column(visible=False) as self._finished:
                    self._build_downloads()
                    self._redo = SentenceRedo(service, self._visit, self._status, self._download)
        self._connect()

    def _build_form(self) -> None:
        self._file = gr.File(label="Document", file_types=list(SUFFIXES), height=120)
        self.voice = gr.Dropdown(
            list(self._service.store.voices()),
            value=self._service.store.default,
            label="Voice",
            elem_id="document-voice",
        )
        self._chapters = gr.CheckboxGroup(label="Chapters", elem_classes="chapters", visible=False)
        self._count = gr.HTML(elem_id="count")
        with gr.Row(elem_classes="actions"):
            self._go = gr.Button("Read aloud", variant="primary", elem_classes="go", scale=3)
            self._stop = gr.Button("Stop", scale=1, min_width=80)

    def _build_downloads(self) -> None:
        with gr.Row(elem_classes="actions"):
            self._format = gr.Dropdown(
                [name.removeprefix(".") for name in BOOK_FORMATS],
                value="mp3",
                label="Format",
                info="m4b has chapters; zip has a file for each.",
            )
            self._captions = gr.Dropdown(
                ["none", *(name.removeprefix(".") for name in CAPTION_FORMATS)],
                value="none",
                label="Captions",
                info="What is heard when, in a file beside it.",
            )
            self._make = gr.Button("Make the file", min_width=140)
        self._download = gr.File(label="Download", visible=False, file_count="multiple")

    def _connect(self) -> None:
        private: dict[str, Any] = {"api_visibility": "private"}
        counted = [self._visit, self._chapters]
        self._file.upload(
            self.open,
            [self._file, self.voice],
            [
                *(self._visit, self._chapters, self._count, self._status, self._progress),
                self._finished,
            ],
            **private,
        )
        self._chapters.change(self.count, counted, self._count, show_progress="hidden", **private)
        shown = [self._status, self._progress, self._count, self._finished, self._redo.chapter]
        reading = self._go.click(
            self.speak,
            [*counted, self.voice, self._lexicon],
            [*shown, self._visit, self._download],
            **private,
        )
        self._stop.click(self.stop, None, self._status, cancels=[reading], **private)
        self._make.click(
            self.make,
            [self._visit, self._format, self._captions],
            [self._status, self._download],
            **private,
        )

    async def open(self, file: str | None, voice: str) -> Changes:
        """Read the document, list its chapters, and measure how fast this machine speaks."""
        if not file:
            return
        yield {self._status: says("Reading the document …")}
        try:
            async with self._reader:
                document = await asyncio.to_thread(read_document, file)
            self._check_length(document)
            visit = DocumentVisit(document, Path(file).stem)
            yield {
                self._visit: visit,
                self._chapters: _choices(visit.document),
                self._count: html.count(visit.document, None),
                self._progress: html.notices(visit.document.notices),
                self._finished: gr.Column(visible=False),
            }
            async for change in self._measure(visit, voice):
                yield change
            yield {self._status: says(), self._count: html.count(visit.document, visit)}
        except USER_ERRORS as error:
            yield {self._status: problem(_without_folder(error, file))}

    def count(self, visit: DocumentVisit | None, chosen: list[int]) -> str:
        """Return how long the chosen chapters are, and how long they will take."""
        return html.count(visit.document, visit, chosen) if visit else ""

    async def speak(
        self, visit: DocumentVisit | None, chosen: list[int], voice: str, lexicon: str = ""
    ) -> Changes:
        """Speak the chosen chapters; what was spoken before is found again."""
        try:
            if visit is None:
                raise PipelineError("Open a document first.")
            if not chosen:
                raise PipelineError("Choose at least one chapter.")
            self._check_length(visit.document)
            yield {self._finished: gr.Column(visible=False), self._download: gr.File(visible=False)}
            async for loaded in self._service.load(voice):
                if isinstance(loaded, Waiting):
                    yield {self._status: waits(loaded)}
                    continue
                tts = loaded.with_lexicon(parse_lexicon(lexicon))
                visit.recording = self._recording(visit, tts, chosen)
                async for change in self._follow(visit, chosen):
                    yield change
            yield self._done(visit)
        except USER_ERRORS as error:
            yield {self._status: problem(error)}

    def stop(self) -> dict[str, Any]:
        """Say that what is spoken is kept; the event that speaks is cancelled."""
        return says("Stopped. What is spoken is kept: Read aloud goes on from there.")

    async def make(
        self, visit: DocumentVisit | None, suffix: str, captions: str = "none"
    ) -> Changes:
        """Write the book in a format, and its captions, and offer them."""
        try:
            if visit is None or visit.recording is None:
                raise PipelineError("Read the document aloud first.")
            yield {self._status: says(f"Writing {suffix} …")}
            paths = await asyncio.to_thread(
                export_book, visit.recording.book, visit.name, suffix, captions
            )
            yield {self._status: says(), self._download: gr.File(paths, visible=True)}
        except ModuleNotFoundError as error:
            missing = PipelineError(
                f"{suffix} needs the package {error.name}: pip install {error.name}"
            )
            yield {self._status: problem(missing)}
        except USER_ERRORS as error:
            yield {self._status: problem(error)}

    async def _measure(self, visit: DocumentVisit, voice: str) -> Changes:
        """Speak one sentence to find out how long a character takes."""
        async for event in self._service.speak(SpeechRequest(text=SAMPLE, voice=voice)):
            if isinstance(event, Waiting):
                yield {self._status: waits(event)}
                continue
            visit.work_seconds = event.speech.taken_seconds / len(SAMPLE)
            visit.audio_seconds = event.speech.seconds / len(SAMPLE)

    async def _follow(self, visit: DocumentVisit, chosen: list[int]) -> Changes:
        assert visit.recording is not None
        shown = 0.0
        latest: Progress | None = None
        steps = self._service.take_steps(visit.recording.speak())
        async with contextlib.aclosing(steps):
            async for step in steps:
                if isinstance(step, Waiting):
                    if step.ahead:
                        yield {self._status: waits(step)}
                    continue
                latest = step
                if time.monotonic() - shown > REFRESH_SECONDS:
                    shown = time.monotonic()
                    yield {
                        self._status: says(html.time_left(visit, step)),
                        self._progress: html.progress(visit.document, chosen, step),
                    }
        yield {self._progress: html.progress(visit.document, chosen, latest, is_done=True)}

    def _done(self, visit: DocumentVisit) -> dict[Any, Any]:
        assert visit.recording is not None
        book = visit.recording.book
        chapters = [
            (chapter.title, number)
            for number, chapter in enumerate(book.chapters, 1)
            if chapter.sentences
        ]
        return {
            self._visit: visit,
            self._status: says(f"Done: {html.duration(book.seconds)} of audio."),
            self._count: html.notices((*visit.document.notices, *book.problems())),
            self._finished: gr.Column(visible=bool(chapters)),
            self._redo.chapter: gr.Dropdown(chapters, value=chapters[0][1] if chapters else None),
        }

    def _recording(self, visit: DocumentVisit, tts: Synthesizer, chosen: list[int]) -> Recording:
        before = visit.recording.changes if visit.recording else {}
        return Recording(
            visit.document,
            tts,
            SpeechOptions(),
            work_folder(visit.document),
            chapters=frozenset(chosen),
            changes=before,
        )

    def _check_length(self, document: Document) -> None:
        limit = self._service.max_document_characters
        if limit is not None and document.n_characters > limit:
            raise PipelineError(
                f"The document has {document.n_characters:,} characters; this server reads at most "
                f"{limit:,}. Its operator can allow more with --max-characters."
            )


def _choices(document: Document) -> gr.CheckboxGroup:
    numbers = range(1, len(document.chapters) + 1)
    labels = [
        (f"{number}. {chapter.title} ({chapter.n_words:,} words)", number)
        for number, chapter in zip(numbers, document.chapters, strict=True)
    ]
    return gr.CheckboxGroup(labels, value=list(numbers), visible=True)


def _without_folder(error: Exception, file: str) -> Exception:
    """Return the error without the folder of the upload, which tells a visitor nothing."""
    return PipelineError(str(error).replace(file, Path(file).name))
