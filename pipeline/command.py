"""What every command does around its work: our errors become one line and exit status 1."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from pipeline.errors import OptionError, PipelineError
from pipeline.options import DEFAULTS, OPTIONS, parse_option
from text.errors import TextError

OURS = ("text", "pipeline", "app")  # a module of these that is missing is a bug


def run_command(work: Callable[[], None]) -> int:
    """Run a command's work and return its exit status; a bug keeps its traceback."""
    try:
        work()
    except (PipelineError, TextError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in OURS:
            raise
        print(
            f"error: this command needs the package {error.name}, which is not installed; "
            "pip install -r requirements.txt installs what all commands need",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def add_speech_options(
    parser: argparse.ArgumentParser,
    names: Iterable[str] = tuple(OPTIONS),
    *,
    otherwise: str = "the voice's own",
) -> None:
    """Add a flag for each option of speech.

    Args:
        parser: It gets the flags.
        names: Which options; all by default.
        otherwise: What an option without a default is, where its flag is not given.
    """
    for name in names:
        option, default = OPTIONS[name], DEFAULTS[name]
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=_value_of(name),
            default=default,
            metavar=name.upper(),
            help=f"{option.help} {option.low} to {option.high}, "
            f"default: {otherwise if default is None else default}",
        )


def _value_of(name: str) -> Callable[[str], float]:
    """Return an argparse type that takes the values of an option of speech."""

    def value(text: str) -> float:
        try:
            return parse_option(name, text)
        except OptionError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return value


def number_between(low: float, high: float) -> Callable[[str], float]:
    """Return an argparse type that takes numbers from `low` to `high`."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")
        return value

    return number


def parse_numbers(text: str) -> frozenset[int]:
    """Return the chapters that are written as 1-3,5; an argparse type."""
    numbers: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal() and len(part) < 20):
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of chapters such as 1-3,5")
        numbers.update(range(int(first), min(int(last or first), 100_000) + 1))
    return frozenset(numbers)


def check_output(path: Path, suffixes: Collection[str], *, force: bool) -> None:
    """Raise PipelineError where a file could not be written in the end, before the work begins."""
    if path.suffix.lower() not in suffixes:
        raise PipelineError(
            f"{path} ends in {path.suffix!r}; expected one of {', '.join(sorted(suffixes))}"
        )
    if path.is_dir():
        raise PipelineError(f"{path} is a folder; expected a file name")
    if not path.parent.is_dir():
        raise PipelineError(f"{path.parent} is not a folder; make it first")
    if not os.access(path.parent, os.W_OK):
        raise PipelineError(f"{path.parent} is not writable; choose another place")
    if path.exists() and not force:
        raise PipelineError(f"{path} exists; --force overwrites it")
