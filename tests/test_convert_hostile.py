"""Files that are damaged, cut, or made to do harm: one line each, and nothing is run."""

from __future__ import annotations

import io
import os
import pickle
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline import convert
from pipeline.errors import PipelineError
from pipeline.pretrained.conversion import Converted, read_any, write_any
from pipeline.pretrained.nemo_archives import CONFIG_NAME, WEIGHTS_NAME
from pipeline.pretrained.waveglow_state_dict import waveglow_to_nemo
from tests.nvidia_state_dicts import latest
from tests.tiny_models import SMALL_FILE, random_waveglow

SMALLEST_FILE = replace(SMALL_FILE, n_flows=2, n_early_every=2, n_layers=1, n_channels=4)
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


@pytest.fixture(scope="module", params=["zip", "legacy"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "waveglow.pt"
    state = latest(waveglow_to_nemo(random_waveglow(SMALL_FILE)))
    torch.save(state, path, _use_new_zipfile_serialization=request.param == "zip")
    return path.read_bytes()


def refusal(path: Path, content: bytes) -> str:
    """Return the one line that reading such a file ends in."""
    path.write_bytes(content)
    with pytest.raises(PipelineError) as caught:
        read_any(path, mel_max_hz=8_000.0)
    told = str(caught.value)
    assert "\n" not in told
    assert path.name in told
    return told


def as_zip(data: bytes, *, compression: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
    """Return an archive as torch.save writes it, with this pickle in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("archive/data.pkl", data)
        for name, content in members.items():
            archive.writestr(f"archive/data/{name.strip('_')}", content)
    return buffer.getvalue()


def as_legacy(data: bytes) -> bytes:
    """Return a file as torch.save wrote it before 1.6, with this pickle in it."""
    start = [LEGACY_MAGIC, 1001, {"little_endian": True}]
    return (
        b"".join(pickle.dumps(value, protocol=2) for value in start)
        + data
        + pickle.dumps([], protocol=2)
    )


class Payload:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
@pytest.mark.parametrize("wrap", [as_zip, as_legacy], ids=["zip", "legacy"])
def test_a_file_that_would_run_something_is_refused_by_name(
    wrap: Callable[[bytes], bytes], protocol: int, tmp_path: Path
) -> None:
    evil = pickle.dumps({"state_dict": Payload(tmp_path / "run")}, protocol=protocol)
    told = refusal(tmp_path / "evil.pt", wrap(evil))
    assert ("posix.mkdir" in told and "nothing in it was run" in told) or "instruction" in told
    assert not (tmp_path / "run").exists()
    with zipfile.ZipFile(io.BytesIO(as_zip(evil))) as archive:  # the file is what it claims to be
        pickle.loads(archive.read("archive/data.pkl"))
    assert (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (b"cbuiltins\neval\n(S'1'\ntR.", "builtins.eval"),
        (b"ctorch._utils\n_import_dotted_name\n.", "torch._utils._import_dotted_name"),
        (b"ctorch.hub\nload\n.", "torch.hub.load"),
        (b"\x80\x02\x8c\x02os\x8c\x06system\x93.", "os.system"),
        (b"(S'ls'\nios\nsystem\n.", "instruction STRING"),
        (b"(cos\nsystem\nS'ls'\no.", "os.system"),
        (b"\x80\x02\x82\x01.", "instruction EXT1"),
        (b"\x80\x02\x97.", "instruction NEXT_BUFFER"),
        (b"\x80\x02K\x01K\x02R.", "damaged"),
        (b"\x80\x02ctorch\nSize\nK\x01b.", "damaged"),
        (b"\x80\x02ctorch\nSize\n}X\x08\x00\x00\x00__call__K\x01sb.", "damaged"),
        (b"\x80\x02}(K\x01K\x02\x86K\x03u.", "damaged"),
        (b"\x80\x02}q\x00h\x00K\x01s.", "damaged"),
        (b"\x80\x02ccollections\nOrderedDict\nK\x05\x85R.", "damaged"),
        (b"\x80\x02h\x07.", "damaged"),
        (b"\x80\x02.", "damaged"),
        (b"\x80\x02K\x01", "damaged"),
        (b"\x80\x02X\xff\xff\xff\x7fabc.", "damaged"),
        (b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\x00\x00abc.", "damaged"),
        (b"\x80\x02" + b"(" * 5_000 + b"l" * 5_000 + b".", "instruction LIST"),
        (b"\x80\x02N" + b"\x85" * 100_000 + b".", "no model"),
        (b"\x80\x02}N" + b"\x85" * 100_000 + b"Ns.", "damaged"),
    ],
)
@pytest.mark.parametrize("wrap", [as_zip, as_legacy], ids=["zip", "legacy"])
def test_hostile_pickles_end_in_one_line(
    wrap: Callable[[bytes], bytes], code: bytes, told: str, tmp_path: Path
) -> None:
    assert told in refusal(tmp_path / "evil.pt", wrap(code))


def tensor_code(n_elements: int, shape: str, stride: str, *, offset: int = 0) -> bytes:
    """Return a pickle of {"x": tensor} with the sizes that are told."""
    text = (
        "(dX\x01\x00\x00\x00xctorch._utils\n_rebuild_tensor_v2\n"
        "((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    ).replace("(d", "}", 1)
    number = pickle.dumps(n_elements, protocol=2)[2:-1]
    place = pickle.dumps(offset, protocol=2)[2:-1]
    sizes = b"".join(
        pickle.dumps(tuple(int(n) for n in part.split()), protocol=2)[2:-1].replace(b"q\x00", b"")
        for part in (shape, stride)
    )
    return b"\x80\x02" + text.encode("latin-1") + number + b"tQ" + place + sizes + b"\x89}tRs."


def test_the_tensor_that_these_tests_distort_is_whole(tmp_path: Path) -> None:
    values = struct.pack("<4f", 1.0, 2.0, 3.0, 4.0)
    content = as_zip(tensor_code(4, "2 2", "2 1"), _0=values)
    assert "neither a Tacotron 2 nor a WaveGlow; its weights are called x" in refusal(
        tmp_path / "tiny.pt", content
    )


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (tensor_code(10**12, "1000000 1000000", "1000000 1"), "would take 4000000000000 bytes"),
        (tensor_code(10**12, "2 2", "2 1"), "has 16 bytes, expected 4000000000000"),
        (tensor_code(4, "1000000 1000000", "0 0"), "would take 4000000000000 bytes"),
        (tensor_code(4, "3 3", "0 0"), "does not fit its storage of 4 elements"),
        (tensor_code(4, "2 2", "2 9"), "does not fit its storage"),
        (tensor_code(4, "2 2", "2 1", offset=1), "does not fit its storage"),
        (tensor_code(4, "2 2", "2 1", offset=-1), "does not fit its storage"),
        (tensor_code(4, "2 -2", "2 1"), "does not fit its storage"),
        (tensor_code(4, "4", "2 1"), "with strides"),
        (tensor_code(-4, "2 2", "2 1"), "does not fit its storage"),
    ],
)
def test_lying_sizes_take_no_memory(code: bytes, told: str, tmp_path: Path) -> None:
    content = as_zip(code, _0=struct.pack("<4f", 1.0, 2.0, 3.0, 4.0))
    tracemalloc.start()
    try:
        assert told in refusal(tmp_path / "lying.pt", content)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_missing_storage_is_told(tmp_path: Path) -> None:
    assert "damaged" in refusal(tmp_path / "x.pt", as_zip(tensor_code(4, "2 2", "2 1")))


def test_a_compressed_structure_is_refused(tmp_path: Path) -> None:
    content = as_zip(b"\x80\x02" + b"N" * 10_000 + b".", compression=zipfile.ZIP_DEFLATED)
    assert "not compressed" in refusal(tmp_path / "bomb.pt", content)


def test_a_structure_of_many_megabytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("safe_unpickler", "torch_files"):
        monkeypatch.setattr(f"pipeline.pretrained.{module}.MAX_PICKLE_BYTES", 1_000)
    code = b"\x80\x02" + b"N0" * 1_000 + b"."
    assert "its structure takes 2003 bytes" in refusal(tmp_path / "big.pt", as_zip(code))
    text = b"\x80\x02X\xd0\x07\x00\x00" + b"x" * 2_000 + b"."
    assert "more than 1000 bytes" in refusal(tmp_path / "big.pt", as_legacy(text))


def test_a_module_that_contains_itself_is_refused(tmp_path: Path) -> None:
    code = (
        b"\x80\x02cglow\nWaveGlow\n)\x81q\x00}X\x08\x00\x00\x00_modules}"
        b"(X\x01\x00\x00\x00ah\x00X\x01\x00\x00\x00bh\x00usb."
    )
    assert "more parts than any WaveGlow" in refusal(tmp_path / "loop.pt", as_zip(code))


@pytest.mark.parametrize("left", [0, 3, 9, 100, 5_000, -3_000, -1])
def test_a_cut_file_is_told(whole: bytes, left: int, tmp_path: Path) -> None:
    told = refusal(tmp_path / "cut.pt", whole[:left])
    assert "cut short" in told or "damaged" in told or "not a file of torch.save" in told


def test_an_altered_weight_in_a_zip_is_told(whole: bytes, tmp_path: Path) -> None:
    if whole[:2] != b"PK":
        return  # the older format has no checksum; pipeline.fetch holds it to its sha256
    middle = len(whole) // 2
    altered = whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :]
    assert "damaged" in refusal(tmp_path / "altered.pt", altered)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 2_000, b"<!DOCTYPE html><html>Sign in</html>", b"RIFF1234WAVEfmt ", b"\x80\x02."],
    ids=["empty", "zeros", "web page", "audio", "empty pickle"],
)
def test_other_files_are_told(content: bytes, tmp_path: Path) -> None:
    assert refusal(tmp_path / "other.pt", content)


def tar_of(members: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                content.name = name
                archive.addfile(content)
                continue
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def a_link(target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo()
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def test_an_archive_cannot_write_outside(tmp_path: Path) -> None:
    path = tmp_path / "inner" / "waveglow.nemo"
    path.parent.mkdir()
    write_any(Converted(random_waveglow(SMALL_FILE), "ours", {}), path)
    with tarfile.open(path, "a") as archive:
        for name in ("../escaped", str(tmp_path / "absolute"), "x/../../escaped"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"evil"))
    assert read_any(path).model.config == SMALL_FILE
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["inner", "waveglow.nemo"]


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({}, "without model_config.yaml"),
        ({CONFIG_NAME: b"a: 1"}, "without model_weights.ckpt"),
        ({CONFIG_NAME: a_link("/etc/passwd"), WEIGHTS_NAME: b""}, "without model_config.yaml"),
        ({CONFIG_NAME: b"a: 1", WEIGHTS_NAME: a_link("x")}, "without model_weights.ckpt"),
        ({CONFIG_NAME: b"a: [", WEIGHTS_NAME: b""}, "damaged"),
        ({CONFIG_NAME: b"\xff\xfe\x00", WEIGHTS_NAME: b""}, "damaged"),
        ({CONFIG_NAME: b"!!python/object/apply:os.system [ls]", WEIGHTS_NAME: b""}, "damaged"),
        ({CONFIG_NAME: b"#" * 2_000_000, WEIGHTS_NAME: b""}, "would take 2000000 bytes"),
        ({CONFIG_NAME: b"a: 1", WEIGHTS_NAME: b"not torch"}, "not a file of torch.save"),
        ({CONFIG_NAME: b"- 1", WEIGHTS_NAME: as_zip(b"\x80\x02}.")}, "holds no"),
        (
            {CONFIG_NAME: b"a: 1", WEIGHTS_NAME: as_zip(b"\x80\x02cos\nsystem\n.")},
            "asks for os.system",
        ),
    ],
)
def test_spoiled_archives_are_told(
    members: dict[str, bytes | tarfile.TarInfo], told: str, tmp_path: Path
) -> None:
    content = tar_of(members) if members else tar_of({"x": b""})
    assert told in refusal(tmp_path / "spoiled.nemo", content)


def test_a_cut_archive_is_told(tmp_path: Path) -> None:
    write_any(Converted(random_waveglow(SMALL_FILE), "ours", {}), tmp_path / "whole.nemo")
    content = (tmp_path / "whole.nemo").read_bytes()
    assert "damaged" in refusal(tmp_path / "cut.nemo", content[: len(content) // 2])


def test_the_command_ends_with_status_1_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "evil.pt").write_bytes(as_zip(pickle.dumps(Payload(tmp_path / "run"), protocol=2)))
    out = tmp_path / "out.safetensors"
    assert convert.main([str(tmp_path / "evil.pt"), str(out), "--mel-max-hz", "8000"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["evil.pt"]


@pytest.mark.parametrize("kind", ["zip", "legacy", "tar"])
def test_a_file_with_an_altered_byte_is_refused_or_read_as_the_same_model(
    kind: str, tmp_path: Path
) -> None:
    """A byte is altered at random; in files of torch before 1.6 nothing guards those of weights."""
    path = tmp_path / ("whole.nemo" if kind == "tar" else "whole.pt")
    if kind == "tar":
        write_any(Converted(random_waveglow(SMALLEST_FILE), "ours", {}), path)
    else:
        state = latest(waveglow_to_nemo(random_waveglow(SMALLEST_FILE)))
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
    content = path.read_bytes()
    original = read_any(path, mel_max_hz=8_000.0).model
    rng, refusals = np.random.default_rng(0), []
    for _ in range(100):
        altered = bytearray(content)
        place = int(len(content) ** rng.random())  # near an end, where what describes weights is
        altered[place if rng.random() < 0.5 else -place] ^= int(rng.integers(1, 256))
        path.write_bytes(altered)
        try:
            model = read_any(path, mel_max_hz=8_000.0).model
        except PipelineError as error:
            refusals.append(str(error))
            continue
        assert model.config == original.config
        if kind != "legacy":
            torch.testing.assert_close(model.state_dict(), original.state_dict(), rtol=0, atol=0)
    assert len(refusals) > 20
    assert all(path.name in refusal and "\n" not in refusal for refusal in refusals)
