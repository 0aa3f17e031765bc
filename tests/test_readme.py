"""The README tells the truth: its map is the tree, its commands exist, its readings are real."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from text import normalize

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
READINGS = re.findall(
    r"^\| (.+?) \| (.+?) \|$",
    README.split("| written | spoken |\n|---|---|\n")[1].split("\n\n")[0],
    flags=re.MULTILINE,
)


def first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{path} has no docstring"
    return docstring.splitlines()[0].rstrip(".")


def test_the_map_has_every_file_with_its_own_first_line() -> None:
    told = dict(re.findall(r"^\| `([\w/]+\.py)` \| (.+) \|$", README, flags=re.MULTILINE))
    files = [path for room in ("text", "pipeline", "app") for path in (ROOT / room).rglob("*.py")]
    assert told == {str(path.relative_to(ROOT)): first_line(path) for path in files}


def test_the_two_commands_stand_on_the_first_screen() -> None:
    screen = "\n".join(README.splitlines()[:25])
    assert "pip install -q -r requirements.txt && .venv/bin/python -m pipeline.speak" in screen
    assert "pip install -q -r requirements-dev.txt && .venv/bin/python -m pytest" in screen


def test_ten_hard_sentences_are_shown() -> None:
    assert len(READINGS) >= 10


@pytest.mark.parametrize(("written", "spoken"), READINGS)
def test_shown_readings_are_real(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


def test_commands_that_are_shown_exist() -> None:
    modules = set(re.findall(r"python -m ([a-z_.]+)", README)) - {"venv", "pytest"}
    assert modules >= {"app", "text", "pipeline.speak", "pipeline.train"}
    for module in modules:
        path = ROOT / Path(*module.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
