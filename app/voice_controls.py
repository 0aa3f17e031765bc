"""The controls of the first tab: which voice speaks, and how."""

from __future__ import annotations

import random
from dataclasses import asdict
from typing import Any

import gradio as gr

from app.speech_service import SpeechRequest
from app.voice_store import VoiceStore
from pipeline.options import OPTIONS, Option, SpeechOptions


class VoiceControls:
    """Builds the controls inside an open page."""

    def __init__(self, store: VoiceStore) -> None:
        self._store = store
        values = asdict(SpeechOptions().or_else(store.voices()[store.default].options))
        with gr.Group():
            self.voice = gr.Dropdown(list(store.voices()), value=store.default, label="Voice")
            sliders = {
                name: _slider(option, values[name])
                for name, option in OPTIONS.items()
                if name != "seed"
            }
        with gr.Accordion("Voice settings", open=False):
            self.vocoder = gr.Dropdown(
                self._vocoders(),
                value="",
                label="Vocoder",
                info="Makes the sound; another voice's can be borrowed.",
            )
            with gr.Row(elem_classes="seed"):
                seed = _number(OPTIONS["seed"], values["seed"])
                self.dice = gr.Button("⚄ New seed", min_width=100)
        self.options: dict[str, Any] = {**sliders, "seed": seed}
        own = [self.options["sigma"], self.options["denoise"]]
        self.voice.input(
            self._suit, self.voice, own, show_progress="hidden", api_visibility="private"
        )

    @property
    def of_vocoder(self) -> dict[str, Any]:
        """The options that can change without a new mel."""
        return {name: one for name, one in self.options.items() if OPTIONS[name].is_of_vocoder}

    @property
    def components(self) -> dict[str, Any]:
        """All controls, by their names in a link."""
        return {"voice": self.voice, "vocoder": self.vocoder, **self.options}

    def show(self, request: SpeechRequest) -> dict[Any, Any]:
        """Return what makes the controls show a request, with the voices that there are now."""
        options = asdict(request.options)
        return {
            **self.refresh(voice=request.voice, vocoder=request.vocoder),
            **{control: options[name] for name, control in self.options.items()},
        }

    def refresh(self, **chosen: str) -> dict[Any, Any]:
        """Return what makes the lists offer the voices that there are now.

        Args:
            chosen: What to choose in the lists, by name; the others stay as they are.
        """
        choices = {"voice": list(self._store.voices()), "vocoder": self._vocoders()}
        return {
            self.components[name]: gr.update(choices=of_name)
            | ({"value": chosen[name]} if name in chosen else {})
            for name, of_name in choices.items()
        }

    def new_seed(self) -> int:
        """Return a seed to try."""
        return random.randrange(1_000_000)

    def _suit(self, voice: str) -> list[float]:
        """Return the sigma and the denoising strength that suit a voice best."""
        facts = self._store.voices()[voice]
        return [facts.sigma, facts.denoise]

    def _vocoders(self) -> list[tuple[str, str]]:
        return [("The voice's own", ""), *((name, name) for name in self._store.vocoders())]


def settled(control: gr.Slider | gr.Number) -> tuple[Any, ...]:
    """Return the events that say that somebody has set a control."""
    return (control.release,) if isinstance(control, gr.Slider) else (control.submit, control.blur)


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
        info=option.help,
        precision=0,
        minimum=option.low,
        maximum=option.high,
        min_width=100,
    )
