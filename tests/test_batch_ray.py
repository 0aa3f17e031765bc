"""`python -m pipeline.batch --ray` on a cluster of two nodes, both on this machine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.batch import main
from pipeline.batch_job.cluster import connected, work_on_cluster
from pipeline.batch_job.pool import Work
from pipeline.batch_job.requests import Request
from pipeline.batch_job.worker import Result, fulfil
from tests.test_batch import die_at_poison, request, write_list

ray = pytest.importorskip("ray", reason="Ray is an optional requirement")
pytestmark = [pytest.mark.usefixtures("forks"), pytest.mark.timeout(300)]
ROWS = [{"id": f"{n:02}", "text": f"Number {n}."} for n in range(20)]
ROWS += [{"id": "bad", "text": "..."}]


@pytest.fixture
def address() -> Iterator[str]:
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=80_000_000, include_dashboard=False)
        yield cluster.address
    finally:
        cluster.shutdown()


def digests(folder: Path) -> dict[str, Any]:
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return {entry["id"]: entry.get("sha256", entry.get("error")) for entry in entries}


@pytest.fixture(scope="module")
def spoken_here(tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one worker without a cluster speaks."""
    folder = tmp_path_factory.mktemp("here")
    path = write_list(folder / "list.jsonl", ROWS)
    arguments = [str(path), str(folder / "out"), "--voice", str(tiny_voice), "--workers", "1"]
    assert main(arguments) == 0
    return digests(folder / "out")


def fulfil_or_die(requests: Sequence[Request], out_dir: Path) -> list[Result]:
    """Speak requests, but the first time some are asked for, die with one of them spoken."""
    if not (flag := out_dir.parent / "killed").exists():
        fulfil(requests[:1], out_dir)
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return fulfil(requests, out_dir)


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(fulfil, marks=pytest.mark.slow),
        pytest.param(fulfil_or_die, marks=pytest.mark.faults),
    ],
)
def test_two_nodes_speak_the_same_samples_even_when_an_actor_is_killed(
    work: Work,
    address: str,
    tiny_voice: Path,
    spoken_here: dict[str, Any],
    tmp_path: Path,
    capsys,
    monkeypatch,
) -> None:
    monkeypatch.setattr("pipeline.batch_job.worker.fulfil", work)
    path = write_list(tmp_path / "list.jsonl", ROWS)
    arguments = [str(path), str(tmp_path / "out"), "--voice", str(tiny_voice), "--ray", address]
    assert main(arguments) == 0
    assert digests(tmp_path / "out") == spoken_here
    assert (tmp_path / "killed").exists() == (work is fulfil_or_die)
    output = capsys.readouterr().out
    assert f"{len(ROWS) - 1} of {len(ROWS)} sentences are spoken" in output
    assert "2 workers of one thread" in output
    assert not list((tmp_path / "out").glob(".*.part"))


def die_or_fail(requests: Sequence[Request]) -> list[Result]:
    """Stand in for an actor that the system kills at one sentence, and for a bug at another."""
    if any(request.text == "bug" for request in requests):
        raise KeyError("bug")
    return die_at_poison(requests)


@pytest.mark.faults
def test_a_sentence_that_kills_its_actor_fails_alone_and_a_bug_is_told(address: str) -> None:
    texts = ["good", "good", "poison", "good", "good", "good"]
    groups = [[request(row, text)] for row, text in enumerate(texts)]
    with connected(address):
        done = list(work_on_cluster(iter(groups), die_or_fail, n_workers=1, n_gpus=0))
        with pytest.raises(RuntimeError, match="KeyError: 'bug'"):
            list(work_on_cluster(iter([[request(0, "bug")]]), die_or_fail, n_workers=1, n_gpus=0))
    assert sorted(one.row for one, _ in done) == list(range(len(texts)))
    assert [one.row for one, result in done if result.size_bytes is None] == [2]


def test_no_cluster_is_one_line(tiny_voice: Path, tmp_path: Path, capsys) -> None:
    path = write_list(tmp_path / "list.jsonl", ROWS)
    arguments = [str(path), str(tmp_path / "out"), "--voice", str(tiny_voice)]
    assert main([*arguments, "--ray", "nowhere"]) == 1
    assert "There is no Ray cluster at 'nowhere'" in capsys.readouterr().err
