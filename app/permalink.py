"""A text and its settings as a link, and back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from app.speech_service import MAX_CHARACTERS, SpeechRequest
from app.voice_store import VoiceStore
from pipeline.errors import OptionError
from pipeline.options import OPTIONS, SpeechOptions, parse_option
from text import TextError
from text.lexicon import parse_lexicon

_COPY_LINK = """
async (...values) => {
  const link = new URL(location.href);
  link.search = new URLSearchParams(KEYS.map((key, index) => [key, values[index]]));
  history.replaceState(null, "", link);
  const status = (words) => ({words, is_problem: false, share: null});
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


def write_permalink(request: SpeechRequest) -> dict[str, str]:
    """Return the query of the link to a request, which `read_permalink` reads."""
    options = asdict(request.options).items()
    return {
        **{"text": request.text, "voice": request.voice, "vocoder": request.vocoder},
        **{name: str(value) for name, value in options if value is not None},
        "lexicon": request.lexicon,
    }


def read_permalink(query: Mapping[str, str], store: VoiceStore) -> SpeechRequest:
    """Return what the query of a link asks for.

    Names that are not in the store and numbers out of their range give way to the voice's own,
    and a lexicon that is wrong to none: the page shows every value, so nothing is hidden by that.
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
        lexicon=_read_lexicon(query.get("lexicon", "")),
    )


def _read_lexicon(written: str) -> str:
    try:
        parse_lexicon(written)
    except TextError:
        return ""
    return written


def _read_options(query: Mapping[str, str]) -> SpeechOptions:
    values = {}
    for name in OPTIONS.keys() & query.keys():
        with contextlib.suppress(OptionError):
            values[name] = parse_option(name, query[name])
    return SpeechOptions.from_mapping(values)
