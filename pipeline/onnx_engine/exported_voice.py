"""A voice as ONNX on disk: a folder with three models and `onnx.json`, which tells their use."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.atomic_write import atomic_write
from pipeline.errors import PipelineError
from pipeline.mel_levels import MelLevels
from pipeline.options import SpeechOptions
from pipeline.voice_folders import find_voice
from text import SYMBOL_TABLE_ID

DESCRIPTION = "onnx.json"
FOLDER = "onnx"  # in a voice's folder
_NOT_EXPORTED = ("name", "speaker_name", "consent", "provenance")  # of `voice.json`


@dataclass(frozen=True, kw_only=True)
class ExportedVoice:
    """What `onnx.json` says: all that is to be known of a voice beside the three models."""

    name: str
    language: str
    symbol_table: str  # which table of `text` it reads
    boundary_symbol: str  # what goes to both ends of a text
    speaker: int
    sigma: float  # the voice's own options
    denoise: float
    levels: MelLevels | None  # of the mels
    sample_rate: int  # Hz
    hop_length: int  # samples a mel frame
    n_mels: int
    silence: float  # the log mel of silence
    reduction: int  # frames a decoder step
    prenet_size: int  # values of dropout a step and layer
    n_group: int  # samples the vocoder's noise has as one vector
    made_of: dict[str, str]  # the SHA-256 of each setting of the voice, its models among them

    @property
    def options(self) -> SpeechOptions:
        """The options that it is spoken with where nobody asks for others."""
        return SpeechOptions(sigma=self.sigma, denoise=self.denoise)

    def max_steps(self, n_symbols: int) -> int:
        """Return how many decoder steps a sentence may take, as `tacotron2.frame_limit` has it."""
        seconds = 2.0 + n_symbols / 4.0
        return max(1, int(seconds * self.sample_rate / self.hop_length) // self.reduction)


def find_export(voice: str | Path) -> Path:
    """Return the folder of a voice's ONNX models: itself, or the one in a voice's folder.

    Raises:
        PipelineError: There is no such voice, or it was not converted yet.
    """
    if (Path(voice) / DESCRIPTION).is_file():
        return Path(voice)
    folder = find_voice(voice) / FOLDER
    if not (folder / DESCRIPTION).is_file():
        raise PipelineError(
            f"The voice {str(voice)!r} has no ONNX models in {folder}; "
            f"python -m pipeline.convert {voice} {folder} --to onnx makes them"
        )
    return folder


def read_export(folder: Path) -> ExportedVoice:
    """Return what a folder's `onnx.json` says.

    Raises:
        PipelineError: It cannot be read, was written for another version of this program, or the
            voice around it has other weights or settings by now.
    """
    path = folder / DESCRIPTION
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        levels = MelLevels(**values["levels"]) if values.get("levels") else None
        voice = ExportedVoice(**values | {"levels": levels})
    except OSError as error:
        raise PipelineError(f"Cannot read {path}: {error.strerror}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise PipelineError(
            f"{path} does not describe a voice: {error}; convert it anew"
        ) from error
    if voice.symbol_table != SYMBOL_TABLE_ID:
        raise PipelineError(
            f"{path} was made for symbol table {voice.symbol_table}, "
            f"this text front end has {SYMBOL_TABLE_ID}"
        )
    _check_voice(folder, voice)
    return voice


def write_export(voice: ExportedVoice, folder: Path) -> None:
    """Write `onnx.json`, whole or not at all."""
    content = json.dumps(asdict(voice), indent=2)
    with atomic_write(folder / DESCRIPTION) as part_path:
        part_path.write_text(content + "\n", encoding="utf-8")


def setting_digests(voice_path: Path) -> dict[str, str]:
    """Return the SHA-256 of each setting in a `voice.json` that an export depends on.

    Raises:
        PipelineError: It cannot be read.
    """
    try:
        settings = json.loads(voice_path.read_text(encoding="utf-8")).items()
    except (AttributeError, OSError, ValueError) as error:
        raise PipelineError(f"Cannot read {voice_path}: {error}") from error
    return {
        name: hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
        for name, value in settings
        if name not in _NOT_EXPORTED and value is not None
    }


def _check_voice(folder: Path, exported: ExportedVoice) -> None:
    """Raise PipelineError where the voice that the folder lies in has changed since."""
    path = folder.resolve().parent / "voice.json"
    if not path.is_file():
        return
    before, now = exported.made_of, setting_digests(path)
    changed = sorted(name for name in before | now if before.get(name) != now.get(name))
    if changed:
        raise PipelineError(
            f"{folder} was made before {', '.join(changed)} changed in {path}; "
            f"python -m pipeline.convert {folder.parent} {folder} --to onnx --force "
            "converts it anew"
        )
