"""A text and its settings as a link, and back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping

from app.speech_service import MAX_CHARACTERS, SpeechRequest
from app.voice_store import VoiceStore
from pipeline.errors import OptionError
from pipeline.options import OPTIONS, SpeechOptions, parse_option

_COPY_LINK = """
async (...values) => {
  const link = new URL(location.href);
  link.search = new URLSearchParams(KEYS.map((key, index) => [key, values[index]]));
  history.replaceState(null, "", link);
  const status = (words) => ({words, is_problem: false});
  try {
    const late = new Promise((_, reject) => setTimeout(reject, 1000)); // a browser may ask first
    await Promise.race([navigator.clipboard.writeText(link.toString()), late]);
    return status("The link to this text and these settings is copied.");
  } catch {
    return status("The link to this text and these settings is in the address bar.");
  }
}
"""


def copy_link(keys: Iterable[str]) -> str:
    """Return the script that makes the page's values a link, copies and shows it.

    Args:
        keys: Of the query, in the order in which Gradio hands over the values.
    """
    return _COPY_LINK.replace("KEYS", json.dumps(list(keys)))


def read_permalink(query: Mapping[str, str], store: VoiceStore) -> SpeechRequest:
    """Return what the query of a link asks for.

    Names that are not in the store and numbers out of their range give way to the voice's own:
    the page shows every value, so nothing is hidden by that.
    """
    voices = store.voices()
    voice = query.get("voice", "")
    voice = voice if voice in voices else store.default
    vocoder = query.get("vocoder", "")
    return SpeechRequest(
        text=query.get("text", "")[:MAX_CHARACTERS],
        voice=voice,
        vocoder=vocoder if vocoder in store.vocoders() else "",
        options=_read_options(query).or_else(voices[voice].options),
    )


def _read_options(query: Mapping[str, str]) -> SpeechOptions:
    values = {}
    for name in OPTIONS.keys() & query.keys():
        with contextlib.suppress(OptionError):
            values[name] = parse_option(name, query[name])
    return SpeechOptions.from_mapping(values)
