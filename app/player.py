"""The page's player: what Python says to `player.js`."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from app.results import Result

SILENCE = "() => SpeechPlayer.silence()"  # the script of buttons that end all sound
N_RECENT_WORDS = 400  # of a result that is being made; players keep those that came before
_ON_CHANGE = "watch('value', () => props.value && SpeechPlayer.report(props.value));"


def player(result: Result, label: str, *, attributes: str = "") -> str:
    """Return the HTML of a result's player.

    Args:
        result: What it plays; it may have no sentence yet.
        label: What screen readers call it.
        attributes: Of the element, as `player.js` explains them.
    """
    return (
        f'<speech-player result="{result.id}" seconds="{result.seconds:.3f}" '
        f'label="{escape(label)}" {attributes}></speech-player>'
    )


def progress_channel() -> gr.HTML:
    """Return the invisible component that hands progress to players without drawing them anew."""
    return gr.HTML(None, html_template="", js_on_load=_ON_CHANGE, elem_classes="unseen")


def progress(result: Result) -> dict[str, Any]:
    """Return what a player needs to know of a result that is being made."""
    first = 0 if result.is_done else max(len(result.word_times) - N_RECENT_WORDS, 0)
    return {
        "result": result.id,
        "seconds": round(result.seconds, 3),
        "first": first,  # number of the first of these words
        "words": [(round(start, 3), round(end, 3)) for start, end in result.word_times[first:]],
        "done": result.is_done,
    }
