"""The whole program: text to symbols, symbols to mel, mel to audio, sentence by sentence."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.devices import Precision, half_precision, pick_device
from pipeline.mel_shaping import match_levels, stretch
from pipeline.options import SpeechOptions
from pipeline.sentence_stream import Manner, Predicted, stream_sentence
from pipeline.speech import (
    PAUSE_SECONDS,
    AudioPiece,
    Sentence,
    Speech,
    join,
    sentence_seed,
    with_pauses,
)
from pipeline.tacotron2 import Tacotron2
from pipeline.tacotron2.batch_decoder import SLOTS
from pipeline.tacotron2.model import Prediction
from pipeline.vocoder import Vocoder
from pipeline.voice_folders import find_voice
from pipeline.voices import Voice, load_predictor, load_voice_vocoder, read_voice
from text import pronounce, token_symbols
from text.document import OpenDocument, Segment, open_document
from text.lexicon import Lexicon
from text.symbols import symbols_to_ids
from text.tokens import Token


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
        document = open_document(text)
        for index, (segment, seconds) in enumerate(_with_pauses(document, options)):
            sentence = self._say(segment, index, options, seconds)
            yield self._speech(options, sentence, document.notices)

    def speak_segment(self, segment: Segment, options: SpeechOptions, *, index: int) -> Speech:
        """Speak one segment of a document, and the pause after it, as `stream` would.

        Args:
            segment: What `read_document` returns, its pause as it is to be heard.
            options: How to speak it; what they leave open is the voice's own.
            index: Its place among the segments, which is part of what seeds its noise.
        """
        options = options.or_else(self.voice.options)
        sentence = self._say(segment, index, options, segment.pause_seconds / options.rate)
        return self._speech(options, sentence, ())

    def speak_together(
        self, texts: Sequence[str], options: Sequence[SpeechOptions]
    ) -> list[Speech]:
        """Speak several texts; on a CPU their sentences are decoded side by side.

        Each says what `speak` says, up to rounding, and to a sample the same whatever the other
        texts are. Arguments and errors are those of `stream`.
        """
        plans = []
        for number, (text, wanted) in enumerate(zip(texts, options, strict=True)):
            whole = wanted.or_else(self.voice.options)
            document = open_document(text)
            for index, (segment, seconds) in enumerate(_with_pauses(document, whole)):
                sentence = self._read(segment, index, whole, seconds)
                plans.append((number, sentence, whole, document.notices))
        plans.sort(key=lambda plan: len(plan[1].symbols))  # those of a length together
        spoken: list[list[Speech]] = [[] for _ in texts]
        for first in range(0, len(plans), SLOTS):
            batch = plans[first : first + SLOTS]
            pairs = [(sentence, whole) for _, sentence, whole, _ in batch]
            for plan, predicted in zip(batch, self._predict(pairs), strict=True):
                number, sentence, whole, notices = plan
                voiced = self._vocode(_with_mel(sentence, predicted), whole)
                spoken[number].append(self._speech(whole, voiced, notices))
        return [join(sorted(parts, key=lambda part: part.sentences[0].index)) for parts in spoken]

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
        for index, (segment, seconds) in enumerate(_with_pauses(document, options)):
            for made in self._stream_segment(segment, index, options, seconds):
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
        sentences = [self._vocode(sentence, options) for sentence in speech.sentences]
        return replace(speech, sentences=tuple(sentences), options=options)

    def _stream_segment(
        self, segment: Segment, index: int, options: SpeechOptions, pause_seconds: float
    ) -> Iterator[np.ndarray | Sentence]:
        """Yield the audio [S] of one sentence in pieces, and then the sentence."""
        assert options.sigma is not None  # the voice's own by now
        assert options.denoise is not None
        sentence = self._read(segment, index, options, pause_seconds)
        pieces = stream_sentence(
            self.tacotron2,
            self.vocoder,
            self._symbol_ids(sentence),
            Manner(
                speaker=self.voice.speaker,
                levels=self.voice.levels,
                rate=options.rate * segment.rate,
                sigma=options.sigma,
                denoise=options.denoise,
            ),
            prenet_generator=_generator(options.seed, index, "prenet"),
            noise_generator=_generator(options.seed, index, "noise"),
        )
        heard: list[np.ndarray] = []
        seconds = 0.0
        while True:
            started = time.perf_counter()
            with half_precision(self.device, self.precision):  # not in force where it is yielded
                made = next(pieces)
            seconds += time.perf_counter() - started
            if isinstance(made, Predicted):
                break
            heard.append(_clipped(made))
            yield heard[-1]
        sentence = _with_mel(sentence, made)
        vocode_seconds = seconds - made.seconds
        yield replace(sentence, audio=np.concatenate(heard), vocode_seconds=vocode_seconds)

    def _symbols(self, tokens: Iterable[Token]) -> tuple[str, ...]:
        boundary = tuple(self.voice.boundary_symbol)
        return (
            *boundary,
            *(s for of_token in token_symbols(tokens) for s in of_token),
            *boundary,
        )

    def _read(
        self, segment: Segment, index: int, options: SpeechOptions, pause_seconds: float
    ) -> Sentence:
        """Return a sentence as it is to be spoken, without mel and audio."""
        tokens = pronounce(segment.text, lexicon=self.lexicon)
        audio = self.voice.audio
        return Sentence(
            segment=segment,
            tokens=tuple(tokens),
            symbols=self._symbols(tokens),
            mel=np.zeros((audio.n_mels, 0), dtype=np.float32),
            alignment=np.zeros((0, 0), dtype=np.float32),
            ending="gate",
            audio=np.zeros(0, dtype=np.float32),
            pause_frames=round(pause_seconds * audio.sample_rate / audio.hop_length),
            index=index,
            mel_seed=options.seed,
            predict_seconds=0.0,
            vocode_seconds=0.0,
        )

    def _say(
        self, segment: Segment, index: int, options: SpeechOptions, pause_seconds: float
    ) -> Sentence:
        sentence = self._read(segment, index, options, pause_seconds)
        started = time.perf_counter()
        with half_precision(self.device, self.precision):
            spoken = self.tacotron2.infer(
                self._symbol_ids(sentence),
                speaker=self.voice.speaker,
                generator=_generator(options.seed, index, "prenet"),
            )
        mel = self._shaped(spoken, sentence, options)
        seconds = time.perf_counter() - started
        predicted = Predicted(mel, spoken.alignment, spoken.ending, seconds)
        return self._vocode(_with_mel(sentence, predicted), options)

    def _predict(self, batch: Sequence[tuple[Sentence, SpeechOptions]]) -> list[Predicted]:
        """Return what Tacotron 2 makes of sentences, side by side where that is faster."""
        started = time.perf_counter()
        ids = [self._symbol_ids(sentence) for sentence, _ in batch]
        generators = [_generator(whole.seed, one.index, "prenet") for one, whole in batch]
        speaker = self.voice.speaker
        with half_precision(self.device, self.precision):
            if self.device.type == "cpu":
                spoken = self.tacotron2.infer_together(ids, speaker=speaker, generators=generators)
            else:
                spoken = [
                    self.tacotron2.infer(one, speaker=speaker, generator=generator)
                    for one, generator in zip(ids, generators, strict=True)
                ]
        mels = [
            self._shaped(one, sentence, whole)
            for one, (sentence, whole) in zip(spoken, batch, strict=True)
        ]
        seconds = (time.perf_counter() - started) / len(batch)
        return [
            Predicted(mel, one.alignment, one.ending, seconds)
            for mel, one in zip(mels, spoken, strict=True)
        ]

    def _symbol_ids(self, sentence: Sentence) -> Tensor:
        return torch.tensor([symbols_to_ids(sentence.symbols)], device=self.device)  # [1, N]

    def _shaped(self, spoken: Prediction, sentence: Sentence, options: SpeechOptions) -> Tensor:
        """Return a predicted mel [1, M, T] with the voice's levels, at the rate asked for."""
        mels = match_levels([spoken.mel.float()], self.voice.levels)
        return torch.cat(list(stretch(mels, options.rate * sentence.segment.rate)), dim=-1)

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
            audio=_clipped(audio),
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


def _with_mel(sentence: Sentence, predicted: Predicted) -> Sentence:
    return replace(
        sentence,
        mel=predicted.mel[0].cpu().numpy(),
        alignment=predicted.alignment[0].float().cpu().numpy(),
        ending=predicted.ending,
        predict_seconds=predicted.seconds,
    )


def _clipped(audio: Tensor) -> np.ndarray:
    """Return audio [1, S] as float32 [S] in [-1, 1]."""
    clipped: np.ndarray = audio[0].clamp(-1.0, 1.0).cpu().numpy()
    return clipped


def _with_pauses(document: OpenDocument, options: SpeechOptions) -> Iterator[tuple[Segment, float]]:
    """Yield each segment with the seconds of silence after it, at the rate that is asked for."""
    return with_pauses(document.segments, rate=options.rate, shortest=PAUSE_SECONDS)


def _generator(seed: int, index: int, purpose: str) -> torch.Generator:
    return torch.Generator().manual_seed(sentence_seed(seed, index, purpose))
