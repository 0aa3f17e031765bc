"""From any published file to one of our models, and from a model to the file that is asked for."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.checkpoints import file_sha256, load_model, read_description, save_model
from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig
from pipeline.pretrained.nemo_archives import is_nemo, read_nemo, write_nemo
from pipeline.pretrained.nemo_configs import (
    featurizer,
    mel_settings,
    tacotron2_config,
    waveglow_config,
)
from pipeline.pretrained.nemo_symbols import LABEL_ENDINGS, embedding_of_our_symbols, nemo_tokens
from pipeline.pretrained.tacotron2_state_dict import (
    is_tacotron2,
    tacotron2_from_published,
    tacotron2_to_nemo,
)
from pipeline.pretrained.torch_files import read_weights
from pipeline.pretrained.waveglow_state_dict import (
    Couplings,
    is_waveglow,
    waveglow_from_published,
    waveglow_to_nemo,
)
from pipeline.tacotron2 import Tacotron2
from pipeline.vocoder_defaults import PUBLISHED
from pipeline.voices import publish
from pipeline.waveglow import WaveGlow
from text import SYMBOLS


@dataclass(frozen=True)
class Converted:
    """A model and where it comes from."""

    model: WaveGlow | Tacotron2
    layout: str
    provenance: dict[str, Any]
    notes: list[str] = field(default_factory=list)  # what a user should know
    boundary_symbol: str = ""  # what a Tacotron 2 expects at both ends of a text

    @property
    def architecture(self) -> str:
        """Which of the two models it is, as our files name it."""
        return "waveglow" if isinstance(self.model, WaveGlow) else "tacotron2"


def read_any(
    path: Path, *, mel_max_hz: float | None = None, couplings: Couplings | None = None
) -> Converted:
    """Return the model of a published file or of one of ours, recognized by its content.

    Args:
        path: The file.
        mel_max_hz: Upper end of the mels, where the file does not tell it.
        couplings: Which half a WaveGlow's flows change, where its age does not tell.

    Raises:
        PipelineError: The file is damaged, hostile, of another model, or does not tell its mels.
    """
    try:
        with path.open("rb") as file:
            start = file.read(9)
        is_archive = is_nemo(path)
    except OSError as error:
        raise PipelineError(f"Cannot read {path}: {error.strerror}") from error
    if is_archive:
        converted = _read_nemo(path, couplings)
    elif start[8:] == b"{":
        converted = _read_ours(path)
    else:
        converted = _read_nvidia(path, mel_max_hz, couplings)
    told = converted.model.config.audio.mel_max_hz
    if mel_max_hz is not None and told != mel_max_hz:
        raise PipelineError(f"{path} says that its mels go to {told:g} Hz, not {mel_max_hz:g}")
    return converted


def write_any(converted: Converted, out: Path, *, half: bool = False, force: bool = False) -> Path:
    """Write a model as `.safetensors`, as `.nemo`, or into a folder; return the file written.

    A folder with a Tacotron 2 becomes a voice; a WaveGlow written into that folder becomes the
    vocoder of the voice.

    Raises:
        PipelineError: The file exists and is not to be overwritten, cannot be written, or cannot
            hold this model.
    """
    is_file = out.suffix in (".safetensors", ".nemo")
    path = out if is_file else out / f"{converted.architecture}.safetensors"
    if path.exists() and not force:
        raise PipelineError(f"{path} exists; --force overwrites it")
    if out.suffix == ".nemo":
        write_nemo(out, *to_nemo(converted.model, str(out)))
        return out
    if not is_file:
        _check_symbols(converted)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PipelineError(f"Cannot make {out}: {error.strerror}") from error
    save_model(_halved(converted.model) if half else converted.model, path)
    if not is_file:
        _enter_voice(converted, out, path)
    return path


def to_nemo(model: WaveGlow | Tacotron2, name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the config from which NeMo builds a model of ours, and its weights.

    Args:
        model: Ours.
        name: What it is called in errors.

    Raises:
        PipelineError: NeMo's model has not all its parts, or cannot be told its symbols.
    """
    features = featurizer(model.config.audio)[1]
    if isinstance(model, WaveGlow):
        return waveglow_config(model.config), waveglow_to_nemo(model) | features
    if model.config.n_symbols != len(SYMBOLS):
        raise PipelineError(
            f"{name}: the model reads {model.config.n_symbols} symbols, expected the "
            f"{len(SYMBOLS)} of this text front end, which NeMo has to be told by name"
        )
    weights = tacotron2_to_nemo(model)
    embedding = weights["text_embedding.weight"]
    silent = embedding.new_zeros(
        len(LABEL_ENDINGS), embedding.shape[1]
    )  # never trained: they say nothing
    weights["text_embedding.weight"] = torch.cat([embedding, silent])
    return tacotron2_config(model.config, list(SYMBOLS)), weights | features


