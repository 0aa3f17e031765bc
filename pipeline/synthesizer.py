"""The whole program: text to symbols, symbols to mel, mel to audio, sentence by sentence."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from pipeline.errors import PipelineError
from pipeline.mel_shaping import sharpen, stretch
from pipeline.options import SpeechOptions
from pipeline.sentence_stream import Manner, stream_sentence
from pipeline.speech import PAUSE_SECONDS, Sentence, Speech, join
from pipeline.tacotron2 import Tacotron2
from pipeline.vocoder import Vocoder
from pipeline.voice_folders import find_voice
from pipeline.voices import Voice, load_predictor, load_voice_vocoder, read_voice
from text import pronounce, token_symbols
from text.document import Document, Segment, read_document
from text.lexicon import Lexicon
from text.symbols import symbols_to_ids
from text.tokens import Token

Precision = Literal["32", "16"]


class Synthesizer:
    """A loaded voice. It keeps no state between calls: any number of threads may share it."""

    def __init__(
        self,
        voice: Voice,
        tacotron2: Tacotron2,
        vocoder: Vocoder,
        *,
        device: torch.device,
        precision: Precision = "32",
        vocoder_sha256: str,
        lexicon: Lexicon | None = None,
    ) -> None:
        self.voice = voice
        self.lexicon = lexicon
        self.tacotron2_sha256 = voice.tacotron2.sha256
        self.vocoder_sha256 = vocoder_sha256
        self.device = device
        self.precision = precision
        self.tacotron2 = tacotron2.to(device).eval()
        self.vocoder = vocoder

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
        chosen = pick_device(device, precision)
        folder = find_voice(voice)
        facts = read_voice(folder)
        predictor = load_predictor(folder, facts)
        loaded, vocoder_sha256 = load_voice_vocoder(folder, facts, vocoder=vocoder, device=chosen)
        return cls(
            facts,
            predictor,
            loaded,
            device=chosen,
            precision=precision,
            vocoder_sha256=vocoder_sha256,
            lexicon=lexicon,
        )

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
        document = read_document(text)
        for index, segment in enumerate(document.segments):
            pause_seconds = _pause_seconds(document, index) / options.rate
            sentence = self._say(segment, index, options, pause_seconds)
            yield self._speech(options, sentence, document.notices)

    def speak_segment(self, segment: Segment, options: SpeechOptions, *, index: int) -> Speech:
        """Speak one segment of a document, and the pause after it, as `stream` would.

        Args:
            segment: What `read_document` returned, its pause as it is to be heard.
            options: How to speak it; what they leave open is the voice's own.
            index: Its place among the segments, which is part of what seeds its noise.
        """
        options = options.or_else(self.voice.options)
        sentence = self._say(segment, index, options, segment.pause_seconds / options.rate)
        return self._speech(options, sentence, ())

    def stream_audio(
        self, text: str, options: SpeechOptions | None = None, **changes: Any
    ) -> Iterator[np.ndarray]:
        """Yield the audio of `speak` in pieces, float32 [S], before its sentences end.

        Joined they are the same samples, up to rounding. The first piece is there when the decoder
        has spoken as far as a window reaches, about two seconds; arguments and errors are those of
        `stream`.
        """
        options = replace(options or SpeechOptions(), **changes).or_else(self.voice.options)
        document = read_document(text)
        config = self.voice.audio
        for index, segment in enumerate(document.segments):
            for audio in self._stream_segment(segment, index, options):
                yield audio[0].clamp(-1.0, 1.0).cpu().numpy()
            pause_seconds = _pause_seconds(document, index) / options.rate
            n_frames = round(pause_seconds * config.sample_rate / config.hop_length)
            if n_frames:
                yield np.zeros(n_frames * config.hop_length, dtype=np.float32)

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
        sentences = [self._vocode(sentence, options) for sentence in speech.sentences]
        return replace(speech, sentences=tuple(sentences), options=options)

    def _stream_segment(
        self, segment: Segment, index: int, options: SpeechOptions
    ) -> Iterator[Tensor]:
        """Yield the audio [1, S] of one sentence in pieces."""
        assert options.sigma is not None  # the voice's own by now
        assert options.denoise is not None
        symbols = self._symbols(pronounce(segment.text, lexicon=self.lexicon))
        pieces = stream_sentence(
            self.tacotron2,
            self.vocoder,
            torch.tensor([symbols_to_ids(symbols)], device=self.device),
            Manner(
                speaker=self.voice.speaker,
                contrast=self.voice.contrast,
                rate=options.rate * segment.rate,
                sigma=options.sigma,
                denoise=options.denoise,
            ),
            prenet_generator=_generator(options.seed, index, "prenet"),
            noise_generator=_generator(options.seed, index, "noise"),
        )
        while True:
            with half_precision(self.device, self.precision):  # not in force where it is yielded
                audio = next(pieces, None)
            if audio is None:
                return
            yield audio

    def _symbols(self, tokens: Iterable[Token]) -> tuple[str, ...]:
        boundary = tuple(self.voice.boundary_symbol)
        return (
            *boundary,
            *(s for of_token in token_symbols(tokens) for s in of_token),
            *boundary,
        )

    def _say(
        self, segment: Segment, index: int, options: SpeechOptions, pause_seconds: float
    ) -> Sentence:
        tokens = pronounce(segment.text, lexicon=self.lexicon)
        symbols = self._symbols(tokens)
        symbol_ids = torch.tensor([symbols_to_ids(symbols)], device=self.device)  # [1, N]
        audio = self.voice.audio
        started = time.perf_counter()
        with half_precision(self.device, self.precision):
            spoken = self.tacotron2.infer(
                symbol_ids,
                speaker=self.voice.speaker,
                generator=_generator(options.seed, index, "prenet"),
            )
        mels = sharpen([spoken.mel.float()], self.voice.contrast)
        mel = torch.cat(list(stretch(mels, options.rate * segment.rate)), dim=-1)  # [1, M, T]
        sentence = Sentence(
            segment=segment,
            tokens=tuple(tokens),
            symbols=symbols,
            mel=mel[0].cpu().numpy(),
            alignment=spoken.alignment[0].float().cpu().numpy(),
            ending=spoken.ending,
            audio=np.zeros(0, dtype=np.float32),
            pause_frames=round(pause_seconds * audio.sample_rate / audio.hop_length),
            index=index,
            mel_seed=options.seed,
            predict_seconds=time.perf_counter() - started,
            vocode_seconds=0.0,
        )
        return self._vocode(sentence, options)

    def _vocode(self, sentence: Sentence, options: SpeechOptions) -> Sentence:
        """Give the sentence its audio, from its mel."""
        sigma, denoise = options.sigma, options.denoise
        assert sigma is not None  # the voice's own by now
        assert denoise is not None
        started = time.perf_counter()
        mel = torch.from_numpy(sentence.mel)[None]
        generator = _generator(options.seed, sentence.index, "noise")
        with half_precision(self.device, self.precision):
            audio = self.vocoder.vocode(mel, sigma=sigma, denoise=denoise, generator=generator)
        return replace(
            sentence,
            audio=audio[0].clamp(-1.0, 1.0).cpu().numpy(),
            vocode_seconds=time.perf_counter() - started,
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


def _pause_seconds(document: Document, index: int) -> float:
    """Return the pause after a segment, at the rate of 1."""
    is_last = index == len(document.segments) - 1
    return max(document.segments[index].pause_seconds, 0.0 if is_last else PAUSE_SECONDS)


def pick_device(device: str, precision: Precision) -> torch.device:
    """Return the device of a name.

    Raises:
        PipelineError: There is no such device here, or it cannot do this precision.
    """
    has_gpu = torch.cuda.is_available()
    name = ("cuda" if has_gpu else "cpu") if device == "auto" else device
    if name not in ("cpu", "cuda"):
        raise PipelineError(f"The device is {device!r}, expected auto, cpu or cuda")
    if name == "cuda" and not has_gpu:
        raise PipelineError("The device is cuda, but torch finds no GPU; take --device cpu")
    if name == "cpu" and precision == "16":
        raise PipelineError("Precision 16 needs a GPU; take --precision 32 on the CPU")
    return torch.device(name)


def half_precision(
    device: torch.device, precision: Precision
) -> contextlib.AbstractContextManager[object]:
    """Return the context in which networks run in the precision asked for."""
    if precision == "32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.float16)


def _generator(seed: int, index: int, purpose: str) -> torch.Generator:
    """Return the generator of one sentence and purpose, so that either model can run alone."""
    digest = hashlib.sha256(f"{seed}/{index}/{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
