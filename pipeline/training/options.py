"""The options of training and of fine-tuning, checked when they are made; torch is not needed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.errors import PipelineError

ModelName = Literal["waveglow", "tacotron2"]
Size = Literal["small", "full"]
Accelerator = Literal["auto", "cpu", "cuda"]
Precision = Literal["32-true", "bf16-mixed"]
POSITIVE = (  # the options that count or measure something
    *("max_steps", "max_minutes", "batch_size", "learning_rate", "devices", "nodes", "threads"),
    *("patience", "save_every"),
)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What training and fine-tuning share; each field is the option of the same name.

    Raises:
        PipelineError: An option is out of its range.
    """

    out: Path  # folder of the run, or of the new voice
    max_steps: int = 1_000_000
    max_minutes: float | None = None
    batch_size: int | None = None  # clips or excerpts of all processes; None: the recipe's
    learning_rate: float | None = None  # None: the recipe's
    resume: bool = False
    devices: int = 1  # GPUs, or processes on the CPU, on each machine
    nodes: int = 1  # machines
    accelerator: Accelerator = "auto"
    precision: Precision = "32-true"
    threads: int | None = None  # of the CPU; None: torch's own number
    seed: int = 0

    def __post_init__(self) -> None:
        for name in POSITIVE:
            value = getattr(self, name, None)
            if value is not None and not value > 0:
                flag = name.replace("_", "-")
                raise PipelineError(f"--{flag} is {value}; expected more than 0")
        if self.seed < 0:
            raise PipelineError(f"--seed is {self.seed}; expected 0 or more")

    def deadline(self, started: float) -> float:
        """Return when `max_minutes` end, by `time.monotonic`, of a work that began at `started`."""
        return math.inf if self.max_minutes is None else started + 60.0 * self.max_minutes


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(RunOptions):
    """What `pipeline.train` is asked for."""

    model: ModelName
    corpora: tuple[Path, ...]  # one a speaker
    size: Size = "small"

    def __post_init__(self) -> None:
        super().__post_init__()
        names = self.corpus_names
        if not names:
            raise PipelineError("No corpus is given; expected at least one")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PipelineError(
                f"Two corpora are called {twice[0]!r}; expected a name of its own for each, "
                "since it becomes a voice's"
            )

    @property
    def corpus_names(self) -> tuple[str, ...]:
        """The names of the corpora's folders, in the order of their speakers."""
        return tuple(folder.resolve().name for folder in self.corpora)

    @property
    def voice_folders(self) -> tuple[Path, ...]:
        """Where the voice of each speaker goes: several speakers have folders of their own."""
        if len(self.corpora) == 1:
            return (self.out,)
        return tuple(self.out / "voices" / name for name in self.corpus_names)


@dataclass(frozen=True, kw_only=True)
class FineTuningOptions(RunOptions):
    """What `pipeline.finetune` is asked for."""

    recordings: Path
    base: str = "kathleen"  # the voice to begin with, by name or folder
    vocoder: str | None = None  # the WaveGlow to begin with; None: the base voice's own
    model: ModelName | None = None  # None: both where there are transcripts, else the vocoder
    gta: bool = False  # train the vocoder on mels that Tacotron 2 predicts
    speaker: str = ""  # who was recorded
    consent: str = ""  # what the speaker has agreed to, and when
    patience: int = 10  # validations without a new best before the end
    save_every: int = 100  # steps between validations, and between saves

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gta and self.model == "tacotron2":
            raise PipelineError("--gta is for the vocoder; it does not go with --model tacotron2")

    @property
    def needs_text(self) -> bool:
        """Whether recordings without a transcript are of no use."""
        return self.gta or self.model == "tacotron2"
