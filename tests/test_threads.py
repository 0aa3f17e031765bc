"""How many threads numpy's products take, whatever was imported first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRINT_THREADS = """
from threadpoolctl import threadpool_info
print(*{lib["num_threads"] for lib in threadpool_info() if lib["internal_api"] == "openblas"})
"""


@pytest.mark.parametrize("imports", ["import pipeline, numpy", "import numpy, pipeline"])
@pytest.mark.parametrize("wanted", [None, "2"])
def test_one_unless_asked_for_more(imports: str, wanted: str | None) -> None:
    environment = {name: v for name, v in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    if wanted:
        environment["OPENBLAS_NUM_THREADS"] = wanted
    done = subprocess.run(
        [sys.executable, "-c", imports + PRINT_THREADS],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    threads = min(int(wanted or 1), os.cpu_count() or 1)
    assert done.stdout.split() == [str(threads)]
