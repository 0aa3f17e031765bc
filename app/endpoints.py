"""Named endpoints for `gradio_client`: /speak, /voices and /normalize."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np
from gradio.events import api

from app.speech_service import USER_ERRORS, Part, SpeechRequest, SpeechService
from pipeline.audio import to_pcm
from pipeline.manifest import manifest
from pipeline.speech import join
from text import normalize

Audio = tuple[int, np.ndarray]  # Hz, int16 [S]


def endpoints(service: SpeechService) -> None:
    """Add the endpoints to an open page; they have no visible part."""

    async def speak(  # noqa: PLR0917 - Gradio hands over by position
        text: str,
        voice: str = "",
        vocoder: str = "",
        sigma: float | None = None,
        denoise: float | None = None,
        rate: float = 1.0,
        seed: float = 0,
    ) -> tuple[Audio, dict[str, Any]]:
        """Speak a text; return the audio as a wav file, and its manifest."""
        request = SpeechRequest(
            text=text,
            voice=voice,
            vocoder=vocoder,
            sigma=sigma,
            denoise=denoise,
            rate=rate,
            seed=int(seed),
        )
        try:
            parts = [event async for event in service.speak(request) if isinstance(event, Part)]
        except USER_ERRORS as error:
            raise gr.Error(str(error), print_exception=False) from error
        speech = join(part.speech for part in parts)
        facts = manifest(speech, parts[-1].tts, text=text)
        return (speech.sample_rate, to_pcm(speech.audio)), facts

    def voices() -> list[str]:
        """Return the names that `voice` may be."""
        return list(service.store.voices())

    with gr.Row(visible=False):
        inputs = [
            gr.Textbox(label="text"),
            gr.Textbox("", label="voice"),
            gr.Textbox("", label="vocoder"),
            gr.Number(None, label="sigma"),
            gr.Number(None, label="denoise"),
            gr.Number(1.0, label="rate"),
            gr.Number(0, label="seed", precision=0),
        ]
        outputs = [gr.Audio(label="audio", format="wav"), gr.JSON(label="manifest")]
        gr.Button().click(speak, inputs, outputs, api_name="speak")
    api(voices, api_name="voices")
    api(normalize, api_name="normalize")
