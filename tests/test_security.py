"""Each line of the threat model is held by a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in SECURITY.split("|---|---|---|\n")[1].split("\n\n")[0].splitlines()
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:40] for row in ROWS])
def test_a_threat_names_a_test_that_exists(row: list[str]) -> None:
    _, _, named = row
    match = re.fullmatch(r"`(test_\w+\.py)(?:::(test_\w+))?`", named)
    assert match, named
    path = ROOT / "tests" / match[1]
    assert path.is_file()
    functions = {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert match[2] is None or match[2] in functions
