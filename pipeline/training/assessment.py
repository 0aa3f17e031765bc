"""What a voice reaches on the validation clips of a fine-tuning, before it and after."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pipeline.atomic_write import atomic_write
from pipeline.audio import write_audio
from pipeline.data.alignment import align, make_decoder
from pipeline.data.corpora import Clip
from pipeline.data.speech_batches import spoken_tokens
from pipeline.evaluation.comparison import (
    ClipScores,
    compare,
    group_size,
    mel_of,
    read_whole_frames,
    vocoder_system,
)
from pipeline.evaluation.recognition import intelligibility, recognize
from pipeline.evaluation.voice_scores import plain
from pipeline.synthesizer import Synthesizer
from pipeline.training.ground_truth_aligned import predict_mel

MAX_CLIPS = 12
N_LISTENING = 3  # clips whose audio is kept


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Scores of each clip, and how long they took."""

    scores: list[ClipScores]
    seconds: float
    audio: dict[str, str]  # by clip, a file beside this one


def assess(
    model: str, tts: Synthesizer, clips: Sequence[Clip], folder: Path, *, gta: bool
) -> Assessment:
    """Score a voice on clips, and write scores and the audio of some of them into a folder.

    Args:
        model: "waveglow" is given the clips' mels; "tacotron2" speaks their texts.
        tts: The voice.
        clips: Recordings; the first `MAX_CLIPS` count.
        folder: Where everything goes; `assessment.json` comes last.
        gta: Give WaveGlow the mels that the voice's Tacotron 2 predicts.
    """
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    audio: dict[str, str] = {}

    def keep(clip: Clip, _: str, samples: np.ndarray) -> None:
        if len(audio) < N_LISTENING:
            audio[clip.name] = f"{clip.name}.flac"
            write_audio(folder / audio[clip.name], samples, tts.voice.audio.sample_rate)

    def predict(clip: Clip, mel: np.ndarray) -> np.ndarray:
        predicted = _predicted(tts, clip, mel) if gta else None
        return mel if predicted is None else predicted

    chosen = clips[:MAX_CLIPS]
    if model == "tacotron2":
        scores = [_predictor_scores(tts, clip, keep) for clip in chosen]
    else:
        system = vocoder_system(tts.vocoder, sigma=tts.voice.sigma, denoise=tts.voice.denoise)
        scores = compare(
            chosen,
            {model: system},
            tts.voice.audio,
            n_group=group_size(tts.vocoder),
            predict=predict,
            listen=keep,
        )[model]
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


def _predicted(tts: Synthesizer, clip: Clip, mel: np.ndarray) -> np.ndarray | None:
    """Return the mel [M, T] predicted in step with a recording's, None if no step is found."""
    audio = read_whole_frames(clip, tts.voice.audio)
    tokens = spoken_tokens(clip.text, boundary_symbol=tts.voice.boundary_symbol)
    times = align(make_decoder([tokens]), tokens, audio, tts.voice.audio.sample_rate)
    if times is None:
        return None
    return predict_mel(tts.tacotron2, tokens, times, mel.T, speaker=tts.voice.speaker, seed=0).T


def _predictor_scores(
    tts: Synthesizer, clip: Clip, keep: Callable[[Clip, str, np.ndarray], None]
) -> ClipScores:
    recorded = mel_of(read_whole_frames(clip, tts.voice.audio), tts.voice.audio)
    speech = tts.speak(clip.text)
    keep(clip, "spoken", speech.audio)
    predicted = _predicted(tts, clip, recorded)
    heard = intelligibility([recognize(speech.audio, speech.sample_rate)], [clip.text])
    return {
        "distance_in_step": math.nan
        if predicted is None
        else float(np.abs(predicted - recorded).mean()),
        "word_error_rate": heard.word_error_rate,
        "seconds_per_recorded_second": speech.mel.shape[1] / recorded.shape[1],
    }
