"""Measure a voice's mel levels: `python -m pipeline.training.voice_levels VOICE CORPUS`.

To be done after a change of what the voice predicts, its temperature included; training and
fine-tuning do it themselves.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tqdm import tqdm

from pipeline.audio import read_audio
from pipeline.command import run_command
from pipeline.data.corpora import read_corpus
from pipeline.data.speech_batches import SpeechClip, spoken_tokens
from pipeline.evaluation.naturalness import active_frames
from pipeline.mel import log_mel
from pipeline.mel_levels import measure_mel_levels
from pipeline.tacotron2 import Tacotron2
from pipeline.voice_folders import find_voice
from pipeline.voice_loading import load_predictor
from pipeline.voices import read_voice, write_voice
from text import Token, token_ids

MOST_CLIPS = 200


class Example(NamedTuple):
    """A text, and its recording."""

    tokens: Sequence[Token]
    mel: np.ndarray  # [M, T]


def examples_of(clips: Sequence[SpeechClip], *, speaker: int) -> list[Example]:
    """Return what a speaker said of the clips that a predictor was trained on."""
    return [Example(clip.tokens, clip.mel.T) for clip in clips if clip.speaker == speaker]


def measure_voice_levels(folder: Path, examples: Sequence[Example]) -> None:
    """Let a voice speak texts that were recorded, and write the levels of both to `voice.json`.

    Args:
        folder: Of the voice.
        examples: At least one; of many, as many as suffice are drawn.
    """
    voice = read_voice(folder)
    model = load_predictor(folder, voice).eval()
    drawn = random.Random(0).sample(examples, min(len(examples), MOST_CLIPS))
    predicted = [
        _speak(model, voice.speaker, example, seed)
        for seed, example in enumerate(tqdm(drawn, "levels", unit="clip", dynamic_ncols=True))
    ]
    levels = measure_mel_levels(
        [active_frames(mel) for mel in predicted],
        [active_frames(example.mel) for example in drawn],
    )
    write_voice(dataclasses.replace(voice, levels=levels), folder)


def levels_seconds(model: Tacotron2, speaker: int, examples: Sequence[Example]) -> float:
    """Return about how long `measure_voice_levels` will take, by the example of middle length."""
    probe = sorted(examples, key=lambda example: example.mel.shape[1])[len(examples) // 2]
    started = time.monotonic()
    _speak(model, speaker, probe, 0)
    return (time.monotonic() - started) * min(len(examples), MOST_CLIPS)


def _speak(model: Tacotron2, speaker: int, example: Example, seed: int) -> np.ndarray:
    """Return the mel [M, T] of an example's text."""
    ids = torch.tensor([token_ids(example.tokens)])
    generator = torch.Generator().manual_seed(seed)
    return model.infer(ids, speaker=speaker, generator=generator).mel[0].numpy()


def main(arguments: list[str] | None = None) -> int:
    """Measure the levels of a voice and write them into its `voice.json`."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.training.voice_levels", description=__doc__
    )
    parser.add_argument("voice", help="A name or folder")
    parser.add_argument("corpus", type=Path, help="Recordings of its speaker, with texts")
    args = parser.parse_args(arguments)

    def work() -> None:
        folder = find_voice(args.voice)
        voice = read_voice(folder)
        examples = [
            Example(
                spoken_tokens(clip.text, boundary_symbol=voice.boundary_symbol),
                log_mel(
                    torch.from_numpy(read_audio(clip.path, voice.audio.sample_rate))[None],
                    voice.audio,
                )[0].numpy(),
            )
            for clip in read_corpus(args.corpus, seed=0).train
            if clip.text
        ]
        measure_voice_levels(folder, examples)
        print(f"{folder / 'voice.json'}: levels of {min(len(examples), MOST_CLIPS)} clips")

    return run_command(work)


if __name__ == "__main__":
    raise SystemExit(main())
