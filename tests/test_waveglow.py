"""The laws that a normalizing flow must keep."""

import dataclasses
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from pipeline.mel import AudioConfig, log_mel
from pipeline.waveglow import WaveGlow, WaveGlowConfig
from pipeline.waveglow.pitch_pulses import pitch_from_mel, pulses_from_pitch
from tests.tiny_models import PUBLISHED_SHAPE, WAVEGLOW_CONFIGS, random_waveglow, voiced_sound

N_FRAMES = 6
TINY_AUDIO = AudioConfig(n_fft=32, hop_length=8, n_mels=5)


@pytest.fixture(params=WAVEGLOW_CONFIGS.values(), ids=WAVEGLOW_CONFIGS.keys())
def model(request: pytest.FixtureRequest) -> Iterator[WaveGlow]:
    with torch.no_grad():
        yield random_waveglow(request.param)


def sound_and_mel(batch_size: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    audio = voiced_sound(N_FRAMES * 256, batch_size=batch_size, seed=seed)
    return audio, log_mel(audio)[..., :N_FRAMES]


def test_inverse_undoes_forward(model: WaveGlow) -> None:
    audio, mel = sound_and_mel(batch_size=2)
    assert torch.allclose(model.inverse(mel, model(mel, audio).z), audio, rtol=0, atol=1e-4)


def test_forward_undoes_inverse(model: WaveGlow) -> None:
    _, mel = sound_and_mel(batch_size=2)
    z = torch.randn(2, model.config.n_group, N_FRAMES * 256 // model.config.n_group)
    assert torch.allclose(model(mel, model.inverse(mel, z)).z, z, rtol=0, atol=1e-3)


def test_audio_shorter_than_its_mel_is_taken_back_too(model: WaveGlow) -> None:
    audio, mel = sound_and_mel()
    audio = audio[:, : 4 * 256 + 32]
    assert torch.allclose(model.inverse(mel, model(mel, audio).z), audio, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"couplings": "alternate"},
        {"prediction_order": 4},
        {"conditioning": "interpolate", "conditioning_channels": 3, "prediction_order": 3},
    ],
)
def test_log_determinant_is_that_of_the_jacobian(changes: dict[str, object]) -> None:
    config = WaveGlowConfig(
        audio=TINY_AUDIO,
        n_flows=3,
        n_group=4,
        n_early_every=2,
        n_layers=2,
        n_channels=6,
        **changes,  # type: ignore[arg-type]
    )
    model = random_waveglow(config)
    mel = torch.randn(1, TINY_AUDIO.n_mels, 3) - 2.0
    audio = 0.3 * torch.randn(1, 24)
    jacobian = torch.autograd.functional.jacobian(lambda x: model(mel, x[None]).z[0], audio[0])
    expected = torch.linalg.slogdet(jacobian.reshape(24, 24).double()).logabsdet
    assert model(mel, audio).log_det.item() == pytest.approx(expected.item(), abs=1e-4)


def test_loss_of_a_batch_is_the_mean_of_its_members_losses(model: WaveGlow) -> None:
    audio, mel = sound_and_mel(batch_size=3)
    single = [model(mel[i : i + 1], audio[i : i + 1], sigma=0.8).loss for i in range(3)]
    assert model(mel, audio, sigma=0.8).loss.item() == pytest.approx(
        torch.stack(single).mean().item(), abs=1e-5
    )


def test_loss_is_per_sample_so_that_length_does_not_change_it() -> None:
    """Untrained couplings see nothing of their surroundings: twice the sound has the same loss."""
    model = WaveGlow(PUBLISHED_SHAPE)
    audio, mel = sound_and_mel()
    once = model(mel, audio).loss
    twice = model(torch.cat([mel, mel], 2), torch.cat([audio, audio], 1)).loss
    assert twice.item() == pytest.approx(once.item(), abs=1e-6)
    assert once.item() == pytest.approx(audio.square().mean().item() / 2, abs=1e-5)


def test_loss_is_the_negative_log_likelihood_of_equation_9(model: WaveGlow) -> None:
    audio, mel = sound_and_mel(batch_size=2)
    sigma, said = 0.7, model(mel, audio, sigma=0.7)
    prior = torch.distributions.Normal(0.0, sigma).log_prob(said.z).sum((1, 2))
    constant = torch.distributions.Normal(0.0, sigma).log_prob(torch.tensor(0.0))
    per_sample = -(prior + said.log_det).mean() / audio.shape[1] + constant
    assert said.loss.item() == pytest.approx(per_sample.item(), abs=1e-4)


