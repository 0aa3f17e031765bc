"""Runs a fresh Python: what it takes is not mixed with what this process has loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pipeline
from pipeline.errors import PipelineError


def run_python(arguments: list[str], folder: Path | None = None) -> str:
    """Return what a fresh Python, with the packages of this one, prints.

    Args:
        arguments: Of the interpreter.
        folder: Where it runs; here, if not given.

    Raises:
        PipelineError: It failed.
    """
    own = Path(pipeline.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(own), *sys.path])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled already
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PipelineError(f"A fresh process failed: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout
