"""The stages of a fine-tuning, in order: each begins with the weights that the one before it left.

speaker      a new row of the speaker embedding, and the few layers nearest to the mel
predictor    everything between the encoder and the mel
contour      the pitch of each frame, from the speaker's own range
flow         the flow postnet, against a discriminator
vocoder      WaveGlow
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import torch

from pipeline.checkpoints import load_tacotron2, load_waveglow
from pipeline.data.alignment import load_alignments
from pipeline.data.corpora import Corpus
from pipeline.data.features import Features, load_features
from pipeline.data.own_clips import own_clips
from pipeline.data.speech_batches import SpeechClip, spoken_tokens
from pipeline.data.speech_clips import speech_clips
from pipeline.tacotron2 import Tacotron2
from pipeline.training.engine import Schedule, Task
from pipeline.training.fine_tuning_record import FineTuningRecord
from pipeline.training.flow_postnet_task import (
    AdversarialRecipe,
    AdversarialTask,
    FlowPostnetRecipe,
)
from pipeline.training.ground_truth_aligned import load_ground_truth_aligned
from pipeline.training.options import FineTuningOptions, ModelName
from pipeline.training.predicted_clips import InStep
from pipeline.training.run_folder import RunFolder
from pipeline.training.speaker_tuning import (
    ALL_THAT_SPEAKS,
    FEW_LAYERS,
    PitchContourTask,
    SpeakerRecipe,
    SpeakerTask,
    nearest_speaker,
    with_new_speaker,
)
from pipeline.training.tacotron2_task import Vocode, widen_prosody
from pipeline.training.waveglow_task import WaveGlowRecipe, WaveGlowTask
from pipeline.voices import Voice

SAMPLE_SECONDS = 120.0  # between sounds to hear how far the voice is
FEW_LAYERS_STEPS = 100
FEW_LAYERS_RATE = 1e-3
CONTOUR_STEPS = 300
CONTOUR_RATE = 5e-4
FLOW_STEPS = 1_000
FLOW_RATE = 5e-5  # of a flow that speaks; its discriminator is new


class Stage(NamedTuple):
    """A part of a fine-tuning."""

    name: str
    model: ModelName
    run: RunFolder
    share: float  # of the time that is left when it begins
    schedule: Schedule
    make_task: Callable[[], Task]


@dataclass(kw_only=True)
class Material:
    """What the stages of one fine-tuning share."""

    record: FineTuningRecord
    base: Voice
    paths: dict[ModelName, Path]  # of the models to begin with
    corpus: Corpus
    folder: Path  # of the training
    vocode: Vocode  # with the vocoder to begin with
    in_step: InStep | None = None  # what the tuned predictor says, for the stages after it

    @property
    def cache_dir(self) -> Path:
        """Where features are kept."""
        return self.folder / "features"

    @cached_property
    def predictor(self) -> Tacotron2:
        """The predictor to begin with."""
        return load_tacotron2(self.paths["tacotron2"])

    @property
    def new_speaker(self) -> int:
        """The new speaker's number: the one after those that the predictor has."""
        return self.predictor.config.n_speakers

    @cached_property
    def own_clips(self) -> list[SpeechClip]:
        """What the base voice speaks itself, for both stages that it is mixed in."""
        return own_clips(
            self.predictor,
            speaker=self.base.speaker,
            boundary_symbol=self.base.boundary_symbol,
        )

    @cached_property
    def clips(self) -> tuple[list[SpeechClip], list[SpeechClip]]:
        """The recordings with text, to train on and to validate with."""
        train, validation = (
            speech_clips(
                [clip for clip in clips if clip.text],
                self.cache_dir,
                self.base.audio,
                boundary_symbol=self.base.boundary_symbol,
                speaker=self.new_speaker,
            )
            for clips in (self.corpus.train, self.corpus.validation)
        )
        return train, validation


def stages_of(
    material: Material, models: Sequence[ModelName], options: FineTuningOptions
) -> list[Stage]:
    """Return the stages that tune some models, the vocoder last."""
    stages = _predictor_stages(material, options) if "tacotron2" in models else []
    if "waveglow" in models:
        path, speaker = predictor_of(material, stages)
        stages.append(
            Stage(
                "vocoder",
                "waveglow",
                RunFolder(material.folder, "waveglow"),
                1.0,
                _schedule(
                    options, WaveGlowRecipe.fine_tuning_rate, options.max_steps, warmup_steps=100
                ),
                lambda: _vocoder_task(material, path, speaker),
            )
        )
    return stages


def predictor_of(material: Material, stages: Sequence[Stage]) -> tuple[Path, int]:
    """Return the predictor that some stages end with, and which of its speakers is to speak."""
    tuned = [stage for stage in stages if stage.model == "tacotron2"]
    if not tuned:
        return material.paths["tacotron2"], material.base.speaker
    return tuned[-1].run.best_path, material.new_speaker


