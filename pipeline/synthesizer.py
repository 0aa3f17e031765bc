"""The whole program: text to symbols, symbols to mel, mel to audio, sentence by sentence."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.options import SpeechOptions
from pipeline.speech import AudioPiece, Sentence, Speech, join, read_sentence, with_pauses
from pipeline.torch_engine import TorchEngine
from text.document import Segment, open_document

if TYPE_CHECKING:
    from pipeline.devices import Precision
    from pipeline.engine import Engine
    from text.lexicon import Lexicon


class Synthesizer:
    """A loaded voice. It keeps no state between calls: any number of threads may share it."""

    def __init__(self, engine: Engine, lexicon: Lexicon | None = None) -> None:
        self.engine = engine
        self.voice = engine.voice
        self.lexicon = lexicon

    @classmethod
    def load(
        cls,
        voice: str | Path = "kathleen",
        *,
        vocoder: str | Path | None = None,
        device: str = "auto",
        precision: Precision = "32",
        lexicon: Lexicon | None = None,
    ) -> Synthesizer:
        """Load a voice.

        Args:
            voice: A name among the installed voices, or a folder.
            vocoder: Another vocoder than the voice's own: a file, folder or name.
            device: "auto" takes a GPU where there is one.
            precision: "16" runs the networks in half precision, on a GPU.
            lexicon: What goes before the dictionary, as `text.lexicon.load_lexicon` reads it.

        Raises:
            PipelineError: A file is missing, altered or does not fit, or there is no such device.
        """
        engine = TorchEngine.load(voice, vocoder=vocoder, device=device, precision=precision)
        return cls(engine, lexicon)

    def with_lexicon(self, lexicon: Lexicon) -> Synthesizer:
        """Return the same voice with other pronunciations before the dictionary's."""
        other = copy.copy(self)
        other.lexicon = lexicon
        return other

    def speak(self, text: str, options: SpeechOptions | None = None, **changes: Any) -> Speech:
        """Speak a text of any length: what `stream` yields, joined."""
        return join(self.stream(text, options, **changes))

    def stream(
        self, text: str, options: SpeechOptions | None = None, **changes: Any
    ) -> Iterator[Speech]:
        """Yield one Speech a sentence, each as soon as it is ready.

        Args:
            text: English, or SSML beginning with `<speak>`; numbers and the like are read out.
            options: How to speak it; what they leave open is the voice's own.
            changes: Single options by name, `sigma=0.6`.

        Raises:
            TextError: There is nothing in the text that can be spoken, or its markup is wrong.
            OptionError: An option is out of its range.
        """
        options = replace(options or SpeechOptions(), **changes).or_else(self.voice.options)
        document = open_document(text)
        paused = with_pauses(document.segments, options)
        for index, (segment, seconds) in enumerate(paused):
            sentence = self._read(segment, index, options, seconds)
            yield self._speech(options, self.engine.speak(sentence, options), document.notices)

    def speak_segment(self, segment: Segment, options: SpeechOptions, *, index: int) -> Speech:
        """Speak one segment of a document, and the pause after it, as `stream` would.

        Args:
            segment: What `read_document` returns, its pause as it is to be heard.
            options: How to speak it; what they leave open is the voice's own.
            index: Its place among the segments, which is part of what seeds its noise.
        """
        options = options.or_else(self.voice.options)
        sentence = self._read(segment, index, options, segment.pause_seconds / options.rate)
        return self._speech(options, self.engine.speak(sentence, options), ())

    def speak_together(
        self, texts: Sequence[str], options: Sequence[SpeechOptions]
    ) -> list[Speech]:
        """Speak several texts; on a CPU their sentences are decoded side by side.

        Each says what `speak` says, up to rounding, and to a sample the same whatever the other
        texts are. Arguments and errors are those of `stream`.
        """
        plans: list[tuple[Sentence, SpeechOptions]] = []
        places = []  # of each sentence: the number of its text, and what is to be known of that
        for number, (text, wanted) in enumerate(zip(texts, options, strict=True)):
            whole = wanted.or_else(self.voice.options)
            document = open_document(text)
            paused = with_pauses(document.segments, whole)
            for index, (segment, seconds) in enumerate(paused):
                plans.append((self._read(segment, index, whole, seconds), whole))
                places.append((number, document.notices))
        spoken: list[list[Speech]] = [[] for _ in texts]
        sentences = self.engine.speak_together(plans)
        for sentence, (_, whole), (number, notices) in zip(sentences, plans, places, strict=True):
            spoken[number].append(self._speech(whole, sentence, notices))
        return [join(parts) for parts in spoken]

    def stream_audio(
        self, text: str, options: SpeechOptions | None = None, **changes: Any
    ) -> Iterator[np.ndarray]:
        """Yield the audio of `speak` in pieces, float32 [S], before its sentences end.

        Joined they are the same samples, up to rounding. The first piece is there when the decoder
        has spoken as far as a window reaches, about two seconds; arguments and errors are those of
        `stream`.
        """
        for piece in self.stream_pieces(text, options, **changes):
            if len(piece.audio):
                yield piece.audio

    def stream_pieces(
        self, text: str, options: SpeechOptions | None = None, **changes: Any
    ) -> Iterator[AudioPiece]:
        """Yield what `stream_audio` does, and with the last piece of each sentence its Speech."""
        options = replace(options or SpeechOptions(), **changes).or_else(self.voice.options)
        document = open_document(text)
        audio_config = self.voice.audio
        paused = with_pauses(document.segments, options)
        for index, (segment, seconds) in enumerate(paused):
            sentence = self._read(segment, index, options, seconds)
            for made in self.engine.stream(sentence, options):
                if not isinstance(made, Sentence):
                    yield AudioPiece(made, audio_config.sample_rate)
                    continue
                pause = np.zeros(made.pause_frames * audio_config.hop_length, dtype=np.float32)
                speech = self._speech(options, made, document.notices)
                yield AudioPiece(pause, audio_config.sample_rate, speech)

    def revoice(
        self, speech: Speech, options: SpeechOptions | None = None, **changes: Any
    ) -> Speech:
        """Return the same mels through the vocoder again.

        Args:
            speech: What this voice spoke.
            options: Options of the vocoder may differ from those of the speech; what is left open
                stays as it was.
            changes: Single options by name.

        Raises:
            OptionError: An option is out of its range, or asks for another mel.
        """
        options = replace(options or speech.options, **changes).or_else(speech.options)
        options.require_same_mel(speech.options)
        sentences = [self.engine.vocode(sentence, options) for sentence in speech.sentences]
        return replace(speech, sentences=tuple(sentences), options=options)

    def _read(
        self, segment: Segment, index: int, options: SpeechOptions, pause_seconds: float
    ) -> Sentence:
        """Return a sentence as it is to be spoken, without mel and audio."""
        audio = self.voice.audio
        return read_sentence(
            segment,
            index,
            options,
            pause_frames=round(pause_seconds * audio.sample_rate / audio.hop_length),
            boundary_symbol=self.voice.boundary_symbol,
            lexicon=self.lexicon,
        )

    def _speech(
        self, options: SpeechOptions, sentence: Sentence, notices: tuple[str, ...]
    ) -> Speech:
        audio = self.voice.audio
        return Speech(
            sentences=(sentence,),
            voice=self.voice.name,
            options=options,
            sample_rate=audio.sample_rate,
            hop_length=audio.hop_length,
            silence=float(np.log(audio.magnitude_floor)),
            notices=notices,
        )
