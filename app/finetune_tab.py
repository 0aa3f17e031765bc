"""The third tab: fine-tune a voice on recordings, and follow its training."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from app import training_html
from app.finetune_jobs import FinetuneJob, FinetuneJobs
from app.recording_panel import RecordingPanel
from app.recordings import TEXT_SUFFIXES, check_name, check_recordings
from app.speech_service import USER_ERRORS
from app.status import problem, says, status_line
from app.training_files import read_vetting, vet
from app.voice_store import VoiceStore
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.data.preparation import Vetted

REFRESH_SECONDS = 2.0


class FinetuneTab:
    """Builds the tab inside an open page. The training is the server's, not the visitor's."""

    def __init__(
        self,
        page: gr.Blocks,
        store: VoiceStore,
        finetune_jobs: FinetuneJobs,
        voice_lists: Sequence[gr.Dropdown],
    ) -> None:
        """Build the tab.

        Args:
            page: The page it is part of.
            store: Where the voice to begin with comes from, and the new one is seen.
            finetune_jobs: What trains.
            voice_lists: Lists of voices on other tabs; a new voice is added there.
        """
        self._store = store
        self._jobs = finetune_jobs
        self._shown_step = gr.State(-1)  # of the sample; a player is not drawn anew while it plays
        with gr.Row(elem_classes="columns"):
            with gr.Column(scale=3, min_width=300):
                self._build_form(page)
            with gr.Column(scale=5, min_width=320):
                self._progress = gr.HTML(training_html.GUIDE, elem_id="progress")
                self._sample = gr.HTML(elem_id="sample")
                self._vetting = gr.HTML(elem_id="vetting")
        self._voice_lists = [*voice_lists, self._base]
        self._timer = gr.Timer(REFRESH_SECONDS, active=False)
        self._connect(page)

    def _build_form(self, page: gr.Blocks) -> None:
        self._name = gr.Textbox(label="Name of the new voice", value="my-voice", max_length=40)
        with gr.Tab("Files"):
            self._recordings = gr.File(
                label="Recordings of one speaker, and their texts",
                file_count="multiple",
                file_types=["audio", *TEXT_SUFFIXES],
                height=180,
            )
        with gr.Tab("Microphone"):
            RecordingPanel(page, self._jobs.takes, self._name)
        self._speaker = gr.Textbox(label="Speaker", placeholder="Who is heard", max_length=80)
        self._consent = gr.Textbox(
            label="Consent",
            placeholder="What the speaker has agreed to, and when",
            info="The card of the voice says both.",
            max_length=400,
        )
        self._base = gr.Dropdown(
            list(self._store.voices()), value=self._store.default, label="Start from"
        )
        self._minutes = gr.Slider(2, 240, value=20, step=1, label="Minutes, with scoring")
        self._steps = gr.Number(10_000, label="Steps at most", precision=0, minimum=1)
        with gr.Row(elem_classes="actions"):
            self._go = gr.Button("Train", variant="primary", elem_classes="go", min_width=120)
            self._stop = gr.Button("Stop and keep", min_width=160)
        with gr.Group(visible=False) as self._interrupted:
            self._names = gr.Dropdown(
                [],
                label="Interrupted trainings",
                info="They go on from where they were saved last.",
            )
            with gr.Row(elem_classes="actions"):
                self._resume = gr.Button("Resume", min_width=120)
                self._discard = gr.Button("Discard", min_width=120)
        self._status = status_line()

    def _connect(self, page: gr.Blocks) -> None:
        view = [self._progress, self._sample, self._shown_step, self._timer]
        view += [self._interrupted, self._names, *self._voice_lists]
        private: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        looking: dict[str, Any] = {
            **{"fn": self.look, "inputs": self._shown_step, "outputs": view, **private}
        }
        self._recordings.change(
            self.vet, [self._recordings, self._base], [self._status, self._vetting], **private
        )
        order: set[Any] = {self._recordings, self._name, self._speaker, self._consent}
        order |= {self._base, self._minutes, self._steps}
        begun = [self._status, self._timer]
        self._go.click(self.start, order, begun, **private).then(**looking)
        resumed = [self._names, self._minutes]
        self._resume.click(self.resume, resumed, begun, **private).then(**looking)
        self._discard.click(self.discard, self._names, self._status, **private).then(**looking)
        self._stop.click(self.stop, None, self._status, **private)
        self._timer.tick(**looking)
        page.load(**looking)
        page.load(self.show_vetting, None, self._vetting, **private)

    async def vet(self, files: list[str] | None, base: str) -> AsyncGenerator[dict[gr.HTML, Any]]:
        """Vet the recordings and show the result, before a training begins."""
        given = [Path(file) for file in files or []]
        paths = [path for path in given if path.suffix.lower() not in TEXT_SUFFIXES]
        yield {self._status: says(), self._vetting: ""}  # the table of other recordings
        if not paths:
            return
        try:
            check_recordings(paths)
            audio = self._store.voices()[base].audio
            vetted: list[Vetted] = []
            seen: dict[str, str] = {}
            for number, path in enumerate(paths, start=1):
                share = (number - 1) / len(paths)
                yield {self._status: says(f"Vetting {number} of {len(paths)} …", share=share)}
                vetted += await asyncio.to_thread(vet, path, audio, seen)
            yield {self._status: says(), self._vetting: training_html.vetting(vetted)}
        except USER_ERRORS as error:
            yield {self._status: problem(error)}

    def start(self, form: dict[Any, Any]) -> list[Any]:
        """Start the training, on files and on what was read into the microphone for the name.

        Args:
            form: What stands in each component.
        """
        name, speaker, consent = (
            form[component].strip() for component in (self._name, self._speaker, self._consent)
        )
        try:
            check_name(name)
            takes = self._jobs.takes.files(name)
            if takes and not (speaker and consent):
                raise PipelineError(
                    "Write down who speaks and what they have agreed to; the card of the voice "
                    "says both"
                )
            self._jobs.start(
                FinetuneJob(
                    name=name,
                    base_dir=self._store.folder(form[self._base]),
                    recordings=[*(Path(file) for file in form[self._recordings] or []), *takes],
                    max_minutes=form[self._minutes],
                    max_steps=int(form[self._steps] or 1),
                    speaker=speaker,
                    consent=consent,
                )
            )
        except USER_ERRORS as error:
            return [problem(error), gr.skip()]
        return [says(), gr.Timer(active=True)]

    def resume(self, name: str | None, minutes: float) -> list[Any]:
        """Go on with an interrupted training."""
        try:
            self._jobs.resume(name or "", max_minutes=minutes)
        except USER_ERRORS as error:
            return [problem(error), gr.skip()]
        return [says(), gr.Timer(active=True)]

    def discard(self, name: str | None) -> dict[str, Any]:
        """Delete an interrupted training."""
        self._jobs.discard(name or "")
        return says(f"Nothing of {name} is left." if name else "")

    def stop(self) -> dict[str, Any]:
        """Stop the training; its best state so far becomes the voice."""
        if not self._jobs.is_running:
            return says("Nothing is being trained.")
        self._jobs.stop()
        return says()

    def look(self, shown_step: int) -> list[Any]:
        """Return the state of the training; all visitors see the same, also after a reload."""
        state = self._jobs.state()
        if state is None or not state.is_running:
            voices = [gr.Dropdown(list(self._store.voices())) for _ in self._voice_lists]
        else:
            voices = [gr.skip() for _ in self._voice_lists]
        interrupted = self._show_interrupted()
        if state is None:
            nothing = [gr.skip(), gr.skip(), gr.skip(), gr.Timer(active=False)]
            return [*nothing, *interrupted, *voices]
        training = self._jobs.training()
        sample, step = gr.skip(), shown_step
        if training.sample and training.sample_step != shown_step:
            step = training.sample_step
            sample = training_html.sample(step)
        progress = training_html.progress(state, training)
        timer = gr.Timer(active=state.is_running)
        return [progress, sample, step, timer, *interrupted, *voices]

    def _show_interrupted(self) -> list[Any]:
        """Return what shows the trainings that can go on; none while another one runs."""
        names = [] if self._jobs.is_running else self._jobs.interrupted()
        chosen = names[0] if names else None
        return [gr.Group(visible=bool(names)), gr.Dropdown(names, value=chosen)]

    def show_vetting(self) -> Any:
        """Return the vetting of the present or last training."""
        state = self._jobs.state()
        vetted = read_vetting(state.folder) if state else []
        return training_html.vetting(vetted) if vetted else gr.skip()
