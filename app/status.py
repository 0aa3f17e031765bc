"""The line that says what goes on, with the bar of a take; screen readers hear the line change."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.speech_service import Waiting

_LINE = """<p class="status" role="status"></p>
<progress max="1" aria-label="Share of the work that is done" hidden></progress>"""
# The element stays and its words change: only then does a screen reader speak them, and each once.
_SHOW = """
watch('value', () => {
  const {words, is_problem, share} = props.value;
  const [line, bar] = [element.querySelector('p'), element.querySelector('progress')];
  if (line.textContent !== words) line.textContent = words;
  line.classList.toggle('problem', is_problem);
  bar.hidden = share === null;
  bar.value = share ?? 0;
});
"""


def status_line() -> gr.HTML:
    """Return the component; its values come from the functions below."""
    return gr.HTML(says(), html_template=_LINE, js_on_load=_SHOW)


def says(words: str = "", *, share: float | None = None) -> dict[str, Any]:
    """Return the value that shows a plain line, or none.

    Args:
        words: What goes on.
        share: How much of it is done, 0 to 1; None hides the bar.
    """
    return {"words": words, "is_problem": False, "share": share}


def problem(error: Exception) -> dict[str, Any]:
    """Return the value that shows what went wrong."""
    return {"words": str(error), "is_problem": True, "share": None}


def waits(event: Waiting, share: float = 0.0) -> dict[str, Any]:
    """Return the value that says why there is nothing to hear yet."""
    if event.ahead:
        others = "1 request is" if event.ahead == 1 else f"{event.ahead} requests are"
        return says(f"{others} before you …", share=share)
    if event.loading:
        return says(f"Loading the voice {event.loading}: a few seconds, the first time …")
    return says("Speaking …", share=share)
