"""The denoiser takes the vocoder's bias away and nothing else."""

import pytest
import torch
from torch import Tensor

from pipeline.mel import log_mel, spectrum
from pipeline.waveglow import WaveGlow, WaveGlowVocoder
from pipeline.waveglow.denoiser import BIAS_FRAMES, measure_bias, subtract_bias
from tests.tiny_models import WAVEGLOW_CONFIGS, random_waveglow, voiced_sound

N_FRAMES = 20


@pytest.fixture(params=["published shape", "linear prediction"])
def model(request: pytest.FixtureRequest) -> WaveGlow:
    return random_waveglow(WAVEGLOW_CONFIGS[request.param])


def denoised(model: WaveGlow, excitation: Tensor, strength: float) -> Tensor:
    return subtract_bias(excitation, measure_bias(model), model.config.audio, strength=strength)


def test_strength_zero_returns_the_excitation_itself(model: WaveGlow) -> None:
    excitation = voiced_sound(N_FRAMES * 256)
    assert denoised(model, excitation, 0.0) is excitation


def test_length_and_precision_stay(model: WaveGlow) -> None:
    excitation = voiced_sound(N_FRAMES * 256, batch_size=2)
    quiet = denoised(model, excitation, 0.1)
    assert quiet.shape == excitation.shape
    assert quiet.dtype == excitation.dtype


def test_more_strength_leaves_less_energy(model: WaveGlow) -> None:
    excitation = voiced_sound(N_FRAMES * 256)
    energies = [
        denoised(model, excitation, strength).square().sum().item()
        for strength in (0.0, 0.05, 0.2, 1.0)
    ]
    assert energies == sorted(energies, reverse=True)
    assert energies[0] > energies[-1]


def test_the_bias_itself_is_silenced() -> None:
    """The model's answer to the all-zero mel is its bias."""
    model = random_waveglow(WAVEGLOW_CONFIGS["published shape"])
    bias = model.infer(torch.zeros(1, 80, BIAS_FRAMES), sigma=0.0)
    first, left = (
        spectrum(audio, model.config.audio).abs()[0, :, 0].sum()
        for audio in (bias, denoised(model, bias, 1.0))
    )
    assert left < 0.2 * first


def test_the_spectrum_loses_a_share_of_the_spectrum_of_the_bias() -> None:
    """Against plain spectral subtraction, written out with torch's own transforms."""
    model = random_waveglow(WAVEGLOW_CONFIGS["published shape"])
    audio = voiced_sound(N_FRAMES * 256)
    window = torch.hann_window(1_024)

    def transform(x: Tensor) -> Tensor:
        return torch.stft(x, 1_024, 256, window=window, return_complex=True)

    bias = transform(model.infer(torch.zeros(1, 80, BIAS_FRAMES), sigma=0.0)).abs()[:, :, :1]
    spectra = transform(audio)
    wanted = torch.polar((spectra.abs() - 0.3 * bias).clamp(min=0.0), spectra.angle())
    expected = torch.istft(wanted, 1_024, 256, window=window, length=audio.shape[1])
    assert torch.allclose(denoised(model, audio, 0.3), expected, atol=1e-5)


def test_a_batch_is_denoised_as_its_members(model: WaveGlow) -> None:
    excitation = voiced_sound(N_FRAMES * 256, batch_size=2)
    alone = [denoised(model, excitation[i : i + 1], 0.1) for i in range(2)]
    assert torch.allclose(denoised(model, excitation, 0.1), torch.cat(alone), atol=1e-5)


def test_an_excitation_too_short_for_a_spectrum_stays_as_it_is(model: WaveGlow) -> None:
    excitation = voiced_sound(512)
    assert denoised(model, excitation, 0.5) is excitation


def test_the_vocoder_subtracts_before_the_prediction_filter() -> None:
    """Where the mel is quiet its filter is too, and so is what was subtracted."""
    vocoder = WaveGlowVocoder(random_waveglow(WAVEGLOW_CONFIGS["linear prediction"]))
    mel = log_mel(voiced_sound(N_FRAMES * 256))[..., :N_FRAMES]

    def removed(mel: Tensor) -> Tensor:
        loud, quiet = (
            vocoder.vocode(mel, sigma=0.0, denoise=denoise, generator=None)
            for denoise in (0.0, 0.05)
        )
        return loud - quiet

    assert removed(mel - 5.0).norm() < 0.05 * removed(mel).norm()
