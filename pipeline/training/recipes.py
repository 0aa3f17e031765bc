"""The sizes of both models, and how a command's options become a task and a run."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning.fabric import Fabric

from pipeline.checkpoints import load_tacotron2
from pipeline.data.corpora import read_corpus
from pipeline.data.features import load_features
from pipeline.data.speech_batches import SpeechClip
from pipeline.data.speech_clips import speech_clips
from pipeline.errors import PipelineError
from pipeline.tacotron2 import Tacotron2, Tacotron2Config
from pipeline.training.engine import Progress, Schedule, Task
from pipeline.training.flow_postnet_task import (
    AdversarialRecipe,
    AdversarialTask,
    FlowPostnetRecipe,
    FlowPostnetTask,
)
from pipeline.training.options import Size, TrainingOptions
from pipeline.training.processes import launch, run_training
from pipeline.training.run_folder import RunFolder
from pipeline.training.tacotron2_task import Tacotron2Recipe, Tacotron2Task, widen_prosody
from pipeline.training.voice_levels import examples_of, measure_voice_levels
from pipeline.training.waveglow_task import WaveGlowRecipe, WaveGlowTask
from pipeline.voices import publish, read_voice
from pipeline.waveglow import WaveGlow, WaveGlowConfig

WAVEGLOW_SIZES: dict[Size, WaveGlowConfig] = {
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
PREDICTOR_STEPS = 2_500  # before the flow postnet is trained
FLOW_MATCHING_STEPS = 12_000  # before it is trained against a discriminator
ATTENTION_SHARPNESS = 3.0  # at 1.0 it drifts ahead: speech comes out a fifth too fast
TACOTRON2_SIZES: dict[Size, Tacotron2Config] = {
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
        flow_steps=2,
        flow_temperature=0.35,
        flow_steady_channels=40,
        flow_pause_level=-0.8,
        pitch_channels=128,
    ),
}


class _SpeechData(NamedTuple):
    """What a Tacotron 2 is trained on, and the config that fits it."""

    config: Tacotron2Config
    train: list[SpeechClip]
    validation: list[SpeechClip]


def train(options: TrainingOptions) -> Progress:
    """Train from scratch, or go on."""
    if options.model == "waveglow":
        return _train_waveglow(options)
    return _train_tacotron2(options)


def _train_waveglow(options: TrainingOptions) -> Progress:
    run = RunFolder(options.out / "waveglow", "waveglow")
    run.claim(resume=options.resume)
    task = _waveglow_task(options)
    deadline = options.deadline(time.monotonic())
    return _train_task(task, run, launch(options), options, deadline=deadline)


def _train_tacotron2(options: TrainingOptions) -> Progress:
    """Train the predictor, then, where its size has one, its flow postnet; each in its folder.

    `max_steps` are those of each stage.
    """
    stages = _stages(options)
    stages[0].run.claim(resume=options.resume)
    _check_speakers(options)
    data = _speech_data(options)
    fabric, deadline = launch(options), options.deadline(time.monotonic())
    begun = [i for i, stage in enumerate(stages) if stage.run.checkpoint_path.exists()]
    for index in range(max(begun, default=0), len(stages)):
        stage = stages[index]
        if index > 0:
            stage.run.claim(resume=stage.run.checkpoint_path.exists())
        task = stage.make_task(data, stages[index - 1].run, options)
        part = dataclasses.replace(options, max_steps=min(options.max_steps, stage.n_steps))
        progress = _train_task(task, stage.run, fabric, part, deadline=deadline)
        if progress.step < stage.n_steps:
            break
    return progress


class _Stage(NamedTuple):
    """A part of Tacotron 2's training, which the next begins with."""

    run: RunFolder
    n_steps: int
    make_task: Callable[[_SpeechData, RunFolder, TrainingOptions], Task]  # the last stage's run


def _stages(options: TrainingOptions) -> list[_Stage]:
    names_and_steps: list[tuple[str, int, Callable[..., Task]]] = [
        ("predictor", PREDICTOR_STEPS, _predictor_task),
        ("flow-matching", FLOW_MATCHING_STEPS, _flow_matching_task),
        ("adversarial", options.max_steps, _adversarial_task),
    ]
    stages = [
        _Stage(RunFolder(options.out / name, "tacotron2"), n_steps, make_task)
        for name, n_steps, make_task in names_and_steps
    ]
    return stages if TACOTRON2_SIZES[options.size].flow_channels else stages[:1]


def _check_speakers(options: TrainingOptions) -> None:
    """Raise PipelineError where a voice was published as another speaker than it would be now."""
    for speaker, folder in enumerate(options.voice_folders):
        before = read_voice(folder).speaker if (folder / "voice.json").is_file() else speaker
        if before != speaker:
            raise PipelineError(
                f"{folder} is speaker {before} of this run, but would be {speaker}; "
                "give the corpora in the order that the run began with"
            )


