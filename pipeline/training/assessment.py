"""What a voice reaches on the validation clips of a fine-tuning, before it and after."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pipeline.atomic_write import atomic_write
from pipeline.audio import write_audio
from pipeline.data.corpora import Clip
from pipeline.evaluation.comparison import (
    ClipScores,
    compare,
    group_size,
    vocoder_system,
)
from pipeline.evaluation.voice_scores import plain
from pipeline.torch_engine import TorchEngine
from pipeline.training.options import ModelName
from pipeline.training.speaker_scores import Keep, predicted_in_step, speaker_scores

MAX_CLIPS = 12
MAX_SPOKEN_CLIPS = 4  # of a predictor, which takes longer to score
N_LISTENING = 3  # clips whose audio is kept


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Scores of each clip, and how long they took."""

    scores: list[ClipScores]
    seconds: float
    audio: dict[str, str]  # by clip, a file beside this one


def assess(
    models: Sequence[ModelName],
    engine: TorchEngine,
    clips: Sequence[Clip],
    folder: Path,
    *,
    gta: bool,
) -> Assessment:
    """Score a voice on clips, and write scores and the audio of some of them into a folder.

    Args:
        models: "waveglow" is given the clips' mels; "tacotron2" speaks their texts.
        engine: The voice.
        clips: Recordings; the first `MAX_CLIPS`, or `MAX_SPOKEN_CLIPS` with a text, count.
        folder: Where everything goes; `assessment.json` comes last.
        gta: Give WaveGlow the mels that the voice's Tacotron 2 predicts.
    """
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    audio: dict[str, str] = {}

    def keep(clip: Clip, _: str, samples: np.ndarray) -> None:
        if clip.name not in audio and len(audio) < N_LISTENING:
            audio[clip.name] = f"{clip.name}.flac"
            write_audio(folder / audio[clip.name], samples, engine.voice.audio.sample_rate)

    chosen = clips[:MAX_CLIPS]
    scores: list[ClipScores] = []
    if "tacotron2" in models:
        chosen = [clip for clip in clips if clip.text][:MAX_SPOKEN_CLIPS]
        scores = speaker_scores(engine, chosen, keep)
    if "waveglow" in models:
        vocoded = _vocoder_scores(engine, chosen, keep, gta=gta)
        scores = [
            one | other for one, other in zip(scores or [{}] * len(chosen), vocoded, strict=True)
        ]
    result = Assessment(scores=scores, seconds=time.monotonic() - started, audio=audio)
    content = asdict(result) | {"scores": [plain(clip) for clip in scores]}
    with atomic_write(folder / "assessment.json") as part_path:
        part_path.write_text(json.dumps(content, indent=1))
    return result


def read_assessment(folder: Path) -> Assessment | None:
    """Return what `assess` wrote into a folder, or None where it did not come to its end."""
    path = folder / "assessment.json"
    if not path.exists():
        return None
    content = json.loads(path.read_text())
    scores = [
        {name: float("nan") if value is None else value for name, value in clip.items()}
        for clip in content["scores"]
    ]
    return Assessment(scores=scores, seconds=content["seconds"], audio=content["audio"])


def _vocoder_scores(
    engine: TorchEngine, clips: Sequence[Clip], keep: Keep, *, gta: bool
) -> list[ClipScores]:
    def predict(clip: Clip, mel: np.ndarray) -> np.ndarray:
        predicted = predicted_in_step(engine, clip, mel) if gta else None
        return mel if predicted is None else predicted

    system = vocoder_system(engine.vocoder, sigma=engine.voice.sigma, denoise=engine.voice.denoise)
    return compare(
        clips,
        {"vocoded": system},
        engine.voice.audio,
        n_group=group_size(engine.vocoder),
        predict=predict,
        listen=keep,
    )["vocoded"]