def _predictor_stages(material: Material, options: FineTuningOptions) -> list[Stage]:
    config = material.predictor.config
    parts: list[_PredictorPart] = [
        _PredictorPart("speaker", 0.15, FEW_LAYERS_STEPS, FEW_LAYERS_RATE, _speaker_task),
        _PredictorPart(
            "predictor", 0.75, options.max_steps, SpeakerRecipe.learning_rate, _predictor_task
        ),
    ]
    if config.flow_channels and config.pitch_channels:
        parts.append(_PredictorPart("contour", 0.3, CONTOUR_STEPS, CONTOUR_RATE, _contour_task))
    if config.flow_channels:
        parts.append(_PredictorPart("flow", 0.6, FLOW_STEPS, FLOW_RATE, _flow_task))
    stages: list[Stage] = []
    path = material.paths["tacotron2"]
    for part in parts:
        run = RunFolder(material.folder / part.name, "tacotron2")
        schedule = _schedule(options, part.rate, min(part.n_steps, options.max_steps))
        make_task = partial(part.make_task, material, path)
        stages.append(Stage(part.name, "tacotron2", run, part.share, schedule, make_task))
        path = run.best_path
    return stages


class _PredictorPart(NamedTuple):
    """What one stage of the predictor is."""

    name: str
    share: float
    n_steps: int
    rate: float
    make_task: Callable[[Material, Path], Task]  # of the weights that the stage before left


def _schedule(
    options: FineTuningOptions, learning_rate: float, max_steps: int, *, warmup_steps: int = 30
) -> Schedule:
    return Schedule(
        learning_rate=options.learning_rate or learning_rate,
        max_steps=max_steps,
        warmup_steps=warmup_steps,
        decay_after_steps=2_000,
        average_decay=0.995,
        validate_every=options.save_every,
        save_every=options.save_every,
        sample_seconds=SAMPLE_SECONDS,
        patience=options.patience,
        seed=options.seed,
    )


def _speaker_task(material: Material, path: Path) -> Task:
    """Return the base predictor with a new speaker, whose few layers are to move."""
    model = load_tacotron2(path)
    nearest = nearest_speaker(model, *material.clips)
    return _predictor_part(material, with_new_speaker(model, nearest), FEW_LAYERS)


def _predictor_task(material: Material, path: Path) -> Task:
    """Return the predictor of the stage before, of which all that speaks is to move."""
    return _predictor_part(material, load_tacotron2(path), ALL_THAT_SPEAKS)


def _predictor_part(material: Material, model: Tacotron2, moving: tuple[str, ...]) -> SpeakerTask:
    """Return a task that mixes the base voice's own clips with the recordings.

    A predictor without speakers could not tell them apart, so it has the recordings alone.
    """
    train, validation = material.clips
    own = material.own_clips if material.predictor.config.n_speakers else []
    recipe = SpeakerRecipe(
        batch_size=material.record.batch_size or SpeakerRecipe.batch_size,
        seed=material.record.seed,
        moving=moving,
    )
    return SpeakerTask(model, [*train, *own], validation, recipe, material.vocode)


def _contour_task(material: Material, path: Path) -> Task:
    """Return the tuned predictor, of which the pitch contour is to move."""
    recipe = FlowPostnetRecipe(
        batch_size=material.record.batch_size or FlowPostnetRecipe.batch_size,
        seed=material.record.seed,
    )
    task = PitchContourTask(
        load_tacotron2(path), *material.clips, recipe, material.vocode, in_step=material.in_step
    )
    material.in_step = task.in_step
    return task


def _flow_task(material: Material, path: Path) -> Task:
    """Return the tuned predictor with the melody of its new speaker, whose flow is to move."""
    recipe = AdversarialRecipe(
        batch_size=material.record.batch_size or AdversarialRecipe.batch_size,
        seed=material.record.seed,
    )
    torch.manual_seed(material.record.seed)  # of the discriminator's first weights
    task = AdversarialTask(load_tacotron2(path), *material.clips, recipe, in_step=material.in_step)
    task.vocode = material.vocode
    widen_prosody(task.model, task.data)
    return task


def _vocoder_task(material: Material, predictor: Path, speaker: int) -> Task:
    record, corpus = material.record, material.corpus
    train, validation = (
        load_features(clips, material.cache_dir, material.base.audio)
        for clips in (corpus.train, corpus.validation)
    )
    if record.gta:
        tacotron2 = load_tacotron2(predictor)
        train, validation = (
            _predicted(material, features, part, tacotron2, speaker)
            for features, part in ((train, "train"), (validation, "validation"))
        )
    recipe = WaveGlowRecipe(
        batch_size=record.batch_size or WaveGlowRecipe.batch_size,
        likelihood_steps=0,
        sampling_sigma=material.base.sigma,
        seed=record.seed,
    )
    return WaveGlowTask(load_waveglow(material.paths["waveglow"]), train, validation, recipe)


def _predicted(
    material: Material, features: Features, part: str, tacotron2: Tacotron2, speaker: int
) -> Features:
    """Return features whose mels are those that a predictor says in step."""
    boundary_symbol = material.base.boundary_symbol
    clips = getattr(material.corpus, part)
    tokens = [spoken_tokens(clip.text, boundary_symbol=boundary_symbol) for clip in clips]
    times = load_alignments(tokens, features, material.cache_dir)
    if None in times:
        print(
            f"{times.count(None)} of {len(clips)} clips keep their recorded mels: the "
            "recognizer does not hear their text in them",
            file=sys.stderr,
        )
    path = material.cache_dir / f"predicted-{part}.npy"
    return load_ground_truth_aligned(features, tokens, times, tacotron2, path, speaker=speaker)