def test_one_frame_of_mel_makes_one_hop_of_audio(model: WaveGlow) -> None:
    for n_frames in (1, 2, 5):
        mel = torch.full((2, 80, n_frames), -5.0)
        assert model.infer(mel).shape == (2, 256 * n_frames)


def test_same_seed_same_audio_and_another_seed_another(model: WaveGlow) -> None:
    _, mel = sound_and_mel()
    first, again, other = (
        model.infer(mel, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-3)


def test_sigma_zero_needs_no_seed_and_scales_the_noise_otherwise(model: WaveGlow) -> None:
    _, mel = sound_and_mel()
    silent = [model.infer(mel, sigma=0.0) for _ in range(2)]
    assert torch.equal(*silent)
    z = model(mel, model.infer(mel, sigma=0.5, generator=torch.Generator().manual_seed(0))).z
    noise = model.draw_noise(mel, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(z, 0.5 * noise, atol=1e-3)


def test_a_batch_speaks_as_its_members_do(model: WaveGlow) -> None:
    _, mel = sound_and_mel(batch_size=2)
    together = model.infer(mel, sigma=0.0)
    alone = torch.cat([model.infer(mel[i : i + 1], sigma=0.0) for i in range(2)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_inverse_is_not_stale_after_weights_change(model: WaveGlow) -> None:
    _, mel = sound_and_mel()
    before = model.infer(mel, sigma=0.0)
    other = random_waveglow(model.config, seed=1)
    expected = other.infer(mel, sigma=0.0)
    model.load_state_dict(other.state_dict())
    assert torch.equal(model.infer(mel, sigma=0.0), expected)
    assert not torch.equal(before, expected)


def test_training_reaches_every_weight(model: WaveGlow) -> None:
    audio, mel = sound_and_mel()
    with torch.enable_grad():
        model(mel, audio).loss.backward()
    untouched = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert untouched == []


def test_what_is_computed_does_not_depend_on_whether_gradients_are_wanted(model: WaveGlow) -> None:
    audio, mel = sound_and_mel(batch_size=2)
    with torch.enable_grad():
        wanted = model(mel, audio).z
    assert torch.allclose(model(mel, audio).z, wanted, atol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.isfinite(model(mel, audio).z).all()


def test_pulses_are_those_of_the_mel_unless_others_are_given() -> None:
    model = random_waveglow(WAVEGLOW_CONFIGS["pitch pulses"])
    audio, mel = sound_and_mel(batch_size=2)
    pitch = pitch_from_mel(mel, model.config.audio)
    own, other = (
        pulses_from_pitch(pitch, model.config.audio, phase=torch.full((2,), phase))
        for phase in (0.0, 0.5)
    )
    assert torch.equal(model(mel, audio).z, model(mel, audio, pulses=own).z)
    said = model(mel, audio, pulses=other)
    assert not torch.allclose(said.z, model(mel, audio).z, atol=1e-3)
    assert torch.allclose(model.inverse(mel, said.z, pulses=other), audio, rtol=0, atol=1e-4)
    with pytest.raises(ValueError, match=r"Pulses have shape \[2, 1535\]; expected \[2, 1536\]"):
        model(mel, audio, pulses=other[:, :-1])


def test_config_counts_the_channels_that_pass_every_flow() -> None:
    assert WaveGlowConfig().n_rest == 4
    assert WAVEGLOW_CONFIGS["large groups"].n_rest == 24
    assert [k for k in range(12) if WaveGlowConfig().leaves_early(k)] == [4, 8]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"n_group": 6}, "Hop length 256 is not a multiple of n_group 6"),
        ({"n_early_size": 4}, "leaves 0 channels"),
        ({"n_early_size": 1}, "expected even sizes"),
        ({"kernel_size": 4}, "kernel_size 4 is even"),
        ({"conditioning": "interpolate"}, "0 conditioning_channels"),
        ({"conditioning_channels": 8}, "'upsample' does not go with 8"),
        ({"pulses": True, "audio": AudioConfig(n_mels=20)}, "at least 40 mel channels, not 20"),
    ],
)
def test_config_rejects_contradictions(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        dataclasses.replace(WaveGlowConfig(), **changes)  # type: ignore[arg-type]


def test_wrong_shapes_are_told_with_both_values() -> None:
    model = random_waveglow(PUBLISHED_SHAPE)
    audio, mel = sound_and_mel()
    with pytest.raises(ValueError, match="1535 samples are not a multiple of n_group 8"):
        model(mel, audio[:, :-1])
    with pytest.raises(ValueError, match="at least 6 frames"):
        model(mel[..., :5], audio)
    with pytest.raises(ValueError, match=r"\[1, 40, 6\]; expected \[batch, 80, frames\]"):
        model(mel[:, :40], audio)
