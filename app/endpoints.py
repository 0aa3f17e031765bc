"""Named endpoints for `gradio_client`: /speak, /voices and /normalize."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np
from gradio.events import api

from app.speech_service import USER_ERRORS, Part, SpeechRequest, SpeechService, check_text
from pipeline.audio import to_pcm
from pipeline.errors import PipelineError
from pipeline.manifest import manifest
from pipeline.options import DEFAULTS, OPTIONS, SpeechOptions
from pipeline.speech import join
from text import normalize

Audio = tuple[int, np.ndarray]  # Hz, int16 [S]


def endpoints(service: SpeechService) -> None:
    """Add the endpoints to an open page; they have no visible part."""

    async def speak(
        text: str, voice: str = "", vocoder: str = "", **values: float | None
    ) -> tuple[Audio, dict[str, Any]]:
        """Speak a text; return the audio as a wav file, and its manifest."""
        try:
            options = SpeechOptions.from_mapping(values)
            request = SpeechRequest(text=text, voice=voice, vocoder=vocoder, options=options)
            parts = [event async for event in service.speak(request) if isinstance(event, Part)]
        except USER_ERRORS as error:
            raise gr.Error(str(error), print_exception=False) from error
        speech = join(part.speech for part in parts)
        facts = manifest(speech, parts[-1].tts, text=text)
        return (speech.sample_rate, to_pcm(speech.audio)), facts

    def normalized(text: str) -> str:
        """Return the text as it is spoken."""
        try:
            check_text(text)
        except PipelineError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return normalize(text)

    def voices() -> list[str]:
        """Return the names that `voice` may be."""
        return list(service.store.voices())

    with gr.Row(visible=False):
        inputs = [
            gr.Textbox(label="text"),
            gr.Textbox("", label="voice"),
            gr.Textbox("", label="vocoder"),
        ]
        options: dict[str, Any] = {
            name: gr.Number(DEFAULTS[name], label=name, precision=0 if option.is_whole else None)
            for name, option in OPTIONS.items()
        }
        outputs = [gr.Audio(label="audio", format="wav"), gr.JSON(label="manifest")]
        _declare(speak)
        gr.Button().click(speak, inputs, outputs, inputs_kwargs=options, api_name="speak")
    api(voices, api_name="voices")
    api(normalized, api_name="normalize")


def _declare(function: Callable[..., Any]) -> None:
    """Name the options of speech in a function's signature, where Gradio reads what to offer."""
    own = inspect.signature(function)
    options = inspect.signature(SpeechOptions).parameters.values()
    named = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
    function.__signature__ = own.replace(parameters=[*named, *options])  # type: ignore[attr-defined]
