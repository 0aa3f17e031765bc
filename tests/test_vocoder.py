"""A vocoder is what makes audio of mels: ours, and any other, in the place of ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline import Synthesizer
from pipeline.checkpoints import ARCHITECTURES, Architecture, load_vocoder, save_model
from pipeline.errors import PipelineError
from pipeline.evaluation.comparison import group_size
from pipeline.evaluation.griffin_lim import GriffinLim, GriffinLimConfig, griffin_lim
from pipeline.evaluation.metrics import tonal_artefact
from pipeline.mel import AudioConfig, log_mel
from pipeline.waveglow import WaveGlow, WaveGlowVocoder
from pipeline.waveglow.denoiser import measure_bias, subtract_bias
from tests.tiny_models import WAVEGLOW_CONFIGS, random_waveglow, voiced_sound

N_FRAMES = 20
MEL = log_mel(voiced_sound(N_FRAMES * 256, batch_size=2))[..., :N_FRAMES]


@pytest.fixture(params=WAVEGLOW_CONFIGS.values(), ids=WAVEGLOW_CONFIGS.keys())
def model(request: pytest.FixtureRequest) -> WaveGlow:
    return random_waveglow(request.param)


def noise() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_without_denoising_and_matching_it_is_the_flow(model: WaveGlow) -> None:
    audio = WaveGlowVocoder(model).vocode(MEL, sigma=0.7, denoise=0.0, generator=noise())
    assert torch.equal(audio, model.infer(MEL, sigma=0.7, generator=noise()))
    assert audio.shape == (2, 256 * N_FRAMES)


def test_the_bias_goes_from_the_excitation(model: WaveGlow) -> None:
    audio = WaveGlowVocoder(model).vocode(MEL, sigma=0.7, denoise=0.3, generator=noise())
    z = 0.7 * model.draw_noise(MEL, generator=noise())
    with torch.no_grad():
        excitation = model.excitation(MEL, z)
        less = subtract_bias(excitation, measure_bias(model), model.config.audio, strength=0.3)
        assert torch.equal(audio, model.from_excitation(MEL, less))
    assert not torch.equal(audio, model.infer(MEL, sigma=0.7, generator=noise()))


def test_the_bias_is_measured_when_the_vocoder_is_built(model: WaveGlow) -> None:
    other = random_waveglow(model.config, seed=1)
    asked = {"sigma": 0.0, "denoise": 0.5, "generator": None}
    expected = WaveGlowVocoder(other).vocode(MEL, **asked)
    model.load_state_dict(other.state_dict())
    assert torch.equal(WaveGlowVocoder(model).vocode(MEL, **asked), expected)


def test_half_precision_ends_with_the_flow(model: WaveGlow) -> None:
    vocoder = WaveGlowVocoder(model)
    full = vocoder.vocode(MEL, sigma=0.5, denoise=0.1, generator=noise())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = vocoder.vocode(MEL, sigma=0.5, denoise=0.1, generator=noise())
    assert half.dtype == torch.float32
    assert (half - full).norm() < 0.1 * full.norm()


def test_a_file_without_a_vocoder_is_refused(tiny_voice: Path) -> None:
    with pytest.raises(PipelineError, match="holds tacotron2, expected waveglow"):
        load_vocoder(tiny_voice / "tacotron2.safetensors")


def test_another_vocoder_is_one_file_and_one_row(
    tiny_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Architecture(GriffinLim, GriffinLimConfig, lambda model: model)
    monkeypatch.setitem(ARCHITECTURES, "griffin-lim", row)
    path = tmp_path / "griffin-lim.safetensors"
    save_model(GriffinLim(GriffinLimConfig()), path)
    speech = Synthesizer.load(tiny_voice, vocoder=path, device="cpu").speak("Hi.")
    (sentence,) = speech.sentences
    alone = griffin_lim(sentence.mel, AudioConfig())
    assert sentence.audio.shape == alone.shape
    mels = [log_mel(torch.from_numpy(audio)[None]) for audio in (sentence.audio, alone.clip(-1, 1))]
    assert (mels[0] - mels[1]).abs().mean() < 0.5  # they began with other phases


def test_a_vocoder_without_groups_has_no_tonal_artefact() -> None:
    vocoder = GriffinLim(GriffinLimConfig())
    assert group_size(vocoder) is None
    audio = voiced_sound(256 * 200)[0].numpy()
    assert np.isnan(tonal_artefact(audio, 22_050, n_group=group_size(vocoder)))
    assert np.isfinite(tonal_artefact(audio, 22_050, n_group=8))
