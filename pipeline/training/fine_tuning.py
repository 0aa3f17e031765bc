"""From a folder of recordings to a voice of its own: vet, score, train, publish, score again."""

from __future__ import annotations

import dataclasses
import math
import shutil
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from pipeline.audio import read_audio
from pipeline.checkpoints import load_waveglow
from pipeline.data.corpora import read_corpus
from pipeline.data.outlook import look_ahead, outlook_lines
from pipeline.data.preparation import Vetted, prepare, speech_level
from pipeline.data.vetting_report import read_vetting, vetting_table, write_vetting
from pipeline.errors import PipelineError
from pipeline.evaluation.comparison import vocoder_system
from pipeline.synthesizer import Synthesizer
from pipeline.torch_engine import TorchEngine
from pipeline.training.assessment import Assessment, assess, read_assessment
from pipeline.training.engine import Progress
from pipeline.training.fine_tuning_record import FineTuningRecord, check_record, write_record
from pipeline.training.fine_tuning_stages import Material, Stage, predictor_of, stages_of
from pipeline.training.options import FineTuningOptions, ModelName
from pipeline.training.outcome import (
    Facts,
    score_change_text,
    training_facts,
    verdicts,
    without_steps,
    write_card,
)
from pipeline.training.processes import launch, on_main_process, run_training
from pipeline.training.report import Sample, read_curves, score_changes, write_report
from pipeline.training.voice_levels import (
    Example,
    examples_of,
    levels_seconds,
    measure_voice_levels,
)
from pipeline.voice_folders import find_voice
from pipeline.voice_loading import find_vocoder
from pipeline.voices import publish, read_voice
from pipeline.waveglow import WaveGlowVocoder

LEVEL_SENTENCE = "The birch canoe slid on the smooth planks, and nobody in it said a word."
NAMES = {"tacotron2": "the predictor", "waveglow": "the vocoder"}
SPARE_SHARE = 1.25  # scoring afterwards may take so many times as long as before
SPARE_SECONDS = 5.0  # for loading, publishing and the report


