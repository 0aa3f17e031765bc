"""The line that says what goes on; screen readers hear it change."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.speech_service import Waiting

# The element stays and its words change: only then does a screen reader speak them.
_SHOW = """
watch('value', () => {
  const line = element.querySelector('p');
  line.textContent = props.value.words;
  line.classList.toggle('problem', props.value.is_problem);
});
"""


def status_line() -> gr.HTML:
    """Return the component; its values come from the functions below."""
    return gr.HTML(says(), html_template='<p class="status" role="status"></p>', js_on_load=_SHOW)


def says(words: str = "") -> dict[str, Any]:
    """Return the value that shows a plain line, or none."""
    return {"words": words, "is_problem": False}


def problem(error: Exception) -> dict[str, Any]:
    """Return the value that shows what went wrong."""
    return {"words": str(error), "is_problem": True}


def waits(event: Waiting) -> dict[str, Any]:
    """Return the value that says why there is nothing to hear yet."""
    if event.ahead:
        others = "1 request is" if event.ahead == 1 else f"{event.ahead} requests are"
        return says(f"{others} before you …")
    if event.loading:
        return says(f"Loading the voice {event.loading}: a few seconds, the first time …")
    return says("Speaking …")
