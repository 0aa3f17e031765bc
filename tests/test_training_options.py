"""Options of training: what is out of range is refused in one line, before any work."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

import pipeline.finetune
import pipeline.train
from pipeline.errors import PipelineError
from pipeline.training.options import FineTuningOptions, TrainingOptions

TRAINING = {"model": "waveglow", "corpora": (Path("a"),), "out": Path("out")}
FINE_TUNING = {"recordings": Path("a"), "out": Path("out")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_steps": 0}, "--max-steps is 0; expected more than 0"),
        ({"max_minutes": -1.0}, "--max-minutes is -1.0; expected more than 0"),
        ({"batch_size": 0}, "--batch-size is 0; expected more than 0"),
        ({"learning_rate": math.nan}, "--learning-rate is nan; expected more than 0"),
        ({"devices": 0}, "--devices is 0; expected more than 0"),
        ({"seed": -1}, "--seed is -1; expected 0 or more"),
    ],
)
def test_what_both_share_is_checked_in_both(change: dict[str, float], message: str) -> None:
    for kind, given in ((TrainingOptions, TRAINING), (FineTuningOptions, FINE_TUNING)):
        with pytest.raises(PipelineError) as caught:
            kind(**given | change)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patience": 0}, "--patience is 0; expected more than 0"),
        ({"save_every": 0}, "--save-every is 0; expected more than 0"),
        ({"gta": True, "model": "tacotron2"}, "--gta is for the vocoder"),
    ],
)
def test_fine_tuning_has_checks_of_its_own(change: dict[str, object], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        FineTuningOptions(**FINE_TUNING | change)


def test_two_corpora_of_one_name_are_refused() -> None:
    corpora = (Path("here/anna"), Path("there/anna"))
    with pytest.raises(PipelineError, match="Two corpora are called 'anna'; expected a name"):
        TrainingOptions(**TRAINING | {"corpora": corpora})


def test_what_the_command_line_leaves_out_is_as_the_options_have_it() -> None:
    args = pipeline.train.build_parser().parse_args(["waveglow", "a", "--out", "out"])
    assert vars(args) | {"corpora": tuple(args.corpora)} == TRAINING
    args = pipeline.finetune.build_parser().parse_args(["a", "--out", "out"])
    assert FineTuningOptions(**vars(args)) == FineTuningOptions(**FINE_TUNING)


def test_every_option_has_its_flag() -> None:
    flags = "--max-steps 1 --max-minutes 2 --batch-size 3 --learning-rate 4 --resume --devices 5 "
    flags += "--nodes 6 --accelerator cpu --precision bf16-mixed --threads 7 --seed 8"
    train = ["tacotron2", "a", "b", "--out", "out", "--size", "full", *flags.split()]
    args = pipeline.train.build_parser().parse_args(train)
    assert vars(args).keys() == {field.name for field in dataclasses.fields(TrainingOptions)}
    own = "--from x --vocoder y --model tacotron2 --gta --patience 9 --save-every 10 "
    own += "--speaker Ann --consent yes"
    finetune = ["a", "--out", "out", *own.split(), *flags.split()]
    args = pipeline.finetune.build_parser().parse_args(finetune)
    assert vars(args).keys() == {field.name for field in dataclasses.fields(FineTuningOptions)}


@pytest.mark.parametrize("command", [pipeline.train, pipeline.finetune])
def test_a_command_says_what_is_wrong_in_one_line(
    command: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["waveglow"] if command is pipeline.train else []
    assert command.main([*model, "a", "--out", str(tmp_path / "out"), "--max-steps", "0"]) == 1
    assert capsys.readouterr().err == "error: --max-steps is 0; expected more than 0\n"
    assert not (tmp_path / "out").exists()
