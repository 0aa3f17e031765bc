"""From a folder of recordings to a voice of its own: vet, score, train, publish, score again."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.audio import read_audio
from pipeline.checkpoints import load_tacotron2, load_waveglow
from pipeline.data.alignment import load_alignments
from pipeline.data.corpora import Corpus, read_corpus
from pipeline.data.features import Features, load_features
from pipeline.data.preparation import Vetted, prepare, speech_level
from pipeline.data.speech_batches import spoken_tokens
from pipeline.data.speech_clips import speech_clips
from pipeline.data.vetting_report import read_vetting, vetting_table, write_vetting
from pipeline.errors import PipelineError
from pipeline.synthesizer import Synthesizer
from pipeline.training.assessment import Assessment, assess, read_assessment
from pipeline.training.engine import Progress, Schedule, Task
from pipeline.training.fine_tuning_record import FineTuningRecord, check_record, write_record
from pipeline.training.ground_truth_aligned import load_ground_truth_aligned
from pipeline.training.options import FineTuningOptions
from pipeline.training.outcome import score_change_text, write_card
from pipeline.training.processes import launch, on_main_process, run_training
from pipeline.training.report import Sample, read_curves, score_changes, write_report
from pipeline.training.run_folder import RunFolder
from pipeline.training.tacotron2_task import Tacotron2Recipe, Tacotron2Task
from pipeline.training.waveglow_task import WaveGlowRecipe, WaveGlowTask
from pipeline.voice_folders import find_voice
from pipeline.voices import find_vocoder, publish, read_voice

LEVEL_SENTENCE = "The birch canoe slid on the smooth planks, and nobody in it said a word."
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
        self.models = {"tacotron2": predictor, "waveglow": vocoder.path}
        recipe = WaveGlowRecipe() if options.model == "waveglow" else Tacotron2Recipe()
        self.record = FineTuningRecord(
            recordings=str(options.recordings.resolve()),
            base=self.base.name,
            tacotron2_sha256=self.base.tacotron2.sha256,
            waveglow_sha256=vocoder.sha256,
            model=options.model,
            gta=options.gta,
            batch_size=options.batch_size or recipe.batch_size,
            learning_rate=options.learning_rate or recipe.fine_tuning_rate,
            precision=options.precision,
            save_every=options.save_every,
            seed=options.seed,
        )
        self.corpus_dir = self.folder / "corpus"
        self.cache_dir = self.folder / "training" / "features"
        self.run = RunFolder(self.folder / "training", options.model)

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
            self.cache_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PipelineError(f"Cannot make {self.folder}: {error.strerror}") from error
        write_record(self.record, path)

    def prepare(self) -> None:
        """Vet the recordings, print what was found, write the corpus; then score the base voice."""
        tts = Synthesizer.load(self.base_dir, vocoder=self.models["waveglow"])
        if not self.corpus_dir.exists():
            prepare(
                Path(self.record.recordings),
                self.corpus_dir,
                audio=self.base.audio,
                level_db=speech_level([tts.speak(LEVEL_SENTENCE).mel]),
                needs_text=self.options.needs_text,
                seed=self.record.seed,
                report=self._report_vetting,
            )
        if read_assessment(self.folder / "before") is None:
            self.assess(tts, "before")

    def assess(self, tts: Synthesizer, when: str) -> Assessment:
        """Score a voice on the validation clips."""
        clips = self.corpus().validation
        return assess(self.record.model, tts, clips, self.folder / when, gta=self.record.gta)

    def finish(self, progress: Progress) -> None:
        """Publish the best weights as a voice, score it, and write card and report."""
        facts = self._facts(progress)
        base = self.base
        if self.record.gta:  # the vocoder has heard predicted mels as they are
            base = dataclasses.replace(base, contrast=1.0)
        models = self.models | {self.record.model: self.run.best_path}
        provenance = {"base": base.provenance, "fine_tuning": facts}
        publish(self.folder, models, base=base, provenance=provenance)
        after = self.assess(Synthesizer.load(self.folder), "after")
        before = read_assessment(self.folder / "before")
        assert before is not None
        rows = score_changes(before, after)
        write_card(self.folder, self.base_dir, facts, rows)
        write_report(
            self.folder / "report.html",
            title=f"{self.folder.resolve().name}, fine-tuned from {self.base.name}",
            facts=facts,
            rows=rows,
            curves=read_curves(self.run.tensorboard_dir),
            samples=self._samples(before, after),
            vetted=read_vetting(self.folder / "vetting.json"),
            audio=self.base.audio,
        )
        print(score_change_text(rows))
        if not progress.best_step:
            print("no step was better on the validation clips: the voice is the base voice")
        print(f"{self.folder}: a voice of step {progress.best_step}; see report.html")

    def _facts(self, progress: Progress) -> dict[str, str | float]:
        corpus = self.corpus()
        return {
            "model": self.record.model,
            "base voice": self.base.name,
            "sha256 of its Tacotron 2": self.record.tacotron2_sha256,
            "sha256 of its WaveGlow": self.record.waveglow_sha256,
            "recordings": Path(self.record.recordings).name,
            "clips trained on": len(corpus.train),
            "clips held out": len(corpus.validation),
            "mels": "predicted by Tacotron 2" if self.record.gta else "of the recordings",
            "batch size": self.record.batch_size,
            "learning rate": self.record.learning_rate,
            "precision": self.record.precision,
            "seed": self.record.seed,
            "steps": progress.step,
            "best step": progress.best_step,
            "best validation loss": round(progress.best_loss, 4),
            "steps skipped": progress.skipped,
            "minutes of training": round(progress.seconds / 60, 1),
        }

    def _samples(self, before: Assessment, after: Assessment) -> list[Sample]:
        recorded = {clip.name: clip.path for clip in self.corpus().validation}
        rate = self.base.audio.sample_rate
        return [
            Sample(
                name=name,
                audio={
                    "recorded": read_audio(recorded[name], rate),
                    "before": read_audio(self.folder / "before" / file, rate),
                    "after": read_audio(self.folder / "after" / after.audio[name], rate),
                },
            )
            for name, file in before.audio.items()
        ]

    def corpus(self) -> Corpus:
        """Return the vetted clips."""
        return read_corpus(self.corpus_dir, seed=self.record.seed)

    def task(self) -> Task:
        """Return the base voice's model with the new speaker's clips."""
        record = self.record
        corpus, path = self.corpus(), self.models[record.model]
        if record.model == "tacotron2":
            recipe = Tacotron2Recipe(batch_size=record.batch_size, seed=record.seed)
            train_clips, validation_clips = (
                speech_clips(
                    clips,
                    self.cache_dir,
                    self.base.audio,
                    boundary_symbol=self.base.boundary_symbol,
                    speaker=self.base.speaker,
                )
                for clips in (corpus.train, corpus.validation)
            )
            return Tacotron2Task(load_tacotron2(path), train_clips, validation_clips, recipe)
        train, validation = (
            load_features(clips, self.cache_dir, self.base.audio)
            for clips in (corpus.train, corpus.validation)
        )
        if record.gta:
            train = self._predicted(train, "train")
            validation = self._predicted(validation, "validation")
        waveglow_recipe = WaveGlowRecipe(
            batch_size=record.batch_size,
            likelihood_steps=0,
            sampling_sigma=self.base.sigma,
            seed=record.seed,
        )
        return WaveGlowTask(load_waveglow(path), train, validation, waveglow_recipe)

    def _predicted(self, features: Features, part: str) -> Features:
        boundary_symbol = self.base.boundary_symbol
        clips = getattr(self.corpus(), part)
        tokens = [spoken_tokens(clip.text, boundary_symbol=boundary_symbol) for clip in clips]
        times = load_alignments(tokens, features, self.cache_dir)
        if None in times:
            print(
                f"{times.count(None)} of {len(clips)} clips keep their recorded mels: the "
                "recognizer does not hear their text in them",
                file=sys.stderr,
            )
        tacotron2 = load_tacotron2(self.models["tacotron2"])
        path = self.cache_dir / f"predicted-{part}.npy"
        return load_ground_truth_aligned(
            features, tokens, times, tacotron2, path, speaker=self.base.speaker
        )

    def _report_vetting(self, vetted: Sequence[Vetted]) -> None:
        write_vetting(vetted, self.folder / "vetting.json")
        print(vetting_table(vetted), flush=True)


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
    with fabric.rank_zero_first():
        task = tuning.task()
    tuning.run.claim(resume=tuning.run.checkpoint_path.exists())
    deadline = _deadline(options, started, tuning)
    progress = run_training(task, _schedule(tuning), tuning.run, fabric, deadline=deadline)
    if fabric.is_global_zero:
        tuning.finish(progress)


def _schedule(tuning: FineTuning) -> Schedule:
    record = tuning.record
    return Schedule(
        learning_rate=record.learning_rate,
        max_steps=tuning.options.max_steps,
        warmup_steps=100,
        decay_after_steps=2_000,
        average_decay=0.995,
        validate_every=record.save_every,
        save_every=record.save_every,
        patience=tuning.options.patience,
        seed=record.seed,
    )


def _deadline(options: FineTuningOptions, started: float, tuning: FineTuning) -> float:
    """Return when training must end, so that all else is done within the minutes given."""
    before = read_assessment(tuning.folder / "before")
    assert before is not None
    reserve = SPARE_SHARE * before.seconds + SPARE_SECONDS
    deadline = options.deadline(started) - reserve
    if deadline < time.monotonic():
        raise PipelineError(
            f"--max-minutes {options.max_minutes:g} leaves no time to train: preparation took "
            f"{time.monotonic() - started:.0f} s, and {reserve:.0f} s are kept for scoring"
        )
    return deadline
