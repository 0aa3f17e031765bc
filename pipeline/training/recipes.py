"""The sizes of both models, and how a command's options become a task and a run."""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.checkpoints import load_tacotron2
from pipeline.data.alignment import load_alignments
from pipeline.data.corpora import Clip, Corpus, read_corpus
from pipeline.data.features import load_features
from pipeline.data.prosody import load_pitch
from pipeline.data.speech_batches import SpeechClip, spoken_tokens
from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig
from pipeline.tacotron2 import Tacotron2, Tacotron2Config
from pipeline.training.engine import Progress, Schedule, Task, Trainer
from pipeline.training.flow_postnet_task import (
    FlowPostnetRecipe,
    FlowPostnetTask,
    widen_prosody,
)
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
PREDICTOR_STEPS = 2_500  # of Tacotron 2, before its flow postnet is trained
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
        prosody_channels=192,
        flow_channels=192,
        flow_temperature=0.6,
    ),
}


def train(args: argparse.Namespace) -> Progress:
    """Train from scratch, or go on, as the options of `pipeline.train` say."""
    corpora = [read_corpus(folder, seed=args.seed) for folder in args.corpus]
    if args.model == "waveglow":
        return _train_waveglow(corpora, args)
    return _train_tacotron2(corpora, args)


def _train_waveglow(corpora: Sequence[Corpus], args: argparse.Namespace) -> Progress:
    run = RunFolder(args.out / "waveglow", "waveglow")
    run.claim(resume=args.resume)
    config = WAVEGLOW_SIZES[args.size]
    train_features, validation_features = (
        load_features(clips, _cache_dir(args), config.audio)
        for clips in (
            [clip for corpus in corpora for clip in corpus.train],
            [clip for corpus in corpora for clip in corpus.validation],
        )
    )
    recipe = WaveGlowRecipe(seed=args.seed)
    if args.batch_size:
        recipe = dataclasses.replace(recipe, batch_size=args.batch_size)
    torch.manual_seed(args.seed)  # of the first weights
    task = WaveGlowTask(WaveGlow(config), train_features, validation_features, recipe)
    return _run(task, run, args, max_steps=args.max_steps)


def _train_tacotron2(corpora: Sequence[Corpus], args: argparse.Namespace) -> Progress:
    """Train the predictor, then, where its size has one, its flow postnet."""
    config = TACOTRON2_SIZES[args.size]
    train_clips, validation_clips = (
        [
            clip
            for speaker, corpus in enumerate(corpora)
            for clip in speech_clips(
                getattr(corpus, part), _cache_dir(args), config.audio, speaker=speaker
            )
        ]
        for part in ("train", "validation")
    )
    if args.size == "small":
        mels = np.concatenate([clip.mel for clip in train_clips])
        mean, deviation = (round(float(value), 3) for value in (mels.mean(), mels.std()))
        config = dataclasses.replace(config, mel_mean=mean, mel_std=deviation)
    if len(corpora) > 1:
        config = dataclasses.replace(config, n_speakers=len(corpora))
    predictor, flow = (
        RunFolder(args.out / name, "tacotron2") for name in ("predictor", "flow-postnet")
    )
    torch.manual_seed(args.seed)  # of the first weights
    recipe = Tacotron2Recipe(seed=args.seed)
    if args.batch_size:
        recipe = dataclasses.replace(recipe, batch_size=args.batch_size)
    predictor.claim(resume=args.resume)
    if not flow.checkpoint_path.exists():
        first = Tacotron2(dataclasses.replace(config, flow_channels=0))
        task = Tacotron2Task(first, train_clips, validation_clips, recipe)
        progress = _run(task, predictor, args, max_steps=min(args.max_steps, PREDICTOR_STEPS))
        if not config.flow_channels or progress.step < PREDICTOR_STEPS:
            return progress
    flow.claim(resume=flow.checkpoint_path.exists())
    model = Tacotron2(config)
    model.load_state_dict(load_tacotron2(predictor.best_path).state_dict(), strict=False)
    flow_recipe = FlowPostnetRecipe(seed=args.seed)
    if args.batch_size:
        flow_recipe = dataclasses.replace(flow_recipe, batch_size=args.batch_size)
    flow_task = FlowPostnetTask(model, train_clips, validation_clips, flow_recipe)
    widen_prosody(model, flow_task.data)
    return _run(flow_task, flow, args, max_steps=args.max_steps)


def _run(task: Task, run: RunFolder, args: argparse.Namespace, *, max_steps: int) -> Progress:
    """Train, and make the folder a voice of what there is, after an interruption too."""
    started = time.monotonic()
    fabric = launch(args)
    schedule = Schedule(
        learning_rate=args.learning_rate or task.learning_rate,
        max_steps=max_steps,
        seed=args.seed,
    )
    trainer = Trainer(task, schedule, run, fabric)
    if run.checkpoint_path.exists():
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
        "corpus": ", ".join(folder.resolve().name for folder in args.corpus),
        "steps": progress.step,
        "minutes": round(progress.seconds / 60, 1),
        "seed": args.seed,
        "best_validation_loss": progress.best_loss,
    }


def speech_clips(
    clips: Sequence[Clip],
    cache_dir: Path,
    audio: AudioConfig,
    *,
    boundary_symbol: str = "",
    speaker: int = 0,
) -> list[SpeechClip]:
    """Return clips with their mels, pitch, tokens and the times of their phones.

    All of it is computed once and kept in the cache. Clips in which the recognizer does not hear
    their text are left out.

    Raises:
        PipelineError: A clip has no text, or none is left.
    """
    silent = [clip.name for clip in clips if not clip.text]
    if silent:
        raise PipelineError(
            f"{len(silent)} clips have no text, first {silent[0]!r}; Tacotron 2 needs all of them"
        )
    features = load_features(clips, cache_dir, audio)
    pitches = load_pitch(features, cache_dir)
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
        raise PipelineError("no clip is left to train Tacotron 2 on; do the texts belong to them?")
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


def _cache_dir(args: argparse.Namespace) -> Path:
    folder: Path = args.out / "features"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
