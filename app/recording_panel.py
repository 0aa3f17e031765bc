"""Recording mode of the tab that fine-tunes: prompts read aloud, each take judged at once."""

from __future__ import annotations

import asyncio
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from app.recordings import check_name
from app.speech_service import USER_ERRORS
from app.status import problem, says, status_line
from app.takes import Kept, Takes

if TYPE_CHECKING:
    from pipeline.data.takes import TakeVerdict

GUIDE = (
    "Sit in a quiet room, a hand's breadth from the microphone. Press Record, wait for half a "
    "second, read the sentence as you would tell it to somebody, and stop. Browsers give the "
    "microphone to pages of their own machine and to those over https alone."
)


class RecordingPanel:
    """Builds the panel inside an open tab. Takes are the server's: a reload loses none."""

    def __init__(self, page: gr.Blocks, takes: Takes, name: gr.Textbox) -> None:
        """Build the panel.

        Args:
            page: The page it is part of.
            takes: Where recordings are kept.
            name: Of the voice that is recorded for.
        """
        self._takes = takes
        self._name = name
        self._prompt = gr.State(0)  # its number
        gr.Markdown(GUIDE)
        self._text = gr.HTML(elem_id="prompt")
        self._microphone = gr.Audio(
            sources=["microphone"],
            type="filepath",
            format="wav",
            editable=False,
            buttons=[],
            label="Your microphone",
            elem_id="microphone",
        )
        self._status = status_line()
        with gr.Row(elem_classes="actions"):
            self._keep = gr.Button(
                "Keep and next", variant="primary", interactive=False, min_width=140
            )
            self._redo = gr.Button("Redo", interactive=False, min_width=80)
            self._skip = gr.Button("Skip", min_width=80)
            self._back = gr.Button("Take back the last", min_width=150)
        self._connect(page)

    def _connect(self, page: gr.Blocks) -> None:
        private: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        place = [self._name, self._prompt]
        shown = [self._prompt, self._text, self._microphone, self._keep, self._redo]
        page.load(self.show, place, shown, **private)
        self._name.change(self.show, place, shown, **private)
        self._microphone.change(
            self.judge,
            [self._microphone, self._prompt],
            [self._status, self._keep, self._redo],
            **private,
        )
        kept = [self._status, *shown]
        self._keep.click(self.keep, [self._microphone, *place], kept, **private)
        self._redo.click(lambda: [None, says()], None, [self._microphone, self._status], **private)
        self._skip.click(self.skip, place, shown, **private)
        self._back.click(self.take_back, place, kept, **private)

    async def judge(self, recording: str | None, prompt: int) -> list[Any]:
        """Say what is wrong with a take as soon as it is read, and whether it can be kept."""
        if recording is None:
            return [gr.skip(), _button(False), _button(False)]
        try:
            verdict = await asyncio.to_thread(_judge, Path(recording), prompt)
        except USER_ERRORS as error:
            return [problem(error), _button(False), _button(True)]
        words = says(verdict.advice) | {"is_problem": not verdict.is_good}
        return [words, _button(verdict.is_good), _button(True)]

    async def keep(self, recording: str | None, name: str, prompt: int) -> list[Any]:
        """Keep a take and go on to the next prompt."""
        if recording is None:
            return [says("Read the sentence first."), *await self.show(name, prompt)]
        try:
            check_name(name.strip())
            text = (await _prompts())[prompt]
            self._takes.keep(name.strip(), prompt, text, Path(recording))
        except USER_ERRORS as error:
            return [problem(error), *[gr.skip()] * 5]
        return [says("Kept."), *await self.show(name, prompt)]

    async def take_back(self, name: str, prompt: int) -> list[Any]:
        """Delete the take kept last and show its prompt again."""
        last = self._takes.take_back(name.strip()) if _is_name(name) else None
        if last is None:
            return [says("There is no take of that name."), *await self.show(name, prompt)]
        return [says("Its take is deleted; read it again."), *await self.show(name, last)]

    async def skip(self, name: str, prompt: int) -> list[Any]:
        """Go on to another prompt."""
        return await self.show(name, prompt + 1)

    async def show(self, name: str, prompt: int) -> list[Any]:
        """Return the first prompt from a number on that is not recorded yet, ready to be read."""
        prompts = await _prompts()
        kept = self._takes.kept(name.strip()) if _is_name(name) else Kept(frozenset(), 0.0)
        order = [(prompt + step) % len(prompts) for step in range(len(prompts))]
        number = next((number for number in order if number not in kept.prompts), None)
        text = "Every sentence is recorded." if number is None else prompts[number]
        html = _prompt_html(text, kept, len(prompts))
        return [number or 0, html, None, _button(False), _button(False)]


def _prompt_html(text: str, kept: Kept, n_prompts: int) -> str:
    from pipeline.data.outlook import GOOD_MINUTES
    from pipeline.data.preparation import MIN_SPEECH_SECONDS

    minutes = kept.seconds / 60.0
    enough = MIN_SPEECH_SECONDS / 60.0
    return (
        f'<p class="prompt">{escape(text)}</p>'
        f'<p class="facts">{len(kept.prompts)} of {n_prompts} sentences are recorded, '
        f"{minutes:.1f} minutes; {enough:.0f} is needed, {GOOD_MINUTES:.0f} are good.</p>"
        f'<progress max="{GOOD_MINUTES:g}" value="{minutes:.3f}" '
        'aria-label="Minutes recorded"></progress>'
    )


def _button(interactive: bool) -> gr.Button:
    return gr.Button(interactive=interactive)


def _is_name(name: str) -> bool:
    try:
        check_name(name.strip())
    except USER_ERRORS:
        return False
    return True


async def _prompts() -> tuple[str, ...]:
    from pipeline.data.recording_prompts import recording_prompts  # some seconds, the first time

    return await asyncio.to_thread(recording_prompts)


def _judge(recording: Path, prompt: int) -> TakeVerdict:
    from pipeline.audio import read_mono
    from pipeline.data.recording_prompts import recording_prompts
    from pipeline.data.takes import judge_take

    samples, rate = read_mono(recording)
    return judge_take(samples, rate, recording_prompts()[prompt])
