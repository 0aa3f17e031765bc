"""The second tab: one sentence over a grid of sigmas and denoising strengths."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import gradio as gr

from app import html
from app.player import SILENCE, progress, progress_channel
from app.results import Result, Results
from app.speech_service import USER_ERRORS, Part, SpeechRequest, SpeechService, check_text
from app.status import problem, says, status_line, waits
from app.visit import Visit
from pipeline import Speech
from pipeline.errors import PipelineError

SIGMAS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 1.0)
STRENGTHS = (0.0, 0.01, 0.03, 0.1, 0.3)
N_CHOSEN = 3  # of each at the beginning: the voice's own and its neighbours
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
        store = service.store
        own = store.voices()[store.default]
        with gr.Row():
            self._sigmas = _choice("Sigmas", SIGMAS, own.sigma)
            self._strengths = _choice("Denoising strengths", STRENGTHS, own.denoise)
            self.voice = gr.Dropdown(list(store.voices()), value=store.default, label="Voice")
        with gr.Row(elem_classes="actions"):
            go = gr.Button("Compare", variant="primary", elem_classes="go", scale=3)
            stop = gr.Button("Stop", scale=1, min_width=80)
        self._status = status_line()
        self._progress = progress_channel()
        self._table = gr.HTML(elem_id="grid")
        self._visit = gr.State(Visit())  # Gradio copies it for each visitor
        private: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        go.click(None, None, None, js=SILENCE, **private)
        go.click(
            self.compare,
            [self._visit, self._text, self._sigmas, self._strengths, self.voice],
            [self._status, self._progress, self._table],
            trigger_mode="multiple",  # a click during a comparison replaces it
            **private,
        )
        stop.click(None, None, None, js=SILENCE, **private)
        stop.click(self.stop, self._visit, None, trigger_mode="multiple", **private)
        self.voice.input(self.suit, self.voice, [self._sigmas, self._strengths], **private)

    async def compare(
        self, visit: Visit, text: str, sigmas: list[float], strengths: list[float], voice: str
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
            visit.begin(*cells.values())
            yield {self._table: html.grid(sorted(sigmas), sorted(strengths), cells)}
            async with contextlib.aclosing(self._fill(request, cells)) as changes:
                async for change in changes:
                    yield change
            is_present = visit.takes == tuple(cells.values())
            yield {self._status: says() if is_present else gr.skip()}
        except USER_ERRORS as error:
            yield {self._status: problem(error)}

    async def stop(self, visit: Visit) -> None:
        """Leave the cells empty that have nothing to play yet."""
        visit.stop()

    def suit(self, voice: str) -> list[gr.CheckboxGroup]:
        """Choose what stands around the voice's own sigma and denoising strength."""
        own = self._service.store.voices()[voice]
        return [
            gr.CheckboxGroup(**_around(own.sigma, SIGMAS)),
            gr.CheckboxGroup(**_around(own.denoise, STRENGTHS)),
        ]

    async def _fill(
        self, request: SpeechRequest, cells: dict[tuple[float, float], Result]
    ) -> Changes:
        spoken: Speech | None = None
        for n_done, ((sigma, strength), result) in enumerate(cells.items()):
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
                        yield {self._status: waits(event, n_done / len(cells))}
            result.finish()
            spoken = spoken or result.speech
            yield {self._progress: progress(result)}


def _choice(label: str, values: tuple[float, ...], own: float) -> gr.CheckboxGroup:
    return gr.CheckboxGroup(label=label, **_around(own, values))


def _around(own: float, values: tuple[float, ...]) -> dict[str, Any]:
    """Return the choices, a voice's own among them; it and its neighbours are chosen."""
    choices = sorted({*values, own})
    first = min(max(choices.index(own) - 1, 0), len(choices) - N_CHOSEN)
    return {
        "choices": [(f"{value:g}", value) for value in choices],
        "value": choices[first : first + N_CHOSEN],
        "info": f"The voice's own is {own:g}.",
    }
