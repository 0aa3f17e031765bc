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
from pipeline.batch_job.cluster import connect, work_on_cluster
from pipeline.batch_job.requests import Request
from pipeline.batch_job.worker import Result
from tests.test_batch import request, write_list

ray = pytest.importorskip("ray", reason="Ray is an optional requirement")
ROWS = [{"id": f"{n:02}", "text": f"Number {n}."} for n in range(20)]
ROWS += [{"id": "bad", "text": "..."}]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=80_000_000, include_dashboard=False)
        yield cluster.address
    finally:
        ray.shutdown()
        cluster.shutdown()


def digests(folder: Path) -> dict[str, Any]:
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return {entry["id"]: entry.get("sha256", entry.get("error")) for entry in entries}


@pytest.mark.slow
def test_two_nodes_speak_the_same_samples(
    address: str, tiny_voice: Path, tmp_path: Path, capsys
) -> None:
    path = write_list(tmp_path / "list.jsonl", ROWS)
    for out, options in (("here", ["--workers", "1"]), ("there", ["--ray", address])):
        arguments = [str(path), str(tmp_path / out), "--voice", str(tiny_voice), *options]
        assert main(arguments) == 0
    assert digests(tmp_path / "there") == digests(tmp_path / "here")
    assert "2 workers of one thread" in capsys.readouterr().out


def die_at_poison(requests: Sequence[Request]) -> list[Result]:
    """Stand in for an actor that the system kills at one sentence."""
    if any(one.text == "poison" for one in requests):
        os.kill(os.getpid(), signal.SIGKILL)
    return [Result({"file": one.file}, 1.0, 1) for one in requests]


@pytest.mark.slow
def test_a_sentence_that_kills_its_actor_fails_alone(address: str) -> None:
    connect(address)
    texts = ["good", "good", "poison", "good"]
    groups = iter([[request(0, texts[0])], [request(n, texts[n]) for n in (1, 2, 3)]])
    done = list(work_on_cluster(groups, die_at_poison, n_workers=2, n_gpus=0))
    assert sorted(one.row for one, _ in done) == [0, 1, 2, 3]
    assert [one.row for one, result in done if result.size_bytes is None] == [2]


def test_no_cluster_is_one_line(tiny_voice: Path, tmp_path: Path, capsys) -> None:
    path = write_list(tmp_path / "list.jsonl", ROWS)
    arguments = [str(path), str(tmp_path / "out"), "--voice", str(tiny_voice)]
    assert main([*arguments, "--ray", "nowhere"]) == 1
    assert "There is no Ray cluster at 'nowhere'" in capsys.readouterr().err
