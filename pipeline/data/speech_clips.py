"""From recordings and their texts to clips that Tacotron 2 can be trained on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.data.alignment import load_alignments
from pipeline.data.corpora import Clip
from pipeline.data.features import load_features
from pipeline.data.prosody import load_pitch, within_voice_range
from pipeline.data.speech_batches import SpeechClip, spoken_tokens
from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig


def speech_clips(
    clips: Sequence[Clip],
    cache_dir: Path,
    audio: AudioConfig,
    *,
    boundary_symbol: str = "",
    speaker: int = 0,
) -> list[SpeechClip]:
    """Return clips of one speaker with their mels, pitch, tokens and the times of their phones.

    All of it is computed once and kept in the cache. Clips in which the recognizer does not hear
    their text are left out.

    Raises:
        PipelineError: A clip has no text, or none is left.
    """
    if not clips:
        raise PipelineError("No clip has a text, to train on or to validate with")
    silent = [clip.name for clip in clips if not clip.text]
    if silent:
        raise PipelineError(
            f"{len(silent)} clips have no text, first {silent[0]!r}; Tacotron 2 needs all of them"
        )
    features = load_features(clips, cache_dir, audio)
    pitches = within_voice_range(load_pitch(features, cache_dir))
    tokens = [spoken_tokens(clip.text, boundary_symbol=boundary_symbol) for clip in clips]
    all_times = load_alignments(tokens, features, cache_dir)
    unaligned = [clip.name for clip, times in zip(clips, all_times, strict=True) if not times]
    if unaligned:
        print(
            f"{len(unaligned)} of {len(clips)} clips are left out, first {unaligned[0]!r}: "
            "the recognizer does not hear their text in them",
            file=sys.stderr,
        )
    if len(unaligned) == len(clips):
        raise PipelineError("No clip is left to train Tacotron 2 on; do the texts belong to them?")
    return [
        SpeechClip(
            mel=features.mel(i),
            pitch=pitches[features.offsets[i] : features.offsets[i + 1]],
            tokens=tokens[i],
            times=times,
            speaker=speaker,
        )
        for i, times in enumerate(all_times)
        if times
    ]
