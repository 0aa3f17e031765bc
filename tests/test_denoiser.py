"""The denoiser takes the vocoder's bias away and nothing else."""

import pytest
import torch
from torch import Tensor

from pipeline.mel import log_mel, spectrum
from pipeline.waveglow import WaveGlow
from pipeline.waveglow.denoiser import BIAS_FRAMES, Denoiser
from tests.tiny_models import WAVEGLOW_CONFIGS, random_waveglow, voiced_sound

N_FRAMES = 20


@pytest.fixture(params=["published shape", "linear prediction"])
def model(request: pytest.FixtureRequest) -> WaveGlow:
    return random_waveglow(WAVEGLOW_CONFIGS[request.param])


def sound_and_mel(batch_size: int = 1) -> tuple[Tensor, Tensor]:
    audio = voiced_sound(N_FRAMES * 256, batch_size=batch_size)
    return audio, log_mel(audio)[..., :N_FRAMES]


def test_strength_zero_returns_the_audio_itself(model: WaveGlow) -> None:
    audio, mel = sound_and_mel()
    assert torch.equal(Denoiser(model)(audio, mel, strength=0.0), audio)


def test_length_and_precision_stay(model: WaveGlow) -> None:
    audio, mel = sound_and_mel(batch_size=2)
    quiet = Denoiser(model)(audio, mel, strength=0.1)
    assert quiet.shape == audio.shape
    assert quiet.dtype == audio.dtype


def test_more_strength_leaves_less_energy(model: WaveGlow) -> None:
    audio, mel = sound_and_mel()
    denoiser = Denoiser(model)
    energies = [
        denoiser(audio, mel, strength=strength).square().sum().item()
        for strength in (0.0, 0.05, 0.2, 1.0)
    ]
    assert energies == sorted(energies, reverse=True)
    assert energies[0] > energies[-1]


def test_the_hum_itself_is_silenced() -> None:
    """The model's answer to the all-zero mel is its bias."""
    model = random_waveglow(WAVEGLOW_CONFIGS["published shape"])
    mel = torch.zeros(1, 80, BIAS_FRAMES)
    bias = model.infer(mel, sigma=0.0)
    config = model.config.audio
    first = spectrum(bias, config).abs()[0, :, 0]
    left = spectrum(Denoiser(model)(bias, mel, strength=1.0), config).abs()[0, :, 0]
    assert left.sum() < 0.2 * first.sum()


def test_the_spectrum_loses_a_share_of_the_hums_spectrum() -> None:
    """Against plain spectral subtraction, written out with torch's own transforms."""
    model = random_waveglow(WAVEGLOW_CONFIGS["published shape"])
    audio, mel = sound_and_mel()
    window = torch.hann_window(1_024)

    def transform(x: Tensor) -> Tensor:
        return torch.stft(x, 1_024, 256, window=window, return_complex=True)

    bias = transform(model.infer(torch.zeros(1, 80, BIAS_FRAMES), sigma=0.0)).abs()[:, :, :1]
    spectra = transform(audio)
    wanted = torch.polar((spectra.abs() - 0.3 * bias).clamp(min=0.0), spectra.angle())
    expected = torch.istft(wanted, 1_024, 256, window=window, length=audio.shape[1])
    assert torch.allclose(Denoiser(model)(audio, mel, strength=0.3), expected, atol=1e-5)


def test_a_model_with_linear_prediction_is_denoised_in_its_excitation() -> None:
    """Silence in the mel keeps its filter: what was subtracted there is quiet there too."""
    model = random_waveglow(WAVEGLOW_CONFIGS["linear prediction"])
    audio, mel = sound_and_mel()
    removed = audio - Denoiser(model)(audio, mel, strength=0.05)
    quieter = audio * 1e-2
    quieter_mel = mel + torch.log(torch.tensor(1e-2))
    removed_quieter = quieter - Denoiser(model)(quieter, quieter_mel, strength=0.05)
    assert removed_quieter.norm() < 0.05 * removed.norm()


def test_the_hum_is_measured_anew_when_weights_change(model: WaveGlow) -> None:
    audio, mel = sound_and_mel()
    denoiser = Denoiser(model)
    before = denoiser(audio, mel, strength=0.5)
    assert torch.equal(denoiser(audio, mel, strength=0.5), before)
    other = random_waveglow(model.config, seed=1)
    expected = Denoiser(other)(audio, mel, strength=0.5)
    model.load_state_dict(other.state_dict())
    after = denoiser(audio, mel, strength=0.5)
    assert torch.equal(after, expected)
    assert not torch.equal(after, before)


def test_a_batch_is_denoised_as_its_members(model: WaveGlow) -> None:
    audio, mel = sound_and_mel(batch_size=2)
    denoiser = Denoiser(model)
    alone = [denoiser(audio[i : i + 1], mel[i : i + 1], strength=0.1) for i in range(2)]
    assert torch.allclose(denoiser(audio, mel, strength=0.1), torch.cat(alone), atol=1e-5)


def test_audio_too_short_for_a_spectrum_stays_as_it_is(model: WaveGlow) -> None:
    audio = voiced_sound(512)
    assert torch.equal(Denoiser(model)(audio, torch.zeros(1, 80, 2), strength=0.5), audio)