def _waveglow_task(options: TrainingOptions) -> WaveGlowTask:
    config = WAVEGLOW_SIZES[options.size]
    corpora = [read_corpus(folder, seed=options.seed) for folder in options.corpora]
    train_features, validation_features = (
        load_features(
            [clip for corpus in corpora for clip in getattr(corpus, part)],
            _cache_dir(options),
            config.audio,
        )
        for part in ("train", "validation")
    )
    recipe = WaveGlowRecipe(
        batch_size=options.batch_size or WaveGlowRecipe.batch_size, seed=options.seed
    )
    torch.manual_seed(options.seed)  # of the first weights
    return WaveGlowTask(WaveGlow(config), train_features, validation_features, recipe)


def _speech_data(options: TrainingOptions) -> _SpeechData:
    """Return the clips of all speakers, and the size's config with their statistics."""
    config = TACOTRON2_SIZES[options.size]
    corpora = [read_corpus(folder, seed=options.seed) for folder in options.corpora]
    train_clips, validation_clips = (
        [
            clip
            for speaker, corpus in enumerate(corpora)
            for clip in speech_clips(
                getattr(corpus, part), _cache_dir(options), config.audio, speaker=speaker
            )
        ]
        for part in ("train", "validation")
    )
    if options.size == "small":
        mels = np.concatenate([clip.mel for clip in train_clips])
        mean, deviation = (round(float(value), 3) for value in (mels.mean(), mels.std()))
        config = dataclasses.replace(config, mel_mean=mean, mel_std=deviation)
    if len(corpora) > 1:
        config = dataclasses.replace(config, n_speakers=len(corpora))
    return _SpeechData(config, train_clips, validation_clips)


def _predictor_task(data: _SpeechData, _: RunFolder, options: TrainingOptions) -> Tacotron2Task:
    """Return a Tacotron 2 without its flow postnet, to be trained from scratch."""
    recipe = Tacotron2Recipe(
        batch_size=options.batch_size or Tacotron2Recipe.batch_size, seed=options.seed
    )
    torch.manual_seed(options.seed)  # of the first weights
    model = Tacotron2(dataclasses.replace(data.config, flow_channels=0))
    return Tacotron2Task(model, data.train, data.validation, recipe)


def _flow_matching_task(
    data: _SpeechData, predictor: RunFolder, options: TrainingOptions
) -> FlowPostnetTask:
    """Return a trained predictor with a flow postnet, which is to be trained from scratch."""
    recipe = FlowPostnetRecipe(
        batch_size=options.batch_size or FlowPostnetRecipe.batch_size, seed=options.seed
    )
    torch.manual_seed(options.seed)  # of the first weights
    model = Tacotron2(data.config)
    model.load_state_dict(load_tacotron2(predictor.best_path).state_dict(), strict=False)
    task = FlowPostnetTask(model, data.train, data.validation, recipe)
    widen_prosody(model, task.data)
    return task


def _adversarial_task(
    data: _SpeechData, flow_matching: RunFolder, options: TrainingOptions
) -> AdversarialTask:
    """Return a predictor whose flow postnet is trained, and a discriminator that is not."""
    recipe = AdversarialRecipe(
        batch_size=options.batch_size or AdversarialRecipe.batch_size, seed=options.seed
    )
    torch.manual_seed(options.seed)  # of the discriminator's first weights
    model = load_tacotron2(flow_matching.best_path)
    return AdversarialTask(model, data.train, data.validation, recipe)


def _train_task(
    task: Task, run: RunFolder, fabric: Fabric, options: TrainingOptions, *, deadline: float
) -> Progress:
    """Train, and make a voice of what there is for each speaker, after an interruption too."""
    schedule = Schedule(
        learning_rate=options.learning_rate or task.learning_rate,
        max_steps=options.max_steps,
        seed=options.seed,
    )

    def publish_voices(progress: Progress) -> None:
        if not run.model_path.exists():
            return
        for speaker, folder in enumerate(options.voice_folders):
            _publish(run.model_path, folder, speaker, _provenance(progress, options))
            if isinstance(task, Tacotron2Task | FlowPostnetTask):
                measure_voice_levels(folder, examples_of(task.data.train.clips, speaker=speaker))

    progress = run_training(task, schedule, run, fabric, deadline=deadline, on_end=publish_voices)
    print(
        f"{run.model_path}: step {progress.step} after {progress.seconds / 60:.1f} minutes, "
        f"{progress.skipped} steps skipped, best validation loss {progress.best_loss:.4f}"
    )
    return progress


def _publish(model_path: Path, folder: Path, speaker: int, provenance: dict[str, Any]) -> None:
    """Give the voice of a speaker a model just trained; a vocoder is the same for all."""
    model_name = model_path.stem
    has_predictor = model_name == "tacotron2"
    publish(
        folder,
        {model_name: model_path},
        provenance={model_name: provenance},
        speaker=speaker if has_predictor else None,
        boundary_symbol="" if has_predictor else None,
    )


def _provenance(progress: Progress, options: TrainingOptions) -> dict[str, Any]:
    return {
        "corpus": ", ".join(options.corpus_names),
        "steps": progress.step,
        "minutes": round(progress.seconds / 60, 1),
        "seed": options.seed,
        "best_validation_loss": progress.best_loss,
    }


def _cache_dir(options: TrainingOptions) -> Path:
    folder = options.out / "features"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
