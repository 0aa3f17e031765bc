"""Where voices are: by name among the installed ones, or in any folder."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import PipelineError

VOICES_DIR = Path(__file__).parents[1] / "checkpoints"


def find_voice(voice: str | Path) -> Path:
    """Return the folder of a voice given by name or by folder.

    Raises:
        PipelineError: There is none; the voices that there are are named.
    """
    for folder in (VOICES_DIR / voice, Path(voice)):
        if (folder / "voice.json").is_file():
            return folder
    known = sorted(path.parent.name for path in VOICES_DIR.glob("*/voice.json"))
    raise PipelineError(
        f"No voice {str(voice)!r}: expected a folder with voice.json or one of "
        f"{', '.join(known) or '(none installed)'}; python -m pipeline.fetch lists more"
    )
