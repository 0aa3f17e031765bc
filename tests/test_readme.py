"""The README tells the truth: its commands, options, snippets, readings and links are real."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.app_server import running
from text import normalize

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
READINGS = re.findall(
    r"^\| (.+?) \| (.+?) \|$",
    README.split("| written | spoken |\n|---|---|\n")[1].split("\n\n")[0],
    flags=re.MULTILINE,
)
SNIPPETS = re.findall(r"```python\n(.+?)```", README, flags=re.DOTALL)
SHELL_LINES = "".join(re.findall(r"```sh\n(.+?)```", README, flags=re.DOTALL)).splitlines()
CODE_SPANS = re.findall(r"`([^`]+)`", re.sub(r"```.+?```", "", README, flags=re.DOTALL))
COMMANDS = [  # the module and what follows it
    (module, rest)
    for shown in (*SHELL_LINES, *CODE_SPANS)
    for module, rest in re.findall(r"python -m ((?:app|text|pipeline)[a-z_.]*)([^#]*)", shown)
]


def options(shown: str) -> set[str]:
    return set(re.findall(r"(?<!\S)--[a-z-]+", shown))


def run(*command: str, folder: Path) -> str:
    """Run a command in a folder, with this checkout's packages; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_map_is_as_the_script_writes_it() -> None:
    build_map = runpy.run_path(str(ROOT / "docs" / "write_map.py"))["build_map"]
    shown = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    assert shown == build_map(), "run: python docs/write_map.py"


def test_the_table_of_packages_is_complete() -> None:
    section = README.split("## Packages\n")[1]
    shown = re.findall(r"^\| `([a-z0-9_.]+)` \| .+ \|$", section, flags=re.MULTILINE)
    packages = [
        ".".join(path.parent.relative_to(ROOT).parts)
        for room in ("text", "pipeline", "app")
        for path in (ROOT / room).rglob("__init__.py")
    ]
    assert sorted(shown) == sorted(packages)


def test_sample_and_both_commands_stand_on_the_first_screen() -> None:
    screen = "\n".join(README.splitlines()[:25])
    assert "pip install -q -r requirements-runtime.txt && .venv/bin/python -m pipeline." in screen
    assert "pip install -q -r requirements-dev.txt && .venv/bin/python -m pytest" in screen
    assert re.search(r"\]\(docs/samples/[\w-]+\.flac\)", screen)


def test_ten_hard_sentences_are_shown() -> None:
    assert len(READINGS) >= 10


@pytest.mark.parametrize(("written", "spoken"), READINGS)
def test_shown_readings_are_real(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


def test_links_lead_to_files() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]
    assert len(links) > 30
    assert [link for link in links if not (ROOT / link).is_file()] == []


@pytest.fixture(scope="module")
def help_of() -> dict[str, set[str]]:
    """The options of each module that the README runs, from its --help."""
    return {
        module: options(run(sys.executable, "-m", module, "--help", folder=ROOT).replace("[", " "))
        for module in {module for module, _ in COMMANDS}
    }


def test_options_of_shown_commands_exist(help_of: dict[str, set[str]]) -> None:
    assert set(help_of) >= {"app", "text", "pipeline.speak", "pipeline.train", "pipeline.fetch"}
    for module, rest in COMMANDS:
        assert options(rest) <= help_of[module], f"{module}{rest}"


def test_options_in_the_prose_exist(help_of: dict[str, set[str]]) -> None:
    known = set().union(*help_of.values())
    shown = set().union(*(options(span) for span in CODE_SPANS if span.startswith("--")))
    assert shown >= {"--sigma", "--resume", "--auth"}
    assert shown <= known


def test_the_first_command_prints_what_is_shown(tmp_path: Path) -> None:
    command = next(line for line in SHELL_LINES if "requirements-runtime.txt" in line)
    text = re.search(r'pipeline\.speak "([^"]+)" out\.wav$', command)
    assert text
    output = run(sys.executable, "-m", "pipeline.speak", text[1], "out.wav", folder=tmp_path)
    shown = re.search(
        r"prints `out\.wav: ([\d.]+) s of audio in`.+?`([^`]+)`", README, flags=re.DOTALL
    )
    spoken = re.match(
        r"out\.wav: ([\d.]+) s of audio in .+ \(real-time factor .+\), (.+)\n", output
    )
    assert shown
    assert spoken
    assert float(spoken[1]) == pytest.approx(float(shown[1]), abs=0.1)  # rounding may move the end
    assert spoken[2] == shown[2]


def test_the_snippet_for_speaking_runs(tmp_path: Path) -> None:
    output = run(sys.executable, "-c", SNIPPETS[0], folder=tmp_path)
    assert len(output.splitlines()) > 4, "a line for each of two sentences, and more for pieces"
    assert (tmp_path / "out.wav").is_file()


@pytest.mark.slow
def test_the_snippet_for_clients_runs(tmp_path: Path) -> None:
    assert len(SNIPPETS) == 2
    with running(ROOT / "checkpoints" / "kathleen", work_dir=tmp_path) as server:
        run(
            sys.executable,
            "-c",
            SNIPPETS[1].replace("http://127.0.0.1:7860", server.url),
            folder=tmp_path,
        )
    assert (tmp_path / "hello.wav").read_bytes().startswith(b"RIFF")


@pytest.mark.slow
def test_commands_that_need_no_corpus_run(tmp_path: Path) -> None:
    (tmp_path / "story.txt").write_text("It was late.", encoding="utf-8")
    (tmp_path / "mels").mkdir()
    np.save(tmp_path / "mels" / "quiet.npy", np.full((80, 20), -8.0, np.float32))
    block = README.split("## Use\n\n```sh\n")[1].split("```")[0]
    shown = [
        line
        for line in block.splitlines()
        if re.search(r"-m (text|pipeline\.(speak|vocode))", line)
    ]
    for line in shown:
        run("bash", "-c", line.replace("python", sys.executable, 1), folder=tmp_path)
    assert len(shown) == 5
    for name in (
        "lee.flac",
        "lee.wav",
        "lee.srt",
        "story.mp3",
        "story.png",
        "story.json",
        "vocoded/quiet.wav",
    ):
        assert (tmp_path / name).stat().st_size > 0
