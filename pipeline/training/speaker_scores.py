"""How a voice speaks the texts of recordings: understood, natural, and like the speaker."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.data.alignment import align, make_decoder
from pipeline.data.corpora import Clip
from pipeline.data.speech_batches import spoken_tokens
from pipeline.evaluation import likeness
from pipeline.evaluation.comparison import ClipScores, mel_of, read_whole_frames
from pipeline.evaluation.naturalness import dnsmos, pitch_scores
from pipeline.evaluation.recognition import intelligibility, recognize
from pipeline.synthesizer import Synthesizer
from pipeline.torch_engine import TorchEngine
from pipeline.training.ground_truth_aligned import predict_mel

Keep = Callable[[Clip, str, np.ndarray], None]
"""Is given each clip, what made its audio, and the audio [S]."""


def speaker_scores(engine: TorchEngine, clips: Sequence[Clip], keep: Keep) -> list[ClipScores]:
    """Return the scores of each clip's text as a voice speaks it."""
    tts, config = Synthesizer(engine), engine.voice.audio
    recordings = [read_whole_frames(clip, config) for clip in clips]
    has_verifier = likeness.is_installed()
    prints = [
        likeness.voice_print(audio, config.sample_rate) for audio in recordings if has_verifier
    ]
    scores, spoken_prints = [], []
    for clip, recorded in zip(clips, recordings, strict=True):
        speech = tts.speak(clip.text)
        keep(clip, "spoken", speech.audio)
        heard = intelligibility([recognize(speech.audio, speech.sample_rate)], [clip.text])
        mel = mel_of(recorded, config)
        scores.append(
            {
                "word_error_rate": heard.word_error_rate,
                "seconds_per_recorded_second": speech.mel.shape[1] / mel.shape[1],
                "distance_in_step": _distance_in_step(engine, clip, mel),
                "dnsmos_p808": dnsmos(speech.audio, speech.sample_rate)["dnsmos_p808"],
                **_pitch_scores(speech.audio, recorded, config.sample_rate),
            }
        )
        if has_verifier:
            spoken_prints.append(likeness.voice_print(speech.audio, speech.sample_rate))
    for of_clip, cosine in zip(
        scores, likeness.likeness_to_speaker(spoken_prints, prints), strict=False
    ):
        of_clip["likeness"] = cosine
    return scores


def predicted_in_step(engine: TorchEngine, clip: Clip, mel: np.ndarray) -> np.ndarray | None:
    """Return the mel [M, T] predicted in step with a recording's, None if no step is found."""
    audio = read_whole_frames(clip, engine.voice.audio)
    tokens = spoken_tokens(clip.text, boundary_symbol=engine.voice.boundary_symbol)
    times = align(make_decoder([tokens]), tokens, audio, engine.voice.audio.sample_rate)
    if times is None:
        return None
    return predict_mel(
        engine.tacotron2, tokens, times, mel.T, speaker=engine.voice.speaker, seed=0
    ).T


def _distance_in_step(engine: TorchEngine, clip: Clip, mel: np.ndarray) -> float:
    predicted = predicted_in_step(engine, clip, mel)
    return math.nan if predicted is None else float(np.abs(predicted - mel).mean())


def _pitch_scores(spoken: np.ndarray, recorded: np.ndarray, sample_rate: int) -> ClipScores:
    """Return how far the pitch of speech is from the recording's, and how wide it moves."""
    ours, theirs = (pitch_scores(audio, sample_rate) for audio in (spoken, recorded))
    return {
        "pitch_offset": abs(12.0 * math.log2(ours["pitch_hz"] / theirs["pitch_hz"])),
        "pitch_spread": ours["pitch_semitones"] / (theirs["pitch_semitones"] or math.nan),
    }
