"""Write `docs/map.md`, which lists all modules: `python docs/write_map.py`."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAP_PATH = ROOT / "docs" / "map.md"
FOLDERS = ("text", "pipeline", "app", "docs", "tests")
HEADER = """# Map

Every module with the first line of its docstring, written by `python docs/write_map.py`. Data flows
one way: `app` imports `pipeline`, `pipeline` imports `text`, and never the other way round.
"""


def build_map() -> str:
    """Return the page: a section for each folder, a line for each of its modules."""
    folders = {path.parent for name in FOLDERS for path in (ROOT / name).rglob("*.py")}
    return "\n".join([HEADER, *(_section(folder) for folder in sorted(folders, key=_order))])


def _order(folder: Path) -> tuple[int, str]:
    place = folder.relative_to(ROOT)
    return FOLDERS.index(place.parts[0]), place.as_posix()


def _section(folder: Path) -> str:
    modules = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
    rows = [
        f"| [`{path.name}`](../{path.relative_to(ROOT)}) | {_purpose(path)} |" for path in modules
    ]
    package = folder / "__init__.py"
    purpose = f"{_purpose(package)}.\n\n" if package.is_file() else ""
    title = f"## `{folder.relative_to(ROOT)}/`\n\n"
    return title + purpose + "\n".join(["| module | what it is for |", "|---|---|", *rows, ""])


def _purpose(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if not docstring:
        raise SystemExit(f"{path} has no docstring; its first line says what the module is for")
    return docstring.splitlines()[0].rstrip(".").replace("|", "\\|")


if __name__ == "__main__":
    MAP_PATH.write_text(build_map(), encoding="utf-8")
