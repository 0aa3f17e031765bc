"""The page's player: what Python says to `player.js`."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from app.takes import Take

_TELL = "watch('value', () => props.value && SpeechPlayer.publish(props.value));"


def player(take: Take, label: str, *, attributes: str = "") -> str:
    """Return the HTML of a take's player.

    Args:
        take: What it plays; it may have no sentence yet.
        label: What screen readers call it.
        attributes: Of the element, as `player.js` explains them.
    """
    return (
        f'<speech-player take="{take.id}" seconds="{take.seconds:.3f}" '
        f'label="{escape(label)}" {attributes}></speech-player>'
    )


def news_channel() -> gr.HTML:
    """Return the invisible component that hands news to players without drawing them anew."""
    return gr.HTML(None, html_template="", js_on_load=_TELL, elem_classes="unseen")


def news(take: Take) -> dict[str, Any]:
    """Return what a player needs to know of a take that is being made."""
    return {"take": take.id, "seconds": round(take.seconds, 3), "done": take.is_done}
