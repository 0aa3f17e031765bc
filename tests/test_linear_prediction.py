"""Linear prediction against scipy and against the laws of an invertible step."""

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import torch

from pipeline.mel import AudioConfig, log_mel
from pipeline.waveglow.linear_prediction import (
    MIN_LOG_GAIN,
    LinearPredictor,
    levinson,
    predictor_from_mel,
    synthesize,
    whiten,
)
from tests.tiny_models import voiced_sound

CONFIG = AudioConfig()
ORDER = 22


def predictor_and_sound(n_frames: int = 12) -> tuple[LinearPredictor, torch.Tensor]:
    audio = voiced_sound(256 * n_frames, batch_size=2)
    mel = log_mel(audio)[..., :n_frames]
    return predictor_from_mel(mel, CONFIG, order=ORDER), audio.double()


def one_filter() -> tuple[LinearPredictor, np.ndarray, float]:
    """Return a prediction that stays the same, its coefficients and its gain."""
    predictor, _ = predictor_and_sound()
    first = LinearPredictor(predictor.coefficients[:1, :1], predictor.log_gain[:1, :1], 2_000)
    return first, first.coefficients[0, 0].numpy(), float(first.log_gain.exp())


def test_synthesis_undoes_whitening_to_the_last_digits() -> None:
    predictor, audio = predictor_and_sound()
    excitation, _ = whiten(audio, predictor)
    assert (synthesize(excitation, predictor) - audio).abs().max() < 1e-12


def test_whitening_undoes_synthesis_to_the_last_digits() -> None:
    predictor, audio = predictor_and_sound()
    excitation = torch.randn(audio.shape, dtype=torch.float64)
    again, _ = whiten(synthesize(excitation, predictor), predictor)
    assert (again - excitation).abs().max() < 1e-12 * float(excitation.abs().max()) * 1e3


def test_log_determinant_is_that_of_the_jacobian() -> None:
    predictor, audio = predictor_and_sound()
    audio = audio[:1, :300]  # five blocks of 64 samples, the last not whole
    predictor = predictor._replace(
        coefficients=predictor.coefficients[:1], log_gain=predictor.log_gain[:1]
    )
    _, log_det = whiten(audio, predictor)
    jacobian = torch.autograd.functional.jacobian(
        lambda x: whiten(x[None], predictor)[0][0], audio[0]
    )
    assert log_det.item() == pytest.approx(torch.linalg.slogdet(jacobian).logabsdet.item())


def test_coefficients_solve_the_normal_equations() -> None:
    signal = voiced_sound(2_000)[0].double().numpy()
    lags = [float(signal[: len(signal) - k] @ signal[k:]) for k in range(ORDER + 1)]
    lags[0] *= 1.0001
    coefficients, error = levinson(torch.tensor(lags, dtype=torch.float64))
    expected = scipy.linalg.solve_toeplitz(lags[:-1], lags[1:])
    assert np.abs(coefficients.numpy() - expected).max() < 1e-7
    assert error.item() == pytest.approx(lags[0] - expected @ lags[1:], rel=1e-7)


def test_a_constant_predictor_is_scipys_filter() -> None:
    predictor, coefficients, gain = one_filter()
    audio = voiced_sound(1_500).double()
    whitening = np.concatenate([[1.0], -coefficients])
    excitation, _ = whiten(audio, predictor)
    expected = scipy.signal.lfilter(whitening / gain, [1.0], audio.numpy())
    assert np.abs(excitation.numpy() - expected).max() < 1e-9 * np.abs(expected).max()
    noise = torch.randn(1, 1_500, dtype=torch.float64)
    spoken = scipy.signal.lfilter([gain], whitening, noise.numpy())
    assert np.abs(synthesize(noise, predictor).numpy() - spoken).max() < 1e-9


def test_gradient_of_synthesis_is_that_of_finite_differences() -> None:
    predictor, _ = predictor_and_sound(n_frames=3)
    excitation = torch.randn(2, 150, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda e: synthesize(e, predictor), excitation)


def test_every_filter_is_stable() -> None:
    predictor, _ = predictor_and_sound()
    for coefficients in predictor.coefficients.flatten(0, 1).numpy():
        assert np.abs(np.roots([1.0, *-coefficients])).max() < 1.0


def test_white_excitation_speaks_the_mel_it_came_from() -> None:
    """The envelope's units are right: noise of unit variance comes out as loud as the mel says."""
    tilt = torch.linspace(-3.0, -7.0, 80)[None, :, None].expand(1, 80, 120)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 256 * 120, generator=generator, dtype=torch.float64)
    spoken = synthesize(noise, predictor_from_mel(tilt, CONFIG, order=ORDER))
    said = log_mel(spoken.float())[..., 4:116].mean(2)
    difference = said - tilt[..., 0]
    assert difference.mean().abs() < 0.1
    assert difference.abs().mean() < 0.25


def test_silence_keeps_a_finite_likelihood() -> None:
    mel = torch.full((1, 80, 4), float(np.log(1e-5)))
    predictor = predictor_from_mel(mel, CONFIG, order=ORDER)
    excitation, log_det = whiten(torch.zeros(1, 1_024), predictor)
    assert not excitation.any()
    assert log_det.item() == pytest.approx(-MIN_LOG_GAIN * 1_024)


def test_shorter_audio_is_whitened_as_its_beginning() -> None:
    predictor, audio = predictor_and_sound()
    whole, _ = whiten(audio, predictor)
    start, _ = whiten(audio[:, :700], predictor)
    assert torch.equal(whole[:, :700], start)


def test_longer_audio_than_the_mel_covers_is_refused() -> None:
    predictor, audio = predictor_and_sound(n_frames=4)
    with pytest.raises(ValueError, match=r"Audio of 1025 samples .* they cover 1024"):
        whiten(torch.cat([audio, audio[:, :1]], 1), predictor)
