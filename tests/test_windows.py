"""Pieces joined are the whole: in windows, in both models, and in what a synthesizer streams."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import islice, repeat
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from pipeline import Synthesizer
from pipeline.mel import AudioConfig, log_mel
from pipeline.mel_shaping import stretch
from pipeline.tacotron2 import Tacotron2, Tacotron2Config, inference
from pipeline.tacotron2.numpy_decoder import NumpyDecoder
from pipeline.tacotron2.streaming import look_ahead, stream_mel
from pipeline.vocoder import Vocoder
from pipeline.waveglow import WaveGlow, WaveGlowVocoder, pitch_pulses, vocoder
from pipeline.windows import Frames, begin, cut, draw_noise, growing, in_windows
from tests.tiny_models import (
    TINY_TACOTRON2,
    WAVEGLOW_CONFIGS,
    random_tacotron2,
    random_waveglow,
    voiced_sound,
)

N_FRAMES = 48
MELS = log_mel(voiced_sound(N_FRAMES * 256, batch_size=2))[..., :N_FRAMES]
MEL = MELS[:1]
RECORDING = Path(__file__).parents[1] / "docs" / "samples" / "1-recorded.flac"
FLOWING = dataclasses.replace(
    TINY_TACOTRON2, reduction=2, flow_channels=8, flow_layers=2, flow_steps=2, mel_std=2.0
)
CONTOURED = dataclasses.replace(FLOWING, flow_steady_channels=10, pitch_channels=6)
HOW = {"sigma": 0.7, "denoise": 0.2}


def noise() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def keep_speaking(model: Tacotron2) -> None:
    """Leave the end of a sentence to the attention or to its limit."""
    assert model.decoder.gate.bias is not None
    torch.nn.init.constant_(model.decoder.gate.bias, -50.0)


def same(seen: Tensor | np.ndarray, expected: Tensor | np.ndarray) -> bool:
    return seen.shape == expected.shape and float(abs(seen - expected).max()) < 1e-5


@pytest.mark.parametrize("length", [1, 2, 5, 100])
def test_a_window_gives_what_the_whole_gives(length: int) -> None:
    kernel = torch.tensor([[[1.0, -2.0, 3.0, 5.0, -1.0]]])
    values = torch.randn(1, 1, 30)
    longest = 0

    def convolve(x: Tensor) -> Frames:
        nonlocal longest
        longest = max(longest, x.shape[-1])
        return (torch.nn.functional.conv1d(x, kernel, padding=2),)

    pieces = in_windows(begin(values.split(length, -1)), convolve, reach=2)
    made = torch.cat([frames[0] for frames, _ in pieces if frames is not None], -1)
    assert longest <= min(30, length + 2 * 2 + 2)
    torch.testing.assert_close(made, convolve(values)[0])


def test_noise_of_pieces_is_noise_of_the_whole() -> None:
    generator = noise()
    pieces = [draw_noise((2, 3, 4), n, generator=generator) for n in (1, 5, 2)]
    assert torch.equal(torch.cat(pieces, -1), draw_noise((2, 3, 4), 8, generator=noise()))


def test_pieces_grow_to_the_longest() -> None:
    assert list(islice(growing(70, step=16, longest=100), 5)) == [70, 32, 64, 100, 100]


def test_long_pieces_are_cut_and_short_ones_stay() -> None:
    pieces = list(cut([torch.arange(20), torch.arange(3), torch.arange(9)], iter([4, 5, 9, 3, 6])))
    assert [len(piece) for piece in pieces] == [4, 5, 11, 3, 9]
    assert torch.equal(torch.cat(pieces[:3]), torch.arange(20))


SLOW_CONFIGS = {"published shape", "alternate couplings", "large groups"}


@pytest.fixture(
    params=[
        pytest.param(config, id=name, marks=[pytest.mark.slow] if name in SLOW_CONFIGS else [])
        for name, config in WAVEGLOW_CONFIGS.items()
    ]
)
def model(request: pytest.FixtureRequest) -> WaveGlow:
    return random_waveglow(request.param)


def test_pieces_of_a_mel_have_the_audio_of_the_whole(model: WaveGlow) -> None:
    voice = WaveGlowVocoder(model, matching_rounds=2)
    whole = voice.vocode(MEL, generator=noise(), **HOW)
    for length in (9, 30):
        pieces = voice.stream(MEL.split(length, -1), generator=noise(), **HOW)
        assert same(torch.cat(list(pieces), 1), whole)


def test_long_mels_are_vocoded_in_windows(model: WaveGlow, monkeypatch: pytest.MonkeyPatch) -> None:
    voice = WaveGlowVocoder(model)
    whole = voice.vocode(MELS, generator=noise(), **HOW)
    seen = []
    conditions = model.conditions

    def watched(mel: Tensor, pulses: Tensor | None, n_groups: int) -> object:
        seen.append(mel.shape[-1])
        return conditions(mel, pulses, n_groups)

    monkeypatch.setattr(model, "conditions", watched)
    monkeypatch.setattr(vocoder, "LONGEST_WINDOW", 12)
    assert same(voice.vocode(MELS, generator=noise(), **HOW), whole)
    assert max(seen) < N_FRAMES


def test_the_first_sample_is_there_after_the_look_ahead(model: WaveGlow) -> None:
    n_seen = 0

    def mels() -> Iterator[Tensor]:
        nonlocal n_seen
        for mel in repeat(MEL[..., :1]):
            n_seen += 1
            yield mel

    voice = WaveGlowVocoder(model, matching_rounds=1)
    for denoise in (0.2, 0.0):
        n_seen = 0
        next(voice.stream(mels(), sigma=0.7, denoise=denoise, generator=noise()))
        assert n_seen <= voice.look_ahead(denoise=denoise) + 1


def test_a_recordings_pitch_is_settled_before_the_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    audio, _ = soundfile.read(RECORDING, dtype="float32")
    mel = log_mel(torch.from_numpy(audio)[None])
    pitch = pitch_pulses.pitch_from_mel(mel, AudioConfig())
    monkeypatch.setattr(pitch_pulses, "LAG", mel.shape[-1])
    assert torch.equal(pitch.f0, pitch_pulses.pitch_from_mel(mel, AudioConfig()).f0)


@pytest.mark.parametrize(
    "config", [TINY_TACOTRON2, FLOWING, CONTOURED], ids=["published", "flow", "contour"]
)
def test_pieces_of_a_sentence_are_its_mel(
    config: Tacotron2Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = random_tacotron2(config)
    if model.flow_postnet is not None:
        for weight in model.flow_postnet.parameters():
            torch.nn.init.normal_(weight, std=0.1)
    keep_speaking(model)
    symbol_ids = torch.arange(1, 5)[None]
    monkeypatch.setattr(inference, "steps_at_end_allowed", lambda reduction: 10_000 // reduction)
    whole = model.infer(symbol_ids, generator=noise()).mel
    assert whole.shape[-1] > 2 * look_ahead(config) // 3
    pieces = stream_mel(model, symbol_ids, generator=noise(), piece_frames=repeat(11))
    made = list(pieces)
    assert same(torch.cat(made, -1), whole)
    assert len(made) > 1


@pytest.mark.parametrize("rate", [0.5, 0.73, 1.0, 1.5, 1.9, 2.0])
def test_pieces_of_a_mel_are_stretched_as_the_whole(rate: float) -> None:
    for n_frames in (1, 2, 23, 24):
        mel = MEL[..., :n_frames]
        whole = torch.cat(list(stretch([mel], rate)), -1)
        assert whole.shape[-1] == max(1, round(n_frames / rate))
        for length in (1, 4):
            assert same(torch.cat(list(stretch(mel.split(length, -1), rate)), -1), whole)


def test_a_slower_line_is_the_same_line() -> None:
    line = torch.linspace(0.0, 1.0, 41)[None, None]
    slow = torch.cat(list(stretch([line], 0.5)), -1)[0, 0, 2:-2]
    assert torch.allclose(slow.diff(), torch.full((77,), 0.5 / 40), atol=1e-6)


TEXT = (
    '<speak>One two. <prosody rate="fast">Three, four.</prosody><break time="300ms"/>Five.</speak>'
)


class Whole:
    """A vocoder that must see a mel to its end."""

    def __init__(self, inner: Vocoder) -> None:
        self.config = inner.config
        self.vocode = inner.vocode


@pytest.mark.parametrize("change", [{}, {"rate": 1.4}, {"rate": 0.8, "sigma": 0.4, "seed": 2}])
def test_streamed_audio_is_what_is_spoken(tiny_voice: Path, change: dict[str, float]) -> None:
    tts = Synthesizer.load(tiny_voice, device="cpu")
    whole = tts.speak(TEXT, **change).audio
    pieces = list(tts.stream_audio(TEXT, **change))
    assert len(pieces) > 3
    assert {piece.dtype for piece in pieces} == {np.dtype(np.float32)}
    assert same(np.concatenate(pieces), whole)


def test_a_vocoder_that_needs_the_whole_sentence_gets_it(tiny_voice: Path) -> None:
    tts = Synthesizer.load(tiny_voice, device="cpu")
    tts.engine.vocoder = Whole(tts.engine.vocoder)
    pieces = list(tts.stream_audio("One two. Three."))
    assert len(pieces) == 3  # sentence, pause, sentence
    assert same(np.concatenate(pieces), tts.speak("One two. Three.").audio)


@pytest.fixture
def endless(tiny_voice: Path, monkeypatch: pytest.MonkeyPatch) -> Synthesizer:
    """A voice that speaks each sentence up to its limit."""
    tts = Synthesizer.load(tiny_voice, device="cpu")
    keep_speaking(tts.engine.tacotron2)
    monkeypatch.setattr(inference, "steps_at_end_allowed", lambda reduction: 10_000 // reduction)
    return tts


def test_a_sentence_that_is_decoded_whole_is_vocoded_in_pieces(
    endless: Synthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.sentence_stream.look_ahead", lambda config: 10_000)
    pieces = list(endless.stream_audio("A sentence."))
    whole = endless.speak("A sentence.").audio
    assert same(np.concatenate(pieces), whole)
    assert len(pieces[0]) < len(whole) / 2


def test_sound_comes_before_the_sentence_is_decoded(
    endless: Synthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.sentence_stream.FIRST_FRAMES", 1)
    text = "A sentence of few words."
    n_steps, step = 0, NumpyDecoder.step

    def counted(decoder: NumpyDecoder, dropout: Tensor, held: Tensor | None) -> tuple[float, bool]:
        nonlocal n_steps
        n_steps += 1
        return step(decoder, dropout, held)

    monkeypatch.setattr(NumpyDecoder, "step", counted)
    first = next(endless.stream_audio(text))
    n_before, n_steps = n_steps, 0
    spoken = endless.speak(text).sentences[0]
    assert n_before < n_steps
    assert same(first, spoken.audio[: len(first)])
