"""The second tab: one sentence over a grid of sigmas and denoising strengths."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import gradio as gr

from app import html
from app.player import progress, progress_channel
from app.results import Result, Results
from app.speech_service import USER_ERRORS, Part, SpeechRequest, SpeechService, check_text
from app.status import problem, says, status_line, waits
from pipeline import Speech
from pipeline.errors import PipelineError

SIGMAS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 1.0)
STRENGTHS = (0.0, 0.01, 0.03, 0.1, 0.3)
MAX_CHARACTERS = 300  # every cell is spoken: a sentence is enough

Changes = AsyncGenerator[dict[Any, Any]]


class CompareTab:
    """Builds the tab inside an open page."""

    def __init__(self, service: SpeechService, results: Results) -> None:
        self._service = service
        self._results = results
        self._text = gr.Textbox(
            "The birch canoe slid on the smooth planks.",
            label="Sentence",
            lines=2,
            max_length=MAX_CHARACTERS,
        )
        with gr.Row():
            self._sigmas = _choice("Sigmas", SIGMAS, [0.3, 0.6, 0.8])
            self._strengths = _choice("Denoising strengths", STRENGTHS, [0.0, 0.01, 0.1])
            self.voice = gr.Dropdown(
                list(service.store.voices()), value=service.store.default, label="Voice"
            )
        with gr.Row(elem_classes="actions"):
            go = gr.Button("Compare", variant="primary", elem_classes="go", scale=3)
            stop = gr.Button("Stop", scale=1, min_width=80)
        self._status = status_line()
        self._progress = progress_channel()
        self._table = gr.HTML(elem_id="grid")
        self._cells = gr.State([])  # ids of the grid's results
        go.click(
            self.compare,
            [self._text, self._sigmas, self._strengths, self.voice],
            [self._status, self._progress, self._table, self._cells],
            api_visibility="private",
        )
        stop.click(self.stop, self._cells, None, api_visibility="private")

    async def compare(
        self, text: str, sigmas: list[float], strengths: list[float], voice: str
    ) -> Changes:
        """Speak the sentence once, then voice its mel for each cell of the grid."""
        request = SpeechRequest(text=text, voice=voice)
        cells = {
            (sigma, strength): self._results.new(request)
            for sigma in sorted(sigmas)
            for strength in sorted(strengths)
        }
        try:
            if not cells:
                raise PipelineError("Choose at least one sigma and one denoising strength.")
            check_text(text)
            yield {
                self._table: html.grid(sorted(sigmas), sorted(strengths), cells),
                self._cells: [result.id for result in cells.values()],
            }
            async with contextlib.aclosing(self._fill(request, cells)) as changes:
                async for change in changes:
                    yield change
            yield {self._status: says()}
        except USER_ERRORS as error:
            yield {self._status: problem(error)}

    async def stop(self, ids: list[str]) -> None:
        """Leave the cells empty that have nothing to play yet."""
        for result_id in ids:
            result = self._results.get(result_id)
            if result is not None:
                result.finish()

    async def _fill(
        self, request: SpeechRequest, cells: dict[tuple[float, float], Result]
    ) -> Changes:
        spoken: Speech | None = None
        for (sigma, strength), result in cells.items():
            options = replace(request.options, sigma=sigma, denoise=strength)
            request = replace(request, options=options)
            service = self._service
            events = service.revoice(spoken, request) if spoken else service.speak(request)
            async with contextlib.aclosing(events):
                async for event in events:
                    if result.is_done:  # the visitor pressed Stop
                        return
                    if isinstance(event, Part):
                        result.add(event)
                    else:
                        yield {self._status: waits(event)}
            result.finish()
            spoken = spoken or result.speech
            yield {self._progress: progress(result)}


def _choice(label: str, values: tuple[float, ...], chosen: list[float]) -> gr.CheckboxGroup:
    return gr.CheckboxGroup([(f"{value:g}", value) for value in values], value=chosen, label=label)
