"""The models of a voice, loaded and checked against its `voice.json`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

import torch

from pipeline.checkpoints import file_sha256, load_tacotron2, load_vocoder
from pipeline.errors import PipelineError
from pipeline.tacotron2 import Tacotron2
from pipeline.tacotron2.prosody import PITCH
from pipeline.vocoder import Vocoder
from pipeline.voice_folders import VOICES_DIR
from pipeline.voices import Voice, check_audio, read_voice

MAX_PITCH_SCALE = 4.0


def load_predictor(folder: Path, voice: Voice) -> Tacotron2:
    """Return the voice's Tacotron 2 with its temperature and melody, all that it says checked."""
    path = folder / voice.tacotron2.file
    model = load_tacotron2(path, sha256=voice.tacotron2.sha256)
    check_audio(path, model.config.audio, voice.audio)
    n_speakers = max(1, model.config.n_speakers)
    if not 0 <= voice.speaker < n_speakers:
        raise PipelineError(
            f"{folder / 'voice.json'} names speaker {voice.speaker}, but {path} has {n_speakers}; "
            f"expected 0 to {n_speakers - 1}"
        )
    try:
        if voice.temperature is not None:
            set_temperature(model, voice.temperature)
        if voice.pitch_scale is not None:
            set_pitch_scale(model, voice.pitch_scale)
    except ValueError as error:
        raise PipelineError(f"{folder / 'voice.json'}: {error}") from error
    return model


def set_temperature(model: Tacotron2, temperature: float) -> None:
    """Let a predictor speak at another temperature of its flow postnet."""
    model.config = dataclasses.replace(model.config, flow_temperature=temperature)
    if model.flow_postnet is not None:
        model.flow_postnet.config = model.config


def set_pitch_scale(model: Tacotron2, scale: float) -> None:
    """Let a predictor speak with more melody, or less: 0 is monotonous.

    Raises:
        ValueError: The scale is out of its range, or the predictor does not predict pitch.
    """
    if not 0.0 <= scale <= MAX_PITCH_SCALE:
        raise ValueError(f"pitch_scale is {scale}, expected 0 to {MAX_PITCH_SCALE:g}")
    if model.prosody is None:
        raise ValueError(f"pitch_scale is {scale}, but the predictor does not predict pitch")
    model.prosody.scale[PITCH] = scale


def load_voice_vocoder(
    folder: Path, voice: Voice, *, vocoder: str | Path | None, device: torch.device
) -> tuple[Vocoder, str]:
    """Return the voice's own vocoder, or another one, checked against its mels, and its sha256.

    Args:
        folder: The voice's folder.
        voice: What its `voice.json` says.
        vocoder: A `.safetensors` file, a folder that holds `waveglow.safetensors`, or the name of
            such a folder among the voices; None for the voice's own.
        device: Where it is to run.
    """
    found = _own_vocoder(folder, voice) if vocoder is None else find_vocoder(vocoder)
    loaded = load_vocoder(found.path, sha256=found.sha256, device=device)
    check_audio(found.path, loaded.config.audio, voice.audio)
    return loaded, found.sha256


class VocoderFile(NamedTuple):
    """A vocoder on disk."""

    path: Path
    sha256: str  # that the file must have; where no `voice.json` speaks of it, what it has
    voice: Voice | None  # whose own it is


def find_vocoder(vocoder: str | Path) -> VocoderFile:
    """Return the vocoder's file of a name, folder or file."""
    for place in (VOICES_DIR / vocoder, Path(vocoder)):
        if (place / "voice.json").is_file():
            return _own_vocoder(place, read_voice(place))
        for path in (place / "waveglow.safetensors", place):
            if path.is_file():
                return VocoderFile(path, file_sha256(path), None)
    raise PipelineError(
        f"No vocoder {str(vocoder)!r}: expected a .safetensors file, or a folder that holds "
        "waveglow.safetensors; python -m pipeline.fetch lists published ones"
    )


def _own_vocoder(folder: Path, voice: Voice) -> VocoderFile:
    if voice.waveglow is None:
        raise PipelineError(f"{folder} has no vocoder of its own; name one with --vocoder")
    return VocoderFile(folder / voice.waveglow.file, voice.waveglow.sha256, voice)
