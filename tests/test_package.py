"""What is installed: the command `tacoglow`, the pinned packages, a wheel that speaks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from app.cli import COMMANDS
from pipeline.command import run_command
from tests.test_import_rules import ROOMS, ROOT, imported_modules, module_of

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# The page reads a training's log where one has run, which takes the packages for training; texts
# of recordings are read and aligned by the training alone.
ONLY_WITH_TRAINING = {
    ("app.training_files", "tensorboard"),
    ("pipeline.data.alignment", "pocketsphinx"),
    ("pipeline.data.transcripts", "pysubs2"),
    ("pipeline.tables", "tabulate"),
}
ONNX_PARTS = ("export", "graph", "tacotron2", "waveglow")
ONLY_WITH_ONNX = {
    ("pipeline.onnx_engine.synthesizer", "onnxruntime"),
    *((f"pipeline.pretrained.onnx_{part}", "onnx") for part in ONNX_PARTS),
}


def pins(name: str) -> dict[str, str]:
    """Return the versions that a requirements file pins, and those of the files it includes."""
    versions: dict[str, str] = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            versions |= pins(line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            package, _, version = line.partition("==")
            versions[canonical(package)] = version
    return versions


def canonical(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def is_command(path: Path) -> bool:
    return 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")


def test_every_command_is_a_subcommand() -> None:
    modules = {module_of(path) for path in (ROOT / "pipeline").glob("*.py") if is_command(path)}
    packages = {"text", "app", "pipeline.documents"}
    assert {command.module for command in COMMANDS.values()} == modules | packages


def test_a_subcommand_does_what_its_module_does() -> None:
    def output(*command: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout

    assert output("app.cli", "text", "Dr. Lee", "--json") == output("text", "Dr. Lee", "--json")
    for name in COMMANDS:
        assert f"  {name} " in output("app.cli", "--help")


def test_a_package_that_is_missing_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def train() -> None:
        raise ModuleNotFoundError("No module named 'lightning.fabric'", name="lightning.fabric")

    assert run_command(train) == 1
    assert "needs the package lightning.fabric" in capsys.readouterr().err


def test_a_module_of_ours_that_is_missing_is_a_bug() -> None:
    def train() -> None:
        raise ModuleNotFoundError("No module named 'pipeline.lost'", name="pipeline.lost")

    with pytest.raises(ModuleNotFoundError):
        run_command(train)


@pytest.mark.parametrize(
    ("extra", "requirements"),
    [
        ("", "requirements-runtime.txt"),
        ("app", "requirements-runtime.txt"),
        ("train", "requirements.txt"),
        ("onnx", "requirements.txt"),
        ("nemo", "requirements.txt"),
        ("ray", "requirements-dev.txt"),
        ("dev", "requirements-dev.txt"),
    ],
)
def test_the_package_asks_for_the_versions_that_are_pinned(extra: str, requirements: str) -> None:
    asked = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    pinned = pins(requirements)
    versions = dict(line.split("==") for line in asked if "==" in line)
    assert versions == {package: pinned[canonical(package)] for package in versions}
    assert [line for line in asked if "==" not in line] == (
        ["tacoglow[app,train,onnx,nemo]"] if extra == "dev" else []
    )


def test_the_hashes_are_of_the_versions_that_are_pinned() -> None:
    text = (ROOT / "requirements-hashes.txt").read_text(encoding="utf-8")
    block = r"^(\S+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
    blocks = re.findall(block, text, re.MULTILINE)
    assert len(blocks) == text.count("=="), "each is followed by its hashes"
    pinned = pins("requirements-runtime.txt")
    pinned.pop("torch")  # its builds are one for each kind of device
    assert {canonical(package): version for package, version, _ in blocks} == pinned


def foreign_imports(*modules: str) -> set[tuple[str, str]]:
    """Return which of our modules imports which package, from these modules on, lazily or not."""
    todo, seen, found = [*modules], set(), set()
    while todo:
        module = todo.pop()
        place = ROOT / Path(*module.split("."))
        path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if module in seen or not path.is_file():
            continue
        seen.add(module)
        names = imported_modules(path)
        todo += [name for name in names if name.partition(".")[0] in ROOMS]
        found |= {(module, name.partition(".")[0]) for name in names}
    return {(module, top) for module, top in found if top not in {*sys.stdlib_module_names, *ROOMS}}


def test_speaking_and_the_page_import_only_what_their_requirements_pin() -> None:
    commands = ("speak", "vocode", "fetch", "convert", "synthesizer")
    found = foreign_imports(
        "app.__main__", "text.__main__", *(f"pipeline.{one}" for one in commands)
    )
    packages, pinned = metadata.packages_distributions(), pins("requirements-runtime.txt")
    unpinned = {
        (module, top)
        for module, top in found
        if not {canonical(package) for package in packages[top]} & pinned.keys()
    }
    assert {top for _, top in found} >= {"torch", "gradio", "unidecode", "yaml"}
    assert unpinned == ONLY_WITH_TRAINING | ONLY_WITH_ONNX


@pytest.mark.slow
def test_an_installed_package_speaks_from_any_folder(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True)
    installed = tmp_path / "site-packages"
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    assert "tacoglow = app.cli:main" in next(installed.glob("*/entry_points.txt")).read_text()
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "speak", "Hello there.", "hello.wav"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "voice kathleen" in done.stdout
    assert (tmp_path / "hello.wav").stat().st_size > 20_000