class FineTuning:
    """One fine-tuning and the folder it fills; what is there already is not made again."""

    def __init__(self, options: FineTuningOptions) -> None:
        self.options = options
        self.folder = options.out
        self.base_dir = find_voice(options.base)
        self.base = read_voice(self.base_dir)
        vocoder = find_vocoder(options.vocoder or self.base_dir)
        predictor = self.base_dir / self.base.tacotron2.file
        self.paths: dict[ModelName, Path] = {"tacotron2": predictor, "waveglow": vocoder.path}
        self.record = FineTuningRecord(
            recordings=str(options.recordings.resolve()),
            base=self.base.name,
            tacotron2_sha256=self.base.tacotron2.sha256,
            waveglow_sha256=vocoder.sha256,
            model=options.model,
            gta=options.gta,
            batch_size=options.batch_size,
            learning_rate=options.learning_rate,
            precision=options.precision,
            save_every=options.save_every,
            seed=options.seed,
        )
        self.corpus_dir = self.folder / "corpus"
        self.training_dir = self.folder / "training"

    def claim(self) -> None:
        """Make the folder ready; nothing that is there is overwritten.

        Raises:
            PipelineError: There is a fine-tuning and `--resume` was not asked for, or the reverse,
                or it was made with other settings.
        """
        path = self.folder / "finetune.json"
        if self.options.resume:
            check_record(self.record, path)
            for part in self.folder.rglob(".*.part"):  # what was not written to the end
                shutil.rmtree(part) if part.is_dir() else part.unlink()
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise PipelineError(
                f"{self.folder} is not empty; go on with --resume, or choose another --out"
            )
        try:
            self.training_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PipelineError(f"Cannot make {self.folder}: {error.strerror}") from error
        write_record(self.record, path)

    def prepare(self) -> None:
        """Vet the recordings, print what was found, write the corpus; then score the base voice."""
        engine = TorchEngine.load(self.base_dir, vocoder=self.paths["waveglow"])
        if not self.corpus_dir.exists():
            prepare(
                Path(self.record.recordings),
                self.corpus_dir,
                audio=self.base.audio,
                level_db=speech_level([Synthesizer(engine).speak(LEVEL_SENTENCE).mel]),
                needs_text=self.options.needs_text,
                seed=self.record.seed,
                report=self._report_vetting,
            )
        print(f"Tuned: {' and '.join(NAMES[model] for model in self.models)}.", flush=True)
        if read_assessment(self.folder / "before") is None:
            self.assess(engine, "before")

    def assess(self, engine: TorchEngine, when: str) -> Assessment:
        """Score a voice on the validation clips."""
        clips = self.material.corpus.validation
        return assess(self.models, engine, clips, self.folder / when, gta=self.record.gta)

    @cached_property
    def material(self) -> Material:
        """What all stages share; there is a corpus by now."""
        return Material(
            record=self.record,
            base=self.base,
            paths=self.paths,
            corpus=read_corpus(self.corpus_dir, seed=self.record.seed),
            folder=self.training_dir,
            vocode=self._vocode,
        )

    @cached_property
    def models(self) -> tuple[ModelName, ...]:
        """The models to tune: the one asked for, or all that the recordings allow."""
        if self.options.model:
            return (self.options.model,)
        if not look_ahead(read_vetting(self.folder / "vetting.json")).teaches_text:
            return ("waveglow",)
        try:
            assert self.material.clips
        except PipelineError as error:
            print(f"{error}; the vocoder alone is tuned")
            return ("waveglow",)
        return ("tacotron2", "waveglow")

    @cached_property
    def stages(self) -> list[Stage]:
        """The stages of the training, in order."""
        return stages_of(self.material, self.models, self.options)

    def finish(self) -> None:
        """Publish the best weights as a voice, score it, and write card and report."""
        ends = {stage: Progress(**stage.run.load()["progress"]) for stage in self.stages}
        facts = training_facts(self.material, self.models, ends)
        self._publish(facts)
        after = self.assess(TorchEngine.load(self.folder), "after")
        before = read_assessment(self.folder / "before")
        assert before is not None
        rows = score_changes(before, after)
        words = [
            *without_steps({stage.name: end.step for stage, end in ends.items()}),
            *verdicts(rows, {stage.name: end.best_step for stage, end in ends.items() if end.step}),
        ]
        voice = read_voice(self.folder)
        write_card(self.folder, self.base_dir, voice, facts, rows)
        vetted = read_vetting(self.folder / "vetting.json")
        write_report(
            self.folder / "report.html",
            title=f"{voice.name}, fine-tuned from {self.base.name}",
            words=[*outlook_lines(look_ahead(vetted)), *words],
            facts=facts,
            rows=rows,
            curves={stage.name: read_curves(stage.run.tensorboard_dir) for stage in self.stages},
            samples=self._samples(before, after),
            vetted=vetted,
            audio=self.base.audio,
        )
        print("\n".join([score_change_text(rows), *words]))
        print(f"{self.folder}: a voice; see report.html")

    @cached_property
    def _examples(self) -> list[Example]:
        """What the new voice's levels are measured on: none where it keeps the base voice's."""
        if "tacotron2" not in self.models or self.record.gta:
            return []
        train, _ = self.material.clips
        return examples_of(train, speaker=self.material.new_speaker)

    def seconds_to_finish(self) -> float:
        """Return about how long `finish` will take, by what was done before the training."""
        before = read_assessment(self.folder / "before")
        assert before is not None
        seconds = SPARE_SHARE * before.seconds + SPARE_SECONDS
        if self._examples:
            seconds += levels_seconds(self.material.predictor, self.base.speaker, self._examples)
        return seconds

    def _publish(self, facts: Facts) -> None:
        predictor, speaker = predictor_of(self.material, self.stages)
        vocoders = [stage.run.best_path for stage in self.stages if stage.model == "waveglow"]
        base = dataclasses.replace(
            self.base, speaker_name=self.options.speaker, consent=self.options.consent
        )
        if self.record.gta:  # the vocoder has heard predicted mels as they are
            base = dataclasses.replace(base, levels=None)
        publish(
            self.folder,
            {"tacotron2": predictor, "waveglow": (vocoders or [self.paths["waveglow"]])[-1]},
            base=base,
            provenance={"base": base.provenance, "fine_tuning": facts},
            speaker=speaker,
        )
        if self._examples:
            measure_voice_levels(self.folder, self._examples)

    def _samples(self, before: Assessment, after: Assessment) -> list[Sample]:
        recorded = {clip.name: clip.path for clip in self.material.corpus.validation}
        rate = self.base.audio.sample_rate
        return [
            Sample(
                name=name,
                audio={
                    "recorded": read_audio(recorded[name], rate),
                    "base voice": read_audio(self.folder / "before" / file, rate),
                    "new voice": read_audio(self.folder / "after" / after.audio[name], rate),
                },
            )
            for name, file in before.audio.items()
        ]

    def _vocode(self, mel: np.ndarray) -> np.ndarray:
        """Return audio [S] of a mel [M, T], by the vocoder that the base voice begins with."""
        vocoder = WaveGlowVocoder(load_waveglow(self.paths["waveglow"]))
        system = vocoder_system(vocoder, sigma=self.base.sigma, denoise=self.base.denoise)
        return system.vocode(mel, np.ascontiguousarray(mel))

    def _report_vetting(self, vetted: Sequence[Vetted]) -> None:
        write_vetting(vetted, self.folder / "vetting.json")
        print("\n".join([vetting_table(vetted), *outlook_lines(look_ahead(vetted))]), flush=True)


def fine_tune(options: FineTuningOptions, *, started: float) -> None:
    """Fine-tune, and leave a voice.

    Args:
        options: What is asked for.
        started: When the command began, by `time.monotonic`.
    """
    fabric = launch(options)
    tuning = FineTuning(options)
    on_main_process(fabric, tuning.claim)
    on_main_process(fabric, tuning.prepare)
    deadline = _deadline(options, started, tuning)
    begun = [i for i, stage in enumerate(tuning.stages) if stage.run.checkpoint_path.exists()]
    for stage in tuning.stages[max(begun, default=0) :]:
        with fabric.rank_zero_first():
            task = stage.make_task()
        stage.run.claim(resume=stage.run.checkpoint_path.exists())
        now = time.monotonic()
        left_seconds = max(0.0, deadline - now)
        stage_seconds = stage.share * left_seconds
        if fabric.is_global_zero and deadline < math.inf:
            print(
                f"Stage {stage.name}: at most {stage_seconds / 60:.1f} of the "
                f"{left_seconds / 60:.1f} minutes left for training",
                flush=True,
            )
        run_training(task, stage.schedule, stage.run, fabric, deadline=now + stage_seconds)
    if fabric.is_global_zero:
        tuning.finish()


def _deadline(options: FineTuningOptions, started: float, tuning: FineTuning) -> float:
    """Return when training must end, so that all else is done within the minutes given."""
    reserve = tuning.seconds_to_finish()
    deadline = options.deadline(started) - reserve
    if deadline < time.monotonic():
        raise PipelineError(
            f"--max-minutes {options.max_minutes:g} leaves no time to train: preparation took "
            f"{time.monotonic() - started:.0f} s, and {reserve:.0f} s are kept for what follows"
        )
    return deadline
