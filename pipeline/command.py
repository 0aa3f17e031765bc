"""What every command does around its work: our errors become one line and exit status 1."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from pipeline.errors import PipelineError
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
