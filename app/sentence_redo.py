"""The part of the tab for documents that makes one sentence anew and leaves the rest as it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import gradio as gr

from app import document_html as html
from app.document_visit import DocumentVisit
from app.speech_service import USER_ERRORS, SpeechService, Waiting
from app.status import problem, says, waits
from pipeline import SpeechOptions
from pipeline.audiobook.changes import Change, Place
from pipeline.errors import PipelineError

Changes = AsyncGenerator[dict[Any, Any]]


class SentenceRedo:
    """Builds its part inside an open page."""

    def __init__(
        self, service: SpeechService, visit: gr.State, status: gr.Component, download: gr.File
    ) -> None:
        """Build it.

        Args:
            service: Speaks.
            visit: Holds a `DocumentVisit`, or None.
            status: Shows what goes on.
            download: Holds files that are outdated when a sentence is made anew.
        """
        self._service = service
        self._visit, self._status, self._download = visit, status, download
        with gr.Accordion("Make one sentence anew", open=False):
            with gr.Row():
                self.chapter = gr.Dropdown(label="Chapter", elem_id="redo-chapter")
                self._place = gr.Dropdown(label="Sentence", scale=3, elem_id="redo-sentence")
            self._text = gr.Textbox(label="New text of the sentence", lines=2)
            with gr.Row():
                self._seed = gr.Number(1, label="Seed of the sentence", precision=0, minimum=0)
                self._sigma = gr.Number(None, label="Sigma, where it shall differ")
            self._button = gr.Button("Speak this sentence")
            self._sound = gr.HTML(elem_id="redo-sound")
        self._connect()

    def _connect(self) -> None:
        private: dict[str, Any] = {"api_visibility": "private"}
        self.chapter.change(
            self.list_sentences, [self._visit, self.chapter], self._place, **private
        )
        shown = [self._text, self._sound]
        self._place.change(self.show_sentence, [self._visit, self._place], shown, **private)
        self._button.click(
            self.redo,
            [self._visit, self._place, self._text, self._seed, self._sigma],
            [self._status, self._sound, self._download],
            **private,
        )

    def list_sentences(self, visit: DocumentVisit | None, chapter: int | None) -> gr.Dropdown:
        """Return the sentences of a chapter to choose from."""
        if visit is None or visit.recording is None or not chapter:
            return gr.Dropdown([], value=None)
        sentences = visit.recording.book.chapters[chapter - 1].sentences
        choices = [
            (f"{number}. {sentence.written}", str(Place(chapter, number)))
            for number, sentence in enumerate(sentences, 1)
        ]
        return gr.Dropdown(choices, value=choices[0][1] if choices else None)

    def show_sentence(self, visit: DocumentVisit | None, place: str | None) -> list[Any]:
        """Return the text of a sentence, and a player for it."""
        if visit is None or visit.recording is None or not place:
            return ["", ""]
        sentence = visit.recording.sentence(Place.parse(place))
        return [sentence.written, html.sentence_player(sentence)]

    async def redo(
        self,
        visit: DocumentVisit | None,
        place: str | None,
        text: str,
        seed: float,
        sigma: float | None,
    ) -> Changes:
        """Speak one sentence anew; the others stay as they are."""
        try:
            if visit is None or visit.recording is None or not place:
                raise PipelineError("Choose a sentence first.")
            recording, where = visit.recording, Place.parse(place)
            is_other = text.strip() != recording.sentence(where).written.strip()
            given = SpeechOptions(seed=int(seed), sigma=sigma)  # checks the ranges
            change = Change(
                text=text if is_other else recording.changes.get(where, Change()).text,
                seed=given.seed,
                sigma=given.sigma,
            )
            recording.change(where, change)
            async for event in self._service.take_steps(recording.speak_changed(where)):
                if isinstance(event, Waiting):
                    yield {self._status: waits(event)}
            yield {
                self._status: says(f"Sentence {place} is made anew. Make the file again."),
                self._sound: html.sentence_player(recording.sentence(where)),
                self._download: gr.File(visible=False),
            }
        except USER_ERRORS as error:
            yield {self._status: problem(error)}
