"""Voices on disk: a folder with `voice.json`, and the two models that it names put there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.atomic_write import atomic_write
from pipeline.checkpoints import (
    config_from_json,
    file_sha256,
    read_audio_config,
)
from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig
from pipeline.mel_levels import MelLevels
from pipeline.options import SpeechOptions
from pipeline.vocoder_defaults import TRAINED, VocoderDefaults
from text import SYMBOL_TABLE_ID

NOT_HEARD = ("name", "sigma", "denoise", "speaker_name", "consent", "provenance")
NUMBERS = re.compile(r"\[[\s\d.,e-]+\]")  # a list of them in JSON, which is to be one line


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """One model of a voice."""

    file: str  # in the voice's folder
    sha256: str

    def __post_init__(self) -> None:
        is_name = self.file == Path(self.file).name and self.file.isprintable()
        if not is_name or self.file in ("", ".."):
            raise ValueError(f"file is {self.file!r}, expected the name of one in the same folder")


@dataclass(frozen=True, kw_only=True)
class Voice:
    """What `voice.json` says."""

    name: str
    language: str
    symbol_table: str  # which table of `text` the predictor was trained with
    audio: AudioConfig
    tacotron2: ModelFile
    waveglow: ModelFile | None  # None: it speaks with a vocoder of another folder
    sigma: float  # what sounds best, found by scores
    denoise: float
    levels: MelLevels | None = None  # of its mels; None for those that the predictor says
    temperature: float | None = None  # of the flow postnet's noise; None for the predictor's own
    pitch_scale: float | None = None  # of predicted melody; None for the predictor's own
    speaker: int = 0  # which of the predictor's speakers
    boundary_symbol: str = ""  # what the predictor was trained to find at both ends of a text
    speaker_name: str = ""  # whose voice it is
    consent: str = ""  # what that person has agreed to
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.levels is not None and self.levels.n_mels != self.audio.n_mels:
            raise ValueError(
                f"levels are of {self.levels.n_mels} channels, expected {self.audio.n_mels}"
            )

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of what its audio depends on beside the options, its models included."""
        facts = {n: v for n, v in dataclasses.asdict(self).items() if n not in NOT_HEARD}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @property
    def options(self) -> SpeechOptions:
        """The options that it is spoken with where nobody asks for others."""
        return SpeechOptions(sigma=self.sigma, denoise=self.denoise)


def read_voice(folder: Path) -> Voice:
    """Return what a folder's `voice.json` says.

    Raises:
        PipelineError: It cannot be read, has unknown keys, or names a symbol table we lack.
    """
    path = folder / "voice.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and "edge_symbol" in content:  # its name until version 0.1
            content["boundary_symbol"] = content.pop("edge_symbol")
        voice = config_from_json(Voice, content)
        _ = voice.options  # which are checked when they are made
    except OSError as error:
        raise PipelineError(f"Cannot read {path}: {error.strerror}") from error
    except (ArithmeticError, RecursionError, TypeError, ValueError) as error:
        raise PipelineError(f"{path} does not hold a voice: {error}") from error
    if voice.symbol_table != SYMBOL_TABLE_ID:
        raise PipelineError(
            f"{path} was trained with symbol table {voice.symbol_table}, "
            f"this text front end has {SYMBOL_TABLE_ID}"
        )
    return voice


def write_voice(voice: Voice, folder: Path) -> None:
    """Write `voice.json`, whole or not at all."""
    content = json.dumps(dataclasses.asdict(voice), indent=2)
    content = NUMBERS.sub(lambda row: re.sub(r"\n\s*", "", row[0]), content)
    with atomic_write(folder / "voice.json") as part_path:
        part_path.write_text(content + "\n", encoding="utf-8")


def publish(
    folder: Path,
    models: Mapping[str, Path],
    *,
    provenance: Mapping[str, Any],
    base: Voice | None = None,
    defaults: VocoderDefaults = TRAINED,
    speaker: int | None = None,
    boundary_symbol: str | None = None,
) -> Voice | None:
    """Copy models into a folder and write its `voice.json` as soon as it has a predictor.

    With another predictor, what was measured of the one before it, the levels of its mels and the
    scale of its pitch, is dropped.

    Args:
        folder: Its name becomes the voice's.
        models: Where "tacotron2", "waveglow" or both are; one that is not given stays as it is.
        provenance: Where they come from; added to what the folder's `voice.json` says of that.
        base: What the voice is like in everything else; by default, what it was like before.
        defaults: Sigma and denoising strength of a voice that is new.
        speaker: Which of the predictor's speakers; by default as before, the first in a new voice.
        boundary_symbol: Of the predictor; by default as before, none in a new voice.

    Returns:
        The voice, or None while the folder has no predictor.

    Raises:
        PipelineError: A file cannot be read, or the two models are made for different mels.
    """
    old = read_voice(folder) if (folder / "voice.json").is_file() else None
    files, audio = _install(folder, models)
    if "tacotron2" not in files:  # the vocoder waits for it
        return None
    new = Voice(
        name=folder.resolve().name,
        language="en-us",
        symbol_table=SYMBOL_TABLE_ID,
        audio=audio,
        tacotron2=files["tacotron2"],
        waveglow=files.get("waveglow"),
        sigma=defaults.sigma,
        denoise=defaults.denoise,
    )
    like = base or old or new
    if like.tacotron2.sha256 != new.tacotron2.sha256:
        like = dataclasses.replace(like, levels=None, pitch_scale=None)
    voice = dataclasses.replace(
        like,
        name=new.name,
        audio=new.audio,
        tacotron2=new.tacotron2,
        waveglow=new.waveglow,
        speaker=like.speaker if speaker is None else speaker,
        boundary_symbol=like.boundary_symbol if boundary_symbol is None else boundary_symbol,
        provenance={**(old.provenance if old else {}), **provenance},
    )
    write_voice(voice, folder)
    return voice


def _install(folder: Path, models: Mapping[str, Path]) -> tuple[dict[str, ModelFile], AudioConfig]:
    """Copy models into a voice's folder, and return all that are there then and their mels."""
    targets = {name: folder / f"{name}.safetensors" for name in ("tacotron2", "waveglow")}
    sources = {name: path for name, path in targets.items() if path.is_file()} | dict(models)
    audio = {name: read_audio_config(path) for name, path in sources.items()}
    if len(audio) == 2:
        check_audio(sources["waveglow"], audio["waveglow"], audio["tacotron2"])
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sources.items():
        if source.resolve() != targets[name].resolve():
            with atomic_write(targets[name]) as part_path:
                shutil.copyfile(source, part_path)
    files = {
        name: ModelFile(file=targets[name].name, sha256=file_sha256(targets[name]))
        for name in sources
    }
    return files, next(iter(audio.values()))


def check_audio(path: Path, seen: AudioConfig, expected: AudioConfig) -> None:
    """Raise PipelineError where a model's mel settings differ from the voice's."""
    for setting in dataclasses.fields(AudioConfig):
        ours, theirs = getattr(expected, setting.name), getattr(seen, setting.name)
        if ours != theirs:
            raise PipelineError(
                f"{path} works with {setting.name} {theirs}, the voice with {ours}; "
                "predictor and vocoder must be made for the same mels"
            )
