"""The first tab: a text becomes speech, and sliders change its sound without a new mel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import asdict, replace
from typing import Any

import gradio as gr

from app import html
from app.history import Kept, add_entry, history_state, read_entries
from app.lexicon_editor import LexiconEditor, merge
from app.permalink import copy_link, read_permalink
from app.player import SILENCE, player, progress, progress_channel
from app.reading import count_sentences, reading
from app.results import Result, Results
from app.speech_service import (
    USER_ERRORS,
    Part,
    SpeechRequest,
    SpeechService,
    Waiting,
)
from app.status import problem, says, status_line, waits
from app.visit import Visit
from app.voice_controls import VoiceControls, settled
from pipeline.options import SpeechOptions

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
FINISHED = 'size="large"'
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_ON_CHOICE = "element.addEventListener('fix', (event) => trigger('select', event.detail));"
_ON_USE_AGAIN = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-entry]');
  if (button) trigger('select', {entry: Number(button.dataset.entry)});
});
"""

Changes = AsyncGenerator[dict[Any, Any]]


class SpeakTab:
    """Builds the tab inside an open page; what visitors do lives in Gradio's session state."""

    def __init__(self, page: gr.Blocks, service: SpeechService, results: Results) -> None:
        self._service = service
        self._results = results
        self._visit = gr.State(Visit())  # Gradio copies it for each visitor
        self._kept = history_state()
        with gr.Row(elem_classes="columns"):
            with gr.Column(scale=5, min_width=320):
                self._build_stage()
            with gr.Column(scale=3, min_width=280):
                self._controls = VoiceControls(service.store)
                self._lexicon.build_list()
                self._history = gr.HTML(elem_id="history", js_on_load=_ON_USE_AGAIN)
        self.voice, self.lexicon = self._controls.voice, self._lexicon.kept
        self._lexicon.connect(self._reading, self.voice)
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
        self._status = status_line()
        self._progress = progress_channel()
        self._lexicon = LexiconEditor(self._service, self._results, self._status)
        with gr.Column(elem_classes="stage"):
            self._player = gr.HTML(elem_id="player")
            self._reading = gr.HTML(elem_id="reading", js_on_load=_ON_CHOICE)
            self._lexicon.build_form()
            self._details = gr.HTML(elem_id="details")
        with gr.Row(elem_classes="chips"):
            gr.Examples(
                [[example] for example in EXAMPLES.values()],
                self._text,
                example_labels=list(EXAMPLES),
                label="Examples",
            )

    def _connect(self, page: gr.Blocks) -> None:
        controls = self._controls
        take: list[Any] = [self._status, self._player, self._progress, self._details]
        take += [self._reading, self._history, self._kept]
        state = [self._visit, self._kept]
        settings = {**controls.components, "lexicon": self._lexicon.kept}
        # Each click counts: one during a take replaces it.
        go: dict[str, Any] = {"trigger_mode": "multiple", **PRIVATE}
        self._go.click(None, None, None, js=SILENCE, **PRIVATE)
        asked = [*state, self._text]
        self._go.click(self.speak, asked, take, inputs_kwargs=settings, **go)
        again: dict[str, Any] = {
            "fn": self.revoice,
            "inputs": state,
            "outputs": take,
            "inputs_kwargs": controls.of_vocoder,
            **PRIVATE,
        }
        for control in controls.of_vocoder.values():
            for listen in settled(control):
                listen(trigger_mode="always_last", **again)
        seed = controls.options["seed"]
        controls.dice.click(controls.new_seed, None, seed, **PRIVATE).then(**again)
        for listen in (
            controls.options["rate"].release,
            controls.voice.input,
            controls.vocoder.input,
        ):
            listen(self.remind, self._visit, self._status, **PRIVATE)
        self._stop.click(None, None, None, js=SILENCE, **PRIVATE)
        self._stop.click(self.stop, self._visit, None, trigger_mode="multiple", **PRIVATE)
        shown = {"text": self._text, **settings}
        self._link.click(None, list(shown.values()), self._status, js=copy_link(shown), **PRIVATE)
        restored = [*shown.values(), self._lexicon.lines, self._status]
        page.load(self.welcome, self._lexicon.kept, restored, **PRIVATE)
        page.load(self.remember, self._kept, self._history, **PRIVATE)
        self._history.select(self.use_again, state, [*restored, *take[1:5]], **PRIVATE)

    async def speak(
        self,
        visit: Visit,
        kept: Kept,
        text: str,
        *,
        voice: str,
        vocoder: str,
        lexicon: str,
        **values: float | None,
    ) -> Changes:
        """Speak what is in the text box."""
        request = SpeechRequest(
            text=text,
            voice=voice,
            vocoder=vocoder,
            options=SpeechOptions.from_mapping(values),
            lexicon=lexicon,
        )
        async for changes in self._perform(self._service.speak(request), request, visit, kept):
            yield changes

    async def revoice(self, visit: Visit, kept: Kept, **values: float | None) -> Changes:
        """Give the present take the options of the vocoder that the controls show."""
        yield {self._status: gr.skip()}  # a generator that yields nothing would put old values back
        old = _audible(visit)
        if old is None:
            return
        options = SpeechOptions.from_mapping({**asdict(old.request.options), **values})
        request = replace(old.request, options=options)
        if request == old.request:
            return
        if old.is_done:
            events = self._service.revoice(old.speech, request)
        else:  # its mel is not there yet: it begins anew
            events = self._service.speak(request)
        async for changes in self._perform(events, request, visit, kept):
            yield changes

    async def _perform(
        self,
        events: AsyncGenerator[Waiting | Part],
        request: SpeechRequest,
        visit: Visit,
        kept: Kept,
    ) -> Changes:
        """Fill a take from the service's events, and yield what changes on the page."""
        take = self._results.new(request)
        visit.begin(take)
        yield {self._status: says("Speaking …", share=0.0)}
        share, n_sentences = 0.0, 0
        try:
            async for event in events:
                if take.is_done:  # stopped, or another take has begun
                    break
                if isinstance(event, Waiting):
                    yield {self._status: waits(event, share)}
                    continue
                take.add(event)
                async for changes in self._show(take, visit):
                    yield changes
                n_sentences = n_sentences or await asyncio.to_thread(count_sentences, request.text)
                share = len(take.parts) / max(n_sentences, len(take.parts))
            was_stopped = take.is_done
            take.finish()
            if visit.takes == (take,):
                yield self._end(take, kept, was_stopped=was_stopped)
            else:
                yield {self._status: gr.skip()}  # Gradio sends what was yielded last once more
        except USER_ERRORS as error:
            yield {self._status: problem(error)}
        finally:
            take.finish()
            await events.aclose()

    async def _show(self, take: Result, visit: Visit) -> Changes:
        """Yield what changes on the page with a further sentence."""
        changes = {self._progress: progress(take), self._details: html.details(take)}
        if len(take.parts) > 1:
            yield changes
            return
        yield {**changes, self._player: player(take, "this result", attributes=LIVE)}
        # In another thread, and after the sound: a long text takes seconds.
        read = await asyncio.to_thread(reading, take.request.text, take.request.lexicon)
        if visit.takes == (take,):
            yield {self._reading: read}

    def _end(self, take: Result, kept: Kept, *, was_stopped: bool) -> dict[Any, Any]:
        """Return what changes on the page when a take has come to its end."""
        if not take.parts:
            return {self._status: says("Stopped before the first sentence.")}
        words = f"Stopped. The first {take.seconds:.1f} s are kept." if was_stopped else ""
        kept = add_entry(kept, take)
        return {
            self._status: says(words),
            self._progress: progress(take),
            self._kept: kept,
            self._history: self.remember(kept),
        }

    async def stop(self, visit: Visit) -> None:
        """Stop the present take; what is there of it is kept."""
        visit.stop()

    def remind(self, visit: Visit) -> Any:
        """Say that a control which needs another mel waits for the button."""
        if _audible(visit) is None:
            return gr.skip()
        return says("Press Speak to hear the text with it.")

    def welcome(self, kept: object, request: gr.Request) -> dict[Any, Any]:
        """Show text and settings as the address of the page says, and the visitor's lexicon."""
        store = self._service.store
        query = dict(request.query_params)
        asked = read_permalink(query, store)
        shown = self._lexicon.show(merge(kept, asked.lexicon), "")
        own = {
            component: shown[component] for component in (self._lexicon.kept, self._lexicon.lines)
        }
        if "text" not in query:  # a visitor may already be typing
            return {**own, **self._controls.refresh()}
        return {**own, self._text: asked.text, **self._controls.show(asked)}

    def remember(self, kept: object) -> str:
        """Return the history that the browser has kept."""
        return html.history(read_entries(kept, self._service.store), self._results)

    def use_again(self, event: gr.EventData, visit: Visit, kept: Kept) -> dict[Any, Any]:
        """Bring text, settings and, where it is still kept, the sound of an entry back."""
        entries = read_entries(kept, self._service.store)
        number = int(event._data["entry"])
        if not 0 <= number < len(entries):  # another window of this browser has changed it
            return {self._status: says("This entry is no longer in the history; reload the page.")}
        entry = entries[number]
        changes: dict[Any, Any] = {
            self._text: entry.request.text,
            **self._controls.show(entry.request),
        }
        take = self._results.get(entry.result_id)
        if take is None or not take.parts:
            return {**changes, self._status: says("Press Speak to make its sound anew.")}
        visit.begin(take)
        return {
            **changes,
            self._status: says(),
            self._player: player(take, "this result", attributes=FINISHED),
            self._progress: progress(take),
            self._details: html.details(take),
            self._reading: reading(entry.request.text, entry.request.lexicon),
        }


def _audible(visit: Visit) -> Result | None:
    """Return the present take where there is something of it to hear."""
    return next((take for take in visit.takes if take.parts), None)
