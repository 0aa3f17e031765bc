"""Makes a run's folder a voice that speaks, as soon as both models are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.checkpoints import file_sha256, load_tacotron2, load_waveglow
from pipeline.voices import ModelFile, Voice, check_audio, install_model, read_voice, write_voice
from text import SYMBOL_TABLE_ID

DEFAULT_SIGMA = 0.7  # what samples are made with while the vocoder is trained
DEFAULT_DENOISE = 0.0  # the bias is trained away


def publish(model_path: Path, folder: Path, *, provenance: dict[str, Any]) -> Voice | None:
    """Copy a trained model into the voice folder; write `voice.json` once both models are there.

    Args:
        model_path: `waveglow.safetensors` or `tacotron2.safetensors` of a run.
        folder: The voice's folder; its name becomes the voice's.
        provenance: What the model card should know of this model's training.

    Returns:
        The voice, or None while the other model is missing.
    """
    installed = install_model(model_path, folder, model_path.stem)
    paths = {name: folder / f"{name}.safetensors" for name in ("tacotron2", "waveglow")}
    if not all(path.exists() for path in paths.values()):
        return None
    audio = load_tacotron2(paths["tacotron2"]).config.audio
    check_audio(paths["waveglow"], load_waveglow(paths["waveglow"]).config.audio, audio)
    files = {
        name: installed
        if name == model_path.stem
        else ModelFile(file=path.name, sha256=file_sha256(path))
        for name, path in paths.items()
    }
    old = read_voice(folder) if (folder / "voice.json").exists() else None
    voice = Voice(
        name=folder.resolve().name,
        language="en-us",
        symbol_table=SYMBOL_TABLE_ID,
        audio=audio,
        sigma=old.sigma if old else DEFAULT_SIGMA,
        denoise=old.denoise if old else DEFAULT_DENOISE,
        provenance={**(old.provenance if old else {}), model_path.stem: provenance},
        tacotron2=files["tacotron2"],
        waveglow=files["waveglow"],
    )
    write_voice(voice, folder)
    return voice
