"""Audio is brought to the mel asked for, and what is there already stays."""

import dataclasses

import pytest
import torch

from pipeline.mel import AudioConfig, log_mel, over_bins
from pipeline.waveglow import WaveGlowConfig, WaveGlowVocoder
from pipeline.waveglow.mel_matching import match_mel
from tests.tiny_models import random_waveglow, voiced_sound

CONFIG = AudioConfig()
N_FRAMES = 40
SOUND = voiced_sound(N_FRAMES * 256, batch_size=2)
MEL = log_mel(SOUND)[..., :N_FRAMES]


def test_audio_that_has_its_mel_stays() -> None:
    assert torch.allclose(match_mel(SOUND, MEL, CONFIG, rounds=3), SOUND, atol=1e-5)


@pytest.mark.parametrize("gain", [0.3, 2.0])
def test_one_round_finds_a_gain(gain: float) -> None:
    found = match_mel(gain * SOUND, MEL, CONFIG, rounds=1)
    assert (found - SOUND).norm() < 1e-3 * SOUND.norm()


def test_each_round_brings_noise_nearer_to_the_mel() -> None:
    noise = 0.1 * torch.randn(SOUND.shape, generator=torch.Generator().manual_seed(0))
    distances = [
        (log_mel(match_mel(noise, MEL, CONFIG, rounds=n))[..., :-1] - MEL).abs().mean().item()
        for n in (0, 1, 2, 4, 8)
    ]
    assert distances == sorted(distances, reverse=True)
    assert distances[1] < 0.5 * distances[0]


def test_a_filter_without_phase_is_undone() -> None:
    """From a gain of 1.5 at 0 Hz to one of 0.5 at half the sample rate."""
    around = (SOUND[:, :-2] + SOUND[:, 2:]) / 4
    filtered = SOUND + torch.nn.functional.pad(around, (1, 1))
    errors = [
        ((match_mel(filtered, MEL, CONFIG, rounds=rounds) - SOUND).norm() / SOUND.norm()).item()
        for rounds in (0, 2)
    ]
    assert errors[0] > 0.3
    assert errors[1] < 0.03


def test_silence_asked_for_becomes_quieter_by_e_squared_a_round() -> None:
    silent = torch.full_like(MEL, CONFIG.magnitude_floor).log()
    for rounds in (1, 2):
        left = match_mel(SOUND, silent, CONFIG, rounds=rounds)
        assert (left.norm() / SOUND.norm()).item() == pytest.approx(
            torch.e ** (-2.0 * rounds), rel=1e-3
        )


def test_audio_of_a_batch_or_too_short_or_of_no_rounds() -> None:
    other = 0.5 * SOUND.flip(0)
    alone = [match_mel(other[i : i + 1], MEL[i : i + 1], CONFIG, rounds=2) for i in range(2)]
    assert torch.allclose(match_mel(other, MEL, CONFIG, rounds=2), torch.cat(alone), atol=1e-6)
    assert torch.equal(match_mel(other, MEL, CONFIG, rounds=0), other)
    assert torch.equal(match_mel(other[:, :512], MEL[..., :2], CONFIG, rounds=2), other[:, :512])


def vocoders(rounds: int) -> tuple[WaveGlowVocoder, WaveGlowVocoder]:
    """The same model without matching, and with some rounds of it."""
    config = WaveGlowConfig(n_flows=4, n_layers=2, n_channels=8)
    plain = random_waveglow(config)
    matched = random_waveglow(dataclasses.replace(config, matching_rounds=rounds))
    return WaveGlowVocoder(plain), WaveGlowVocoder(matched)


@pytest.mark.parametrize("denoise", [0.0, 0.3])
def test_what_the_vocoder_made_is_matched_once(denoise: float) -> None:
    plain, matched = (
        vocoder.vocode(MEL, sigma=0.0, denoise=denoise, generator=None) for vocoder in vocoders(2)
    )
    assert torch.equal(matched, match_mel(plain, MEL, CONFIG, rounds=2))


def test_matching_is_no_part_of_the_flow() -> None:
    plain, matched = (vocoder.waveglow for vocoder in vocoders(2))
    assert torch.equal(matched.infer(MEL, sigma=0.0), plain.infer(MEL, sigma=0.0))
    assert torch.equal(matched(MEL, SOUND).z, plain(MEL, SOUND).z)
    with pytest.raises(ValueError, match="matching_rounds is -1; expected 0 or more"):
        WaveGlowConfig(matching_rounds=-1)


def test_matching_can_be_left_out() -> None:
    plain, matched = vocoders(2)
    without = WaveGlowVocoder(matched.waveglow, matching_rounds=0)
    asked = {"sigma": 0.0, "denoise": 0.2, "generator": None}
    assert torch.equal(without.vocode(MEL, **asked), plain.vocode(MEL, **asked))


def test_bins_between_channels_lie_on_lines_and_ends_are_held() -> None:
    values = torch.arange(80.0)
    bins = over_bins(values, CONFIG)
    assert bins.shape == (513,)
    assert (bins.diff() >= 0).all()
    assert bins[0] == 0.0
    assert bins[-1] == 79.0
    assert torch.allclose(over_bins(torch.ones(80), CONFIG), torch.ones(513))
