"""The mel spectrogram against librosa's."""

import librosa
import numpy as np
import pytest
import torch

from pipeline.mel import AudioConfig, log_mel, mel_filterbank
from tests.tiny_models import voiced_sound

CONFIGS = [
    AudioConfig(),
    AudioConfig(mel_max_hz=7_000.0),
    AudioConfig(sample_rate=16_000, n_fft=512, hop_length=128, n_mels=40, mel_min_hz=60.0),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_filters_are_librosas(config: AudioConfig) -> None:
    expected = librosa.filters.mel(
        sr=config.sample_rate,
        n_fft=config.n_fft,
        n_mels=config.n_mels,
        fmin=config.mel_min_hz,
        fmax=config.mel_max_hz,
    )
    assert np.abs(mel_filterbank(config) - expected).max() < 1e-7


@pytest.mark.parametrize("config", CONFIGS)
def test_mels_are_librosas(config: AudioConfig) -> None:
    audio = voiced_sound(20_000)
    magnitude = librosa.feature.melspectrogram(
        y=audio[0].numpy(),
        sr=config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        fmin=config.mel_min_hz,
        fmax=config.mel_max_hz,
        power=1.0,
        pad_mode="reflect",
    )
    expected = np.log(np.maximum(magnitude, 1e-5))
    seen = log_mel(audio, config)[0].numpy()
    assert seen.shape == expected.shape == (config.n_mels, config.n_frames(20_000))
    assert np.abs(seen - expected).mean() < 1e-5


def test_silence_lies_on_the_floor() -> None:
    mel = log_mel(torch.zeros(1, 4_096))
    assert torch.allclose(mel, torch.tensor(1e-5).log())


def test_twice_the_amplitude_is_log_two_more() -> None:
    audio = voiced_sound(8_192)
    difference = log_mel(audio) - log_mel(audio / 2)
    assert torch.allclose(difference, torch.tensor(2.0).log(), atol=1e-4)


def test_a_frame_is_centred_on_its_hop() -> None:
    audio = torch.zeros(1, 256 * 20)
    audio[0, 256 * 7] = 1.0
    assert int(log_mel(audio).sum(1).argmax()) == 7


def test_a_batch_is_its_members() -> None:
    audio = voiced_sound(5_000, batch_size=3)
    alone = torch.cat([log_mel(audio[i : i + 1]) for i in range(3)])
    assert torch.allclose(log_mel(audio), alone, atol=1e-5)


def test_half_precision_audio_still_gives_exact_mels() -> None:
    audio = voiced_sound(4_096).half()
    assert torch.equal(log_mel(audio), log_mel(audio.float()))


@pytest.mark.parametrize("shape", [(512,), (1, 512), (1, 1, 4_096)])
def test_audio_that_cannot_be_padded_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="more than 512 samples"):
        log_mel(torch.zeros(shape))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"mel_max_hz": 12_000.0}, "0.0 to 12000.0 Hz does not fit a sample rate of 22050 Hz"),
        ({"mel_min_hz": 9_000.0}, "9000.0 to 8000.0 Hz"),
        ({"n_fft": 1_023}, "n_fft 1023"),
        ({"hop_length": 2_048}, "hop_length 2048"),
    ],
)
def test_config_rejects_contradictions(values: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        AudioConfig(**values)  # type: ignore[arg-type]
