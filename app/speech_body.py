"""What programs ask of the speech API: OpenAI's fields, Kokoro-FastAPI's, and our own.

Sources: OpenAI's API reference, "Create speech"; Kokoro-FastAPI, `/dev/captioned_speech`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from app.speech_service import SpeechRequest
from app.voice_store import VoiceStore
from pipeline.options import OPTIONS, SpeechOptions
from text.rules import words

MODEL = "tacoglow"
OPENAI_VOICES = words("alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse")
IGNORED = (
    *("instructions", "lang_code", "volume_multiplier"),
    *("normalization_options", "download_format", "return_download_link"),
)


@dataclass(config=ConfigDict(extra="forbid"), frozen=True, kw_only=True)
class VoiceId:
    """A voice as OpenAI's custom voices are named."""

    id: str


@dataclass(config=ConfigDict(extra="forbid"), frozen=True, kw_only=True)
class SpeechBody(SpeechOptions):
    """The body of POST /v1/audio/speech: what OpenAI has, and the options of speech."""

    model: str = MODEL
    input: str
    voice: str | VoiceId = ""  # "" is the default voice
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    rate: Annotated[
        float, Field(alias="speed", ge=OPTIONS["rate"].low, le=OPTIONS["rate"].high)
    ] = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    vocoder: str = ""
    lexicon: str = ""  # lines of a word and its phones, as in a lexicon file
    timestamps: bool = False  # say when each word is heard
    instructions: Any = None

    def request(self, store: VoiceStore, *, exact_voices: bool) -> SpeechRequest:
        """Return what is asked of the speech service.

        Args:
            store: Its default voice stands in for OpenAI's voices.
            exact_voices: Let OpenAI's voices be names that are not known.
        """
        voice = self.voice if isinstance(self.voice, str) else self.voice.id
        if not exact_voices and voice in OPENAI_VOICES and voice not in store.voices():
            voice = ""
        return SpeechRequest(
            text=self.input,
            voice=voice or store.default,
            vocoder=self.vocoder,
            lexicon=self.lexicon,
            options=SpeechOptions.from_mapping({name: getattr(self, name) for name in OPTIONS}),
        )

    def headers(self, request: SpeechRequest) -> dict[str, str]:
        """Return headers that say what served, and what in the body has no effect."""
        asked = self.voice if isinstance(self.voice, str) else self.voice.id
        notices = [
            *([] if self.model == MODEL else [f"model {self.model!a} is served by {MODEL}"]),
            *([] if asked in ("", request.voice) else [f"voice {asked!a} is {request.voice!a}"]),
            *(f"{name} has no effect" for name in IGNORED if getattr(self, name, None) is not None),
        ]
        headers = {"tacoglow-model": MODEL, "tacoglow-voice": ascii(request.voice)[1:-1]}
        return headers | ({"tacoglow-notice": "; ".join(notices)[:1_000]} if notices else {})


@dataclass(config=ConfigDict(extra="forbid"), frozen=True, kw_only=True)
class CaptionedBody(SpeechBody):
    """The body of POST /dev/captioned_speech."""

    stream: bool = True
    return_timestamps: bool = True
    lang_code: Any = None
    volume_multiplier: Any = None
    normalization_options: Any = None
    download_format: Any = None
    return_download_link: Any = None
