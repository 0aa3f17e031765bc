"""The first tab: a text becomes speech, and sliders change its sound without a new mel."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Iterator
from dataclasses import asdict, replace
from typing import Any

import gradio as gr

from app import html
from app.permalink import copy_link, read_permalink
from app.player import player, progress, progress_channel
from app.reading import reading
from app.results import Result, Results
from app.speech_service import (
    USER_ERRORS,
    Part,
    SpeechRequest,
    SpeechService,
    Waiting,
)
from app.status import problem, says, status_line, waits
from pipeline.options import OPTIONS, Option, SpeechOptions

EXAMPLES = {
    "A fox": "The quick brown fox jumps over the lazy dog.",
    "Money and dates": "Dr. Lee paid $5.25 for 3 kg of apples on 21 March 2024.",
    "Phones": "You say {T AH0 M EY1 T OW0}, I say {T AH0 M AA1 T OW0}.",
    "A longer text": "The north wind and the sun disputed which of them was the stronger, when a "
    "traveller came along wrapped in a warm cloak. They agreed that the one who first made the "
    "traveller take his cloak off should be considered the stronger. Then the north wind blew as "
    "hard as he could, but the more he blew, the more closely did the traveller fold his cloak "
    "around him; and at last the north wind gave up. Then the sun shone out warmly, and at once "
    "the traveller took off his cloak. And so the north wind was obliged to confess that the sun "
    "was the stronger of the two.",
}
LIVE = 'size="large" live autoplay'  # plays while it is being made
MAX_HISTORY = 12  # results

Changes = AsyncGenerator[dict[Any, Any]]


class SpeakTab:
    """Builds the tab inside an open page; what visitors do lives in Gradio's session state."""

    def __init__(self, page: gr.Blocks, service: SpeechService, results: Results) -> None:
        self._service = service
        self._results = results
        self._visit = gr.State([])  # ids of this visit's results, the latest last
        with gr.Row(elem_classes="columns"):
            with gr.Column(scale=5, min_width=320):
                self._build_stage()
            with gr.Column(scale=3, min_width=280):
                self._build_controls()
                self._history = gr.HTML(elem_id="history")
        self._asked = {
            **{"text": self._text, "voice": self.voice, "vocoder": self._vocoder},
            **self._options,
        }
        self._connect(page)

    def _build_stage(self) -> None:
        self._text = gr.Textbox(
            label="Text",
            placeholder="Write something to say; Ctrl+Enter speaks it.",
            lines=5,
            max_lines=14,
            max_length=self._service.max_characters,
        )
        with gr.Row(elem_classes="actions"):
            self._go = gr.Button("Speak", variant="primary", elem_classes="go", scale=3)
            self._stop = gr.Button("Stop", scale=1, min_width=80)
            self._link = gr.Button("Copy link", scale=1, min_width=110)
        with gr.Row(elem_classes="chips"):
            gr.Examples(
                [[example] for example in EXAMPLES.values()],
                self._text,
                example_labels=list(EXAMPLES),
                label="Examples",
            )
        self._status = status_line()
        self._progress = progress_channel()
        with gr.Column(elem_classes="stage"):
            self._player = gr.HTML(elem_id="player")
            self._details = gr.HTML(elem_id="details")
            self._reading = gr.HTML(elem_id="reading")

    def _build_controls(self) -> None:
        store = self._service.store
        values = asdict(SpeechOptions().or_else(store.voices()[store.default].options))
        with gr.Group():
            self.voice = gr.Dropdown(list(store.voices()), value=store.default, label="Voice")
            self._vocoder = gr.Dropdown(self._vocoders(), value="", label="Vocoder")
        with gr.Group():
            sliders = {
                name: _slider(option, values[name])
                for name, option in OPTIONS.items()
                if name != "seed"
            }
        with gr.Row(elem_classes="seed"):
            seed = _number(OPTIONS["seed"], values["seed"])
            self._dice = gr.Button("⚄ New seed", min_width=100)
        self._options: dict[str, Any] = {**sliders, "seed": seed}

    def _vocoders(self) -> list[tuple[str, str]]:
        return [
            ("The voice's own", ""),
            *((name, name) for name in self._service.store.vocoders()),
        ]

    def _connect(self, page: gr.Blocks) -> None:
        outputs = [
            *(self._status, self._player, self._progress),
            *(self._details, self._reading, self._history, self._visit),
        ]
        private: dict[str, Any] = {"api_visibility": "private"}
        shown = list(self._asked.values())
        asked = [self._text, self.voice, self._vocoder, self._visit]
        of_vocoder = {n: one for n, one in self._options.items() if OPTIONS[n].is_of_vocoder}
        again: dict[str, Any] = {
            "fn": self.revoice,
            "inputs": self._visit,
            "outputs": outputs,
            "inputs_kwargs": of_vocoder,
            **private,
        }
        self._go.click(self.speak, asked, outputs, inputs_kwargs=self._options, **private)
        for control in of_vocoder.values():
            for listen in _settled(control):
                listen(trigger_mode="always_last", **again)
        seed = self._options["seed"]
        thrown = self._dice.click(lambda: random.randrange(1_000_000), None, seed, **private)
        thrown.then(**again)
        self._stop.click(self.stop, self._visit, None, **private)
        self._link.click(None, shown, self._status, js=copy_link(self._asked), **private)
        own = [self._options["sigma"], self._options["denoise"]]
        self.voice.input(self.suit, self.voice, own, **private)
        page.load(self.welcome, None, shown, **private)

    async def speak(
        self, text: str, voice: str, vocoder: str, visit: list[str], **values: float | None
    ) -> Changes:
        """Speak what is in the text box."""
        options = SpeechOptions.from_mapping(values)
        request = SpeechRequest(text=text, voice=voice, vocoder=vocoder, options=options)
        async for changes in self._perform(self._service.speak(request), request, visit):
            yield changes

    async def revoice(self, visit: list[str], **values: float | None) -> Changes:
        """Re-voice the latest result with the options of the vocoder that the controls show."""
        yield {self._visit: visit}  # a generator that yields nothing would put old values back
        old = next(self._playable(visit), None)
        if old is None or not old.is_done:
            return
        options = SpeechOptions.from_mapping({**asdict(old.request.options), **values})
        request = replace(old.request, options=options)
        if request == old.request:
            return
        async for changes in self._perform(
            self._service.revoice(old.speech, request), request, visit
        ):
            yield changes

    async def _perform(
        self, events: AsyncGenerator[Waiting | Part], request: SpeechRequest, visit: list[str]
    ) -> Changes:
        """Fill a result from the service's events, and yield what changes on the page."""
        result = self._results.new(request)
        visit = [*visit, result.id][-MAX_HISTORY:]
        yield {self._visit: visit}
        try:
            async for event in events:
                if result.is_done:  # the visitor pressed Stop
                    break
                if isinstance(event, Waiting):
                    yield {self._status: waits(event)}
                    continue
                result.add(event)
                changes: dict[Any, Any] = {
                    self._progress: progress(result),
                    self._details: html.details(result),
                }
                if len(result.parts) == 1:
                    changes[self._player] = player(result, "this result", attributes=LIVE)
                    # In another thread: a long text takes half a second.
                    changes[self._reading] = await asyncio.to_thread(reading, request.text)
                yield changes
            words = f"Stopped. The first {result.seconds:.1f} s are kept." if result.is_done else ""
            result.finish()
            yield {
                self._status: says(words),
                self._progress: progress(result),
                self._history: html.history(self._playable(visit)),
            }
        except USER_ERRORS as error:
            yield {self._status: problem(error)}
        finally:
            result.finish()
            await events.aclose()

    async def stop(self, visit: list[str]) -> None:
        """Stop the latest result after the present sentence."""
        result = self._results.get(visit[-1]) if visit else None
        if result is not None:
            result.finish()

    def suit(self, voice: str) -> list[float]:
        """Return the sigma and the denoising strength that suit a voice best."""
        facts = self._service.store.voices()[voice]
        return [facts.sigma, facts.denoise]

    def welcome(self, request: gr.Request) -> list[Any]:
        """Return text and settings as the address of the page says."""
        store = self._service.store
        voices, vocoders = list(store.voices()), self._vocoders()
        query = dict(request.query_params)
        if "text" not in query:  # a visitor may already be typing
            unchanged = [gr.skip()] * len(OPTIONS)
            return [gr.skip(), gr.Dropdown(voices), gr.Dropdown(vocoders), *unchanged]
        asked = read_permalink(query, store)
        values = asdict(asked.options)
        return [
            asked.text,
            gr.Dropdown(voices, value=asked.voice),
            gr.Dropdown(vocoders, value=asked.vocoder),
            *(values[name] for name in self._options),
        ]

    def _playable(self, visit: list[str]) -> Iterator[Result]:
        """Yield the results that have something to play, the newest first."""
        for result_id in reversed(visit):
            result = self._results.get(result_id)
            if result is not None and result.parts:
                yield result


def _slider(option: Option, value: float) -> gr.Slider:
    return gr.Slider(
        option.low,
        option.high,
        value=value,
        step=option.step,
        label=option.label,
        info=option.help,
    )


def _number(option: Option, value: float) -> gr.Number:
    return gr.Number(
        value,
        label=option.label,
        precision=0,
        minimum=option.low,
        maximum=option.high,
        min_width=100,
    )


def _settled(control: gr.Slider | gr.Number) -> tuple[Any, ...]:
    """Return the events that say that somebody has set a control."""
    return (control.release,) if isinstance(control, gr.Slider) else (control.submit, control.blur)
