"""What a visitor spoke, as the browser keeps it: it survives a reload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import gradio as gr

from app.permalink import read_permalink, write_permalink
from app.results import Result
from app.speech_service import SpeechRequest
from app.voice_store import VoiceStore

MAX_ENTRIES = 12
MAX_CHARACTERS = 20_000  # of a text; a browser keeps a few megabytes of a page

Kept = list[dict[str, str]]  # what the browser holds: queries of links, each with a result's id


class Entry(NamedTuple):
    """One speech of the past; the server keeps its audio for a while, the browser the request."""

    result_id: str
    request: SpeechRequest


def history_state() -> gr.BrowserState:
    """Return the component that holds what the browser keeps."""
    # Gradio encrypts with a key of its own for every start of the server unless it is given one;
    # what is kept is the visitor's own text, in the visitor's own browser.
    return gr.BrowserState([], storage_key="tacoglow-history", secret="tacoglow")


def add_entry(kept: object, result: Result) -> Kept:
    """Return what the browser shall keep when another speech is done, the newest first."""
    others = [one for one in _readable(kept) if one["result"] != result.id]
    if len(result.request.text) > MAX_CHARACTERS:
        return others
    return [{"result": result.id, **write_permalink(result.request)}, *others][:MAX_ENTRIES]


def read_entries(kept: object, store: VoiceStore) -> list[Entry]:
    """Return what a browser has kept, whatever it is; what cannot be read is left out."""
    return [Entry(one["result"], read_permalink(one, store)) for one in _readable(kept)]


def _readable(kept: object) -> Kept:
    entries = kept if isinstance(kept, list) else []
    return [entry for entry in entries if _is_entry(entry)][:MAX_ENTRIES]


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, Mapping)
        and entry.keys() >= {"result", "text"}
        and all(isinstance(value, str) for value in entry.values())
    )
