"""Fuzzed recordings and lists of sentences: read or refused."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio import read_audio
from pipeline.batch_job.requests import prepare
from pipeline.batch_job.rows import read_rows
from pipeline.errors import PipelineError
from tests.fuzzing import KEYS, altered, damaged, fuzz, texts

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("own_files_only")]

RATE = 22_050
ROWS = [
    {"id": "one", "text": "Hello.", "voice": "", "seed": 3, "sigma": 0.5},
    {"id": "book/two", "text": 'He said "no, no".', "voice": "x", "seed": 0, "sigma": 0.0},
]
TABLE = texts(
    *("id,text\n", "id\ttext\tseed\n", "text,id,voice,rate\n", "a,Hi.\n", '"', '""', ",", "\t"),
    *("b\tHi.\t1\n", "\n", "\r", "\ufeff", "book/1", "../b,Hi.\n", "c,Hi.,,2\n", "\x1c", "\u2028"),
)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A twentieth of a second of each format by its suffix."""
    tone = 0.5 * np.sin(np.arange(RATE // 20) * 0.1)
    found = {}
    for suffix, subtype in ((".wav", "FLOAT"), (".flac", None), (".ogg", None), (".mp3", None)):
        path = tmp_path_factory.getbasetemp() / f"tone{suffix}"
        soundfile.write(path, tone, RATE, subtype=subtype)
        found[suffix] = path.read_bytes()
    return found


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
@fuzz
@given(data=st.data())
def test_any_recording_is_read_or_refused(
    suffix: str, recordings: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzzed{suffix}"
    path.write_bytes(data.draw(damaged(recordings[suffix])))
    with contextlib.suppress(PipelineError):
        audio = read_audio(path, RATE)
        assert audio.dtype == np.float32
        assert np.isfinite(audio).all()


def check_list(path: Path, content: bytes, voice: Path, out: Path) -> None:
    """Read a list as the batch does, up to what its workers are asked for."""
    path.write_bytes(content)
    defaults = {"sigma": None, "denoise": None, "rate": 1.0, "seed": 0}
    with contextlib.suppress(PipelineError):
        for row in read_rows(path):
            request = prepare(
                row, voice=str(voice), defaults=defaults, suffix=".flac", device="cpu"
            )
            assert request.error or request.key
            file = out / request.file
            assert file.resolve().is_relative_to(out.resolve())
            assert not file.exists()  # the system takes a name of that length
            json.dumps(request._asdict()).encode()


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".tsv"])
@fuzz
@given(written=TABLE)
def test_any_list_is_read_or_refused(
    suffix: str, written: str, tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzzed{suffix}"
    content = written.encode(errors="surrogatepass")
    check_list(path, content, tiny_voice, tmp_path_factory.getbasetemp() / "spoken")


@fuzz
@given(data=st.data())
def test_any_list_of_objects_is_read_or_refused(
    tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory, data
) -> None:
    rows = [data.draw(altered(row)) for row in ROWS]
    path = tmp_path_factory.getbasetemp() / "fuzzed.jsonl"
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    if data.draw(st.booleans()):
        content = data.draw(damaged(content))
    check_list(path, content, tiny_voice, tmp_path_factory.getbasetemp() / "spoken")


@pytest.fixture(scope="module")
def parquet() -> bytes:
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), sink)
    return sink.getvalue().to_pybytes()


@fuzz
@given(data=st.data())
def test_any_parquet_is_read_or_refused(
    parquet: bytes, tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory, data
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.parquet"
    content = data.draw(damaged(parquet))
    check_list(path, content, tiny_voice, tmp_path_factory.getbasetemp() / "spoken")


COLUMNS = st.lists(st.sampled_from(("id", "text", "voice", "seed", "rate")) | KEYS, max_size=4)
VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=8)
CELLS = st.lists(VALUES | st.text(max_size=8) | st.floats() | st.dates(), max_size=2)


@fuzz
@given(columns=st.dictionaries(COLUMNS.map("".join), CELLS, max_size=4))
def test_any_kind_of_column_is_read_or_refused(
    columns: dict[str, list], tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sink = pyarrow.BufferOutputStream()
    try:
        table = pyarrow.table({"id": ["1", "2"], "text": ["Hi.", ""]} | columns)
        pyarrow.parquet.write_table(table, sink)
    except (pyarrow.ArrowException, UnicodeEncodeError, TypeError):
        return  # no table, so no list
    path = tmp_path_factory.getbasetemp() / "fuzzed.parquet"
    content = sink.getvalue().to_pybytes()
    check_list(path, content, tiny_voice, tmp_path_factory.getbasetemp() / "spoken")
