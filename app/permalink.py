"""A text and its settings as a link, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping

from app.speech_service import MAX_CHARACTERS, SpeechRequest
from app.voice_store import VoiceStore
from pipeline.synthesizer import SETTING_RANGES

COPY_LINK = """
async (text, voice, vocoder, sigma, denoise, rate, seed) => {
  const link = new URL(location.href);
  link.search = new URLSearchParams({text, voice, vocoder, sigma, denoise, rate, seed});
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


def read_permalink(query: Mapping[str, str], store: VoiceStore) -> SpeechRequest:
    """Return what the query of a link asks for.

    Names that are not in the store and numbers out of their range give way to the voice's own:
    the page shows every value, so nothing is hidden by that.
    """
    voices = store.voices()
    voice = query.get("voice", "")
    voice = voice if voice in voices else store.default
    vocoder = query.get("vocoder", "")
    own = voices[voice]

    def number(name: str, otherwise: float) -> float:
        try:
            value = float(query[name])
        except (KeyError, ValueError):
            return otherwise
        low, high = SETTING_RANGES[name]
        return value if math.isfinite(value) and low <= value <= high else otherwise

    return SpeechRequest(
        text=query.get("text", "")[:MAX_CHARACTERS],
        voice=voice,
        vocoder=vocoder if vocoder in store.vocoders() else "",
        sigma=number("sigma", own.sigma),
        denoise=number("denoise", own.denoise),
        rate=number("rate", 1.0),
        seed=int(number("seed", 0)),
    )
