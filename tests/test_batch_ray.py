"""`python -m pipeline.batch --ray` on a cluster of two nodes, both on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.batch import main
from tests.test_batch import write_list

ray = pytest.importorskip("ray", reason="Ray is an optional requirement")
pytestmark = pytest.mark.usefixtures("forks")
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


def test_no_cluster_is_one_line(tiny_voice: Path, tmp_path: Path, capsys) -> None:
    path = write_list(tmp_path / "list.jsonl", ROWS)
    arguments = [str(path), str(tmp_path / "out"), "--voice", str(tiny_voice)]
    assert main([*arguments, "--ray", "nowhere"]) == 1
    assert "There is no Ray cluster at 'nowhere'" in capsys.readouterr().err
