"""The sizes of both models, and how a command's options become a task and a run."""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.data.alignment import load_alignments
from pipeline.data.corpora import Clip, Corpus, read_corpus
from pipeline.data.features import Features, load_features
from pipeline.data.speech_batches import SpeechClips, spoken_tokens
from pipeline.errors import PipelineError
from pipeline.tacotron2 import Tacotron2, Tacotron2Config
from pipeline.training.engine import Progress, Schedule, Task, Trainer
from pipeline.training.processes import launch
from pipeline.training.run_folder import RunFolder
from pipeline.training.tacotron2_task import Tacotron2Recipe, Tacotron2Task
from pipeline.training.voice_folder import publish
from pipeline.training.waveglow_task import WaveGlowRecipe, WaveGlowTask
from pipeline.waveglow import WaveGlow, WaveGlowConfig

WAVEGLOW_SIZES = {
    "full": WaveGlowConfig(),
    "small": WaveGlowConfig(
        n_flows=8,
        n_group=16,
        n_layers=4,
        n_channels=64,
        conditioning="interpolate",
        conditioning_channels=96,
        prediction_order=22,
        pulses=True,
        matching_rounds=4,
    ),
}
ATTENTION_SHARPNESS = 3.0  # at 1.0 it drifts ahead: speech comes out a fifth too fast
TACOTRON2_SIZES = {
    "full": Tacotron2Config(attention_sharpness=ATTENTION_SHARPNESS),
    "small": Tacotron2Config(
        embedding_size=256,
        prenet_size=128,
        attention_rnn_size=256,
        decoder_rnn_size=256,
        attention_size=64,
        location_channels=16,
        postnet_channels=128,
        convolution_dropout=0.3,
        reduction=2,
        attention_window=3,
        attention_sharpness=ATTENTION_SHARPNESS,
    ),
}


def train(args: argparse.Namespace) -> Progress:
    """Train from scratch, or go on, as the options of `pipeline.train` say."""
    run = RunFolder(args.out / args.model, args.model)
    run.claim(resume=args.resume)
    corpus = read_corpus(args.corpus, seed=args.seed)
    torch.manual_seed(args.seed)  # of the first weights
    if args.model == "waveglow":
        task: Task = _waveglow_task(WAVEGLOW_SIZES[args.size], corpus, args)
    else:
        task = _tacotron2_task(TACOTRON2_SIZES[args.size], corpus, args)
    return _run(task, run, args)


def _run(task: Task, run: RunFolder, args: argparse.Namespace) -> Progress:
    """Train, and make the folder a voice of what there is, after an interruption too."""
    started = time.monotonic()
    fabric = launch(args)
    schedule = Schedule(
        learning_rate=args.learning_rate or task.learning_rate,
        max_steps=args.max_steps,
        seed=args.seed,
    )
    trainer = Trainer(task, schedule, run, fabric)
    if args.resume:
        trainer.resume()
    minutes = math.inf if args.max_minutes is None else args.max_minutes
    try:
        progress = trainer.fit(deadline=started + 60 * minutes)
    finally:
        if fabric.is_global_zero and run.model_path.exists():
            publish(run.model_path, args.out, provenance=_provenance(trainer.progress, args))
    print(
        f"{run.model_path}: step {progress.step} after {progress.seconds / 60:.1f} minutes, "
        f"{progress.skipped} steps skipped, best validation loss {progress.best_loss:.4f}"
    )
    return progress


def _provenance(progress: Progress, args: argparse.Namespace) -> dict[str, Any]:
    return {
        "corpus": args.corpus.resolve().name,
        "steps": progress.step,
        "minutes": round(progress.seconds / 60, 1),
        "seed": args.seed,
        "best_validation_loss": progress.best_loss,
    }


def _waveglow_task(
    config: WaveGlowConfig, corpus: Corpus, args: argparse.Namespace
) -> WaveGlowTask:
    train_features, validation_features = (
        load_features(clips, _cache_dir(args), config.audio)
        for clips in (corpus.train, corpus.validation)
    )
    recipe = WaveGlowRecipe(seed=args.seed)
    if args.batch_size:
        recipe = dataclasses.replace(recipe, batch_size=args.batch_size)
    return WaveGlowTask(WaveGlow(config), train_features, validation_features, recipe)


def _tacotron2_task(
    config: Tacotron2Config, corpus: Corpus, args: argparse.Namespace
) -> Tacotron2Task:
    train_clips, validation_clips = (
        speech_clips(clips, load_features(clips, _cache_dir(args), config.audio), _cache_dir(args))
        for clips in (corpus.train, corpus.validation)
    )
    if args.size == "small":
        mels = np.asarray(train_clips.features.mels)
        config = dataclasses.replace(
            config, mel_mean=round(float(mels.mean()), 3), mel_std=round(float(mels.std()), 3)
        )
    recipe = Tacotron2Recipe(seed=args.seed)
    if args.batch_size:
        recipe = dataclasses.replace(recipe, batch_size=args.batch_size)
    return Tacotron2Task(Tacotron2(config), train_clips, validation_clips, recipe)


def speech_clips(
    clips: tuple[Clip, ...], features: Features, cache_dir: Path, *, boundary_symbol: str = ""
) -> SpeechClips:
    """Return clips with their tokens and the times of their phones, which the cache keeps.

    Raises:
        PipelineError: A clip has no text.
    """
    silent = [clip.name for clip in clips if not clip.text]
    if silent:
        raise PipelineError(
            f"{len(silent)} clips have no text, first {silent[0]!r}; Tacotron 2 needs all of them"
        )
    tokens = [spoken_tokens(clip.text, boundary_symbol=boundary_symbol) for clip in clips]
    times = load_alignments(tokens, features, cache_dir)
    aligned = [i for i, clip in enumerate(times) if clip]
    if len(aligned) < len(clips):
        unaligned = next(clip.name for clip, found in zip(clips, times, strict=True) if not found)
        print(
            f"{len(clips) - len(aligned)} of {len(clips)} clips are left out, first {unaligned!r}: "
            "the recognizer does not hear their text in them",
            file=sys.stderr,
        )
    if not aligned:
        raise PipelineError("no clip is left to train Tacotron 2 on; do the texts belong to them?")
    return SpeechClips(
        features, aligned, [tokens[i] for i in aligned], [clip for clip in times if clip]
    )


def _cache_dir(args: argparse.Namespace) -> Path:
    folder: Path = args.out / "features"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