def _read_nvidia(path: Path, mel_max_hz: float | None, couplings: Couplings | None) -> Converted:
    with path.open("rb") as file:
        weights, pickled = read_weights(file, str(path))
    if not (is_waveglow(weights) or is_tacotron2(weights)):
        raise _unknown(path, weights)
    if mel_max_hz is None:
        raise PipelineError(
            f"{path} does not tell up to which frequency its mels go; give --mel-max-hz, 8000 for "
            "all that NVIDIA published (config.json of DeepLearningExamples says 7000, "
            "but its training takes 8000 by default)"
        )
    audio = AudioConfig(mel_max_hz=mel_max_hz)
    if couplings is None and pickled.startswith("glow_old."):
        couplings = "alternate"
    model: WaveGlow | Tacotron2
    if is_waveglow(weights):
        model = waveglow_from_published(weights, audio, couplings=couplings, source=str(path))
    else:
        model = tacotron2_from_published(weights, audio, source=str(path))
    layout = "NVIDIA's layout" + (", pickled" if pickled else "")
    return Converted(model, layout, _provenance(path, layout))


def _read_nemo(path: Path, couplings: Couplings | None) -> Converted:
    config, weights = read_nemo(path)
    audio = mel_settings(config, weights, str(path))
    provenance = _provenance(path, "NeMo's layout")
    notes = ["NeMo computed its mels with a symmetric Hann window, ours is periodic"]
    if is_waveglow(weights):
        waveglow = waveglow_from_published(weights, audio, couplings=couplings, source=str(path))
        return Converted(waveglow, "NeMo's layout", provenance, notes)
    if not is_tacotron2(weights):
        raise _unknown(path, weights)
    if "text_embedding.weight" in weights:
        tokens = nemo_tokens(config, str(path))
        weights["text_embedding.weight"], read = embedding_of_our_symbols(
            weights["text_embedding.weight"], tokens, str(path)
        )
        renamed = {symbol: token for symbol, token in read.items() if symbol.strip("@") != token}
        provenance["nemo_tokens"] = renamed
    tokenizer = config.get("text_tokenizer")
    has_boundary = isinstance(tokenizer, dict) and tokenizer.get("pad_with_space")
    boundary_symbol = " " if has_boundary else ""
    if "labels" in config:
        notes.append("in NeMo every text it read began and ended with a token of its own")
    provenance["notes"] = notes
    tacotron2 = tacotron2_from_published(weights, audio, source=str(path))
    return Converted(tacotron2, "NeMo's layout", provenance, notes, boundary_symbol)


def _read_ours(path: Path) -> Converted:
    architecture = read_description(path).get("architecture")
    if architecture not in ("waveglow", "tacotron2"):
        raise PipelineError(f"{path} holds {architecture or 'no model that we know'}")
    model = load_model(path, architecture)
    assert isinstance(model, WaveGlow | Tacotron2)
    return Converted(model, "our layout", _provenance(path, "our layout"))


def _check_symbols(converted: Converted) -> None:
    model = converted.model
    if isinstance(model, Tacotron2) and model.config.n_symbols != len(SYMBOLS):
        raise PipelineError(
            f"The model reads {model.config.n_symbols} symbols, this text front end has "
            f"{len(SYMBOLS)}; it cannot become a voice, only a .safetensors file"
        )


def _enter_voice(converted: Converted, folder: Path, path: Path) -> None:
    """Make the folder of a Tacotron 2 a voice, and a WaveGlow the vocoder of such a folder."""
    has_predictor = converted.architecture == "tacotron2"
    publish(
        folder,
        {converted.architecture: path},
        provenance={converted.architecture: converted.provenance},
        defaults=PUBLISHED,
        speaker=0 if has_predictor else None,
        boundary_symbol=converted.boundary_symbol if has_predictor else None,
    )


def _halved(model: WaveGlow | Tacotron2) -> WaveGlow | Tacotron2:
    halved = copy.deepcopy(model).half()
    for name, tensor in halved.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise PipelineError(f"{name} has values beyond half precision; convert without --half")
    return halved


def _provenance(path: Path, layout: str) -> dict[str, Any]:
    return {"file": path.name, "sha256": file_sha256(path), "layout": layout}


def _unknown(path: Path, weights: dict[str, Tensor]) -> PipelineError:
    some = ", ".join(sorted(weights)[:3])
    return PipelineError(
        f"{path} holds neither a Tacotron 2 nor a WaveGlow; its weights are called {some}, ..."
    )
