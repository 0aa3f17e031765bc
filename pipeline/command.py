"""What every command does around its work: our errors become one line and exit status 1."""

from __future__ import annotations

import sys
from collections.abc import Callable

from pipeline.errors import PipelineError
from text.errors import TextError


def run_command(work: Callable[[], None]) -> int:
    """Run a command's work and return its exit status; a bug keeps its traceback."""
    try:
        work()
    except (PipelineError, TextError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0
