"""`python -m pipeline.batch`: the same samples however work is split, and nothing done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow
import pyarrow.parquet
import pytest
import soundfile
import torch

from pipeline import Synthesizer
from pipeline.audio import to_pcm
from pipeline.batch import main
from pipeline.batch_job.buckets import WINDOW, buckets
from pipeline.batch_job.pool import work_through
from pipeline.batch_job.requests import Request
from pipeline.batch_job.rows import read_rows
from pipeline.batch_job.state import State
from pipeline.batch_job.worker import Result, VoiceChangedError, fulfil
from pipeline.checkpoints import file_sha256
from pipeline.errors import PipelineError
from tests.conftest import make_voice
from tests.test_import_rules import ROOT

pytestmark = pytest.mark.usefixtures("forks")
ROWS: list[dict[str, Any]] = [
    {"id": "one", "text": "Hello.", "seed": 3},
    {"id": "book/two", "text": "Yes, it is.", "sigma": 0.5, "rate": 1.5},
    {"id": "three", "text": "No.", "denoise": 0.0},
    {"id": "four", "text": "Pay $5."},
]


def write_list(path: Path, rows: list[dict[str, Any]]) -> Path:
    lines = [json.dumps(row) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def batch(tiny_voice: Path, tmp_path: Path):
    """Run the command on rows; return the manifest by id, in its order."""

    def run(rows: list[dict[str, Any]], out: str, *options: str) -> dict[str, dict[str, Any]]:
        path = write_list(tmp_path / "list.jsonl", rows)
        arguments = [str(path), str(tmp_path / out), "--voice", str(tiny_voice), *options]
        assert main(arguments) == 0
        (manifest,) = (tmp_path / out).glob("manifest*.jsonl")
        entries = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
        return {entry["id"]: entry for entry in entries}

    return run


def digests(manifest: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: entry["sha256"]["audio"] for name, entry in manifest.items()}


def test_audio_does_not_depend_on_how_the_work_is_split(
    batch, tiny_voice: Path, tmp_path: Path
) -> None:
    whole = batch(ROWS, "whole", "--workers", "2")
    assert list(whole) == [row["id"] for row in ROWS]
    reversed_alone = batch(ROWS[::-1], "reversed", "--workers", "1")
    assert list(reversed_alone) == list(whole)[::-1]
    assert digests(reversed_alone) == digests(whole)
    few = batch(ROWS[1:3], "few", "--workers", "1")
    assert digests(few).items() <= digests(whole).items(), "whatever is decoded beside them"
    shards = [batch(ROWS, f"shard{i}", "--shard", f"{i}/2", "--workers", "1") for i in (1, 2)]
    assert not shards[0].keys() & shards[1].keys()
    assert digests(shards[0]) | digests(shards[1]) == digests(whole)

    torch.set_num_threads(1)
    tts = Synthesizer.load(tiny_voice, device="cpu")
    for row in ROWS:
        options = {key: value for key, value in row.items() if key not in ("id", "text")}
        speech = tts.speak(row["text"], **options)
        written, _ = soundfile.read(tmp_path / "whole" / whole[row["id"]]["file"], dtype="int16")
        assert np.abs(written - to_pcm(speech.audio).astype(int)).max() <= 8, "rounding alone"
        assert whole[row["id"]]["sha256"]["waveglow"] == tts.engine.vocoder_sha256
        assert whole[row["id"]]["seconds"] == pytest.approx(speech.seconds, abs=1e-4)


def test_only_what_is_missing_or_changed_is_spoken(batch, tmp_path: Path, capsys) -> None:
    def run(rows: list[dict[str, Any]], *options: str) -> tuple[dict[str, dict[str, Any]], str]:
        manifest = batch(rows, "out", "--workers", "1", *options)
        return manifest, capsys.readouterr().out

    first, output = run(ROWS[:3])
    assert "3 of 3 sentences are spoken, 3 of them now" in output
    again, output = run(ROWS[:3])
    assert "3 of 3 sentences are spoken, 0 of them now" in output
    assert again == first
    (tmp_path / "out" / "one.flac").unlink()
    _, output = run([*ROWS[:2], {**ROWS[2], "text": "Never."}])
    assert "2 of them now" in output, "the file that is gone, and the text that is new"
    _, output = run(ROWS[:2], "--seed", "7")
    assert "1 of them now" in output, "the row that names no seed"


def test_other_weights_are_another_sentence(tmp_path: Path, capsys) -> None:
    path = write_list(tmp_path / "list.jsonl", ROWS[:1])
    for seed in (0, 1):
        voice = make_voice(tmp_path / str(seed) / "voice", seed=seed)
        arguments = [str(path), str(tmp_path / "out"), "--voice", str(voice), "--workers", "1"]
        assert main(arguments) == 0
        assert "1 of them now" in capsys.readouterr().out


def test_a_bad_sentence_is_recorded_and_stops_nothing(batch, capsys) -> None:
    rows = [
        {"id": "empty", "text": "..."},
        {"id": "voice", "text": "Hello.", "voice": "nobody"},
        {"id": "option", "text": "Hello.", "sigma": 9},
        {"id": "good", "text": "Hello."},
    ]
    manifest = batch(rows, "out", "--workers", "1")
    assert "3 failed" in capsys.readouterr().err
    assert "nothing to speak" in manifest["empty"]["error"]
    assert "No voice 'nobody'" in manifest["voice"]["error"]
    assert manifest["option"]["error"] == "sigma is 9, expected 0 to 2"
    assert [name for name, entry in manifest.items() if entry["file"]] == ["good"]
    assert "error" not in manifest["good"]


def test_a_file_that_cannot_be_written_ends_the_run(
    batch, tiny_voice: Path, tmp_path: Path, capsys
) -> None:
    batch(ROWS[:1], "out", "--workers", "1")
    (tmp_path / "out" / "three.flac").mkdir()  # as a full disk would, it refuses the file
    path = write_list(tmp_path / "list.jsonl", ROWS)
    assert main([str(path), str(tmp_path / "out"), "--voice", str(tiny_voice)]) == 1
    assert "error: Cannot write" in capsys.readouterr().err
    assert not (tmp_path / "out" / "manifest.jsonl").exists(), "it is there only when it is true"


@pytest.mark.slow
def test_a_killed_batch_goes_on_where_it_was(
    batch, tiny_voice: Path, tmp_path: Path, capsys
) -> None:
    rows = [{"id": f"{n:03}", "text": "Hi."} for n in range(60)]
    path, out = write_list(tmp_path / "long.jsonl", rows), tmp_path / "out"
    command = [sys.executable, "-m", "pipeline.batch", str(path), str(out), "--workers", "1"]
    process = subprocess.Popen([*command, "--voice", str(tiny_voice)], cwd=ROOT)
    while len(list(out.glob("*.flac"))) < 5:
        assert process.poll() is None, "it must not end before it is killed"
        time.sleep(0.02)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    assert psutil.wait_procs(workers, timeout=30)[1] == [], "workers end with their parent"
    with State.open(next(out.glob(".batch*.sqlite"))) as state:
        n_kept = state.counts().spoken
    manifest = batch(rows, "out", "--workers", "2")
    assert f"60 of 60 sentences are spoken, {60 - n_kept} of them now" in capsys.readouterr().out
    for entry in manifest.values():
        assert file_sha256(out / entry["file"]) == entry["sha256"]["audio"]
    assert len({entry["sha256"]["audio"] for entry in manifest.values()}) == 1, (
        "same text, same seed"
    )
    assert list(out.rglob("*.part")) == []


def request(row: int, text: str) -> Request:
    return Request(row, str(row), f"{row}.flac", text, "", "", "cpu", {}, "key", "")


def die_at_poison(requests: Sequence[Request]) -> list[Result]:
    """Stand in for a worker that the system kills at one sentence."""
    if any(request.text == "poison" for request in requests):
        os.kill(os.getpid(), signal.SIGKILL)
    return [Result({"file": request.file}, 1.0, 1) for request in requests]


def test_a_sentence_that_kills_its_worker_fails_alone() -> None:
    texts = ["good", "good", "poison", "good", "good", "good", "good"]
    groups = buckets((request(row, text) for row, text in enumerate(texts)), most=2)
    results = {one.row: result for one, result in work_through(groups, die_at_poison, n_workers=2)}
    assert sorted(results) == list(range(len(texts)))
    assert [row for row, result in results.items() if result.size_bytes is None] == [2]
    assert "killed or hung thrice" in results[2].facts["error"]


def hang_at_poison(requests: Sequence[Request]) -> list[Result]:
    """Stand in for a worker that waits for a disk which has gone."""
    while any(request.text == "poison" for request in requests):
        time.sleep(1.0)
    return [Result({"file": request.file}, 1.0, 1) for request in requests]


@pytest.mark.slow
def test_a_sentence_at_which_workers_hang_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.batch_job.pool.PATIENCE_SECONDS", 10.0)
    groups = [[request(row, text)] for row, text in enumerate(["good", "poison", "good"])]
    results = {one.row: result for one, result in work_through(groups, hang_at_poison, n_workers=2)}
    assert [row for row, result in sorted(results.items()) if result.size_bytes is None] == [1]
    assert "killed or hung thrice" in results[1].facts["error"]


def die_twice(requests: Sequence[Request], folder: Path) -> list[Result]:
    """Stand in for a machine that kills workers now and then, whatever they do."""
    for name in ("first", "second"):
        if requests[0].text == "unlucky" and not (folder / name).exists():
            (folder / name).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return [Result({"file": request.file}, 1.0, 1) for request in requests]


def test_sentences_outlive_workers_that_are_killed(tmp_path: Path) -> None:
    texts = ["unlucky", *["good"] * 12]
    groups = buckets((request(row, text) for row, text in enumerate(texts)), most=4)
    done = list(work_through(groups, partial(die_twice, folder=tmp_path), n_workers=2))
    assert (tmp_path / "second").exists()
    assert sorted(one.row for one, _ in done) == list(range(len(texts)))
    assert all(result.size_bytes for _, result in done)


def test_a_voice_that_was_changed_meanwhile_ends_the_run(tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "voice")
    asked = request(1, "Hello.")._replace(voice_dir=str(voice), fingerprint="another")
    with pytest.raises(VoiceChangedError, match="not the one that was there when this run began"):
        fulfil([asked, asked], tmp_path)
    assert not list(tmp_path.glob("*.flac"))


def test_buckets_hold_each_request_once_by_voice_and_length() -> None:
    texts = ["x" * (n * 7 % 50) for n in range(WINDOW + 30)]
    requests = [
        request(row, text)._replace(voice_dir=str(row % 2)) for row, text in enumerate(texts)
    ]
    groups = list(buckets(requests, most=8))
    assert sorted(one.row for group in groups for one in group) == list(range(len(texts)))
    assert all(len(group) <= 8 for group in groups)
    assert all(len({one.voice_dir for one in group}) == 1 for group in groups)
    spread = [len(group[-1].text) - len(group[0].text) for group in groups]
    assert np.mean(spread) < 5.0, "of fifty lengths"


def test_half_written_files_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    mine, others = tmp_path / ".1.flac.99.part", tmp_path / ".2.flac.99.part"
    mine.touch()
    others.touch()
    with State.open(tmp_path / ".batch.sqlite") as state:
        state.ask([("row 1", request(1, "Hello."))])
        state.remove_leftovers()
    assert (mine.exists(), others.exists()) == (False, True), "others belong to another shard"


def test_one_run_at_a_time_writes_to_a_folder(tmp_path: Path) -> None:
    path = tmp_path / ".batch.sqlite"
    with (
        State.open(path),
        pytest.raises(PipelineError, match="another run writes"),
        State.open(path),
    ):
        pass


def test_all_formats_hold_the_same_rows(tmp_path: Path) -> None:
    rows = [{"id": "1", "text": 'He said "no, no".', "seed": 4}, {"id": "2", "text": "É."}]
    write_list(tmp_path / "list.jsonl", rows)
    contents = {
        "list.csv": '\ufeffid,text,seed\n1,"He said ""no, no"".",4\n\n2,É.,\n',
        "list.tsv": 'id\ttext\tseed\n1\tHe said "no, no".\t4\n2\tÉ.\t\n',
        "list.txt": 'He said "no, no".\nÉ.\n',
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    table = pyarrow.Table.from_pylist([{**row, "id": int(row["id"])} for row in rows])
    pyarrow.parquet.write_table(table, tmp_path / "list.parquet")
    for path in tmp_path.iterdir():
        seen = list(read_rows(path))
        assert [row.number for row in seen] == [1, 2]
        assert [row.text for row in seen] == [row["text"] for row in rows]
        assert [int(row.id) for row in seen] == [1, 2]
        if path.suffix != ".txt":
            assert [{k: int(v) for k, v in row.settings.items()} for row in seen] == [
                {"seed": 4},
                {},
            ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "name,text\n1,Hi.\n", "a.csv, line 1 has the columns 'name', 'text'; expected"),
        ("a.csv", "id,text,speed\n", "expected id and text, and of voice, sigma"),
        ("a.csv", "id,text\n1,Hi, you.\n", "a.csv, line 2 has 3 cells, expected 2"),
        ("a.csv", 'id,text\n1,"Hi.\n', "a.csv, line 2 is malformed"),
        ("a.csv", "", "has the columns (none)"),
        ("a.csv", "id,text\na,Hi.\nb,Ho.\na,Hi.\n", "a.csv, row 3 has the id 'a', and so has"),
        ("a.jsonl", '{"id": "1"}\n', "a.jsonl, line 1 has the columns 'id'"),
        ("a.jsonl", '{"id": "1", "text": 5}\n', "a.jsonl, row 1 has the text 5; expected a string"),
        ("a.jsonl", '{"id": "\\ud800", "text": ""}\n', "cannot name a file"),
        ("a.jsonl", "[1]\n", "is not a JSON object"),
        ("a.jsonl", "{", "line 1 is not JSON"),
        ("a.jsonl", "[" * 100_000, "line 1 is not JSON"),
        ("a.parquet", "id,text\n", "as Parquet"),
        ("a.txt", b"\xff\n", "a.txt is not UTF-8"),
        ("a.doc", "Hi.", "ends in '.doc'; expected one of .csv"),
        *(
            ("a.tsv", f"id\ttext\n{name}\tHi.\n", "cannot name a file inside the output folder")
            for name in (
                *("../a", "/a", "a/../../b", "a//b", "a/", ".a", "a/.b", "a" * 201, ""),
                *("/".join(["a" * 100] * 10), "1.flac/2"),
            )
        ),
    ],
)
def test_a_bad_list_is_refused_in_one_line(
    name: str, content: str | bytes, message: str, tiny_voice: Path, tmp_path: Path, capsys
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main([str(path), str(tmp_path / "out"), "--voice", str(tiny_voice)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_folder_with_other_files_is_refused(tiny_voice: Path, tmp_path: Path, capsys) -> None:
    path = write_list(tmp_path / "list.jsonl", ROWS)
    assert main([str(path), str(tmp_path), "--voice", str(tiny_voice)]) == 1
    assert "holds other files; expected an empty or new folder" in capsys.readouterr().err
