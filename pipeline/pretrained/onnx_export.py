"""Models and whole voices to folders of ONNX files, which `pipeline.onnx_engine` speaks with."""

from __future__ import annotations

import math
from pathlib import Path

import onnx

from pipeline.atomic_write import atomic_write
from pipeline.checkpoints import load_waveglow
from pipeline.errors import PipelineError
from pipeline.onnx_engine.exported_voice import (
    DESCRIPTION,
    ExportedVoice,
    setting_digests,
    write_export,
)
from pipeline.pretrained.onnx_tacotron2 import frames_graph, postnet_graph
from pipeline.pretrained.onnx_waveglow import vocoder_graph
from pipeline.tacotron2 import Tacotron2
from pipeline.voice_loading import load_predictor
from pipeline.voices import check_audio, read_voice
from pipeline.waveglow import WaveGlow


def export_model(model: WaveGlow | Tacotron2, out: Path, *, force: bool = False) -> list[Path]:
    """Write a model's ONNX files into a folder; return them.

    Raises:
        PipelineError: One exists and is not to be overwritten, or cannot be written.
    """
    names = ["vocoder"] if isinstance(model, WaveGlow) else ["tacotron2", "postnet"]
    paths = [out / f"{name}.onnx" for name in names]
    _prepare(out, paths, force=force)
    if isinstance(model, WaveGlow):
        graphs = [vocoder_graph(model)]
    else:
        graphs = [frames_graph(model), postnet_graph(model)]
    for graph, path in zip(graphs, paths, strict=True):
        with atomic_write(path) as part_path:
            onnx.save(graph, part_path)
    return paths


def export_voice(folder: Path, out: Path, *, force: bool = False) -> list[Path]:
    """Write a voice as ONNX into a folder, for `speak --engine onnx`; return the files.

    Raises:
        PipelineError: The voice is not whole, or a file exists and is not to be overwritten.
    """
    voice = read_voice(folder)
    if voice.waveglow is None:
        raise PipelineError(
            f"{folder} has no vocoder of its own; give it one by "
            f"python -m pipeline.convert WAVEGLOW-FILE {folder}"
        )
    description = out / DESCRIPTION
    _prepare(out, [description], force=force)
    tacotron2 = load_predictor(folder, voice)
    path = folder / voice.waveglow.file
    waveglow = load_waveglow(path, sha256=voice.waveglow.sha256)
    check_audio(path, waveglow.config.audio, voice.audio)
    paths = [*export_model(tacotron2, out, force=force), *export_model(waveglow, out, force=force)]
    exported = ExportedVoice(
        name=voice.name,
        language=voice.language,
        symbol_table=voice.symbol_table,
        boundary_symbol=voice.boundary_symbol,
        speaker=voice.speaker,
        sigma=voice.sigma,
        denoise=voice.denoise,
        levels=voice.levels,
        sample_rate=voice.audio.sample_rate,
        hop_length=voice.audio.hop_length,
        n_mels=voice.audio.n_mels,
        silence=math.log(voice.audio.magnitude_floor),
        reduction=tacotron2.config.reduction,
        prenet_size=tacotron2.config.prenet_size,
        n_group=waveglow.config.n_group,
        made_of=setting_digests(folder / "voice.json"),
    )
    write_export(exported, out)
    return [*paths, description]


def _prepare(out: Path, paths: list[Path], *, force: bool) -> None:
    """Make the folder, and refuse to overwrite."""
    there = [path for path in paths if path.exists()]
    if there and not force:
        raise PipelineError(f"{there[0]} exists; --force overwrites it")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PipelineError(f"Cannot make the folder {out}: {error.strerror}") from error
