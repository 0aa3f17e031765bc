"""A text and its settings as a link, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping

from app.shelf import Shelf
from app.studio import MAX_CHARACTERS, Wish
from pipeline.synthesizer import SETTING_RANGES

COPY_LINK = """
async (text, voice, vocoder, sigma, denoise, rate, seed) => {
  const address = new URL(location.href);
  address.search = new URLSearchParams({text, voice, vocoder, sigma, denoise, rate, seed});
  history.replaceState(null, "", address);
  const said = (words) => ({words, is_problem: false});
  try {
    const late = new Promise((_, reject) => setTimeout(reject, 1000)); // a browser may ask first
    await Promise.race([navigator.clipboard.writeText(address.toString()), late]);
    return said("The link to this text and these settings is copied.");
  } catch {
    return said("The link to this text and these settings is in the address bar.");
  }
}
"""


def read_address(query: Mapping[str, str], shelf: Shelf) -> Wish:
    """Return what the query of a link asks for.

    Names that are not on the shelf and numbers out of their range give way to the voice's own:
    the page shows every value, so nothing is hidden by that.
    """
    voices = shelf.voices()
    voice = query.get("voice", "")
    voice = voice if voice in voices else shelf.default
    vocoder = query.get("vocoder", "")
    own = voices[voice]

    def number(name: str, otherwise: float) -> float:
        try:
            value = float(query[name])
        except (KeyError, ValueError):
            return otherwise
        low, high = SETTING_RANGES[name]
        return value if math.isfinite(value) and low <= value <= high else otherwise

    return Wish(
        text=query.get("text", "")[:MAX_CHARACTERS],
        voice=voice,
        vocoder=vocoder if vocoder in shelf.vocoders() else "",
        sigma=number("sigma", own.sigma),
        denoise=number("denoise", own.denoise),
        rate=number("rate", 1.0),
        seed=int(number("seed", 0)),
    )
