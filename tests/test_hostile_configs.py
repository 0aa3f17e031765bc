"""Settings in voices, checkpoints and archives that would do harm: one sentence each."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load, save

from pipeline.checkpoints import DESCRIPTION_KEY, load_model
from pipeline.errors import PipelineError
from pipeline.pretrained.conversion import read_any
from pipeline.pretrained.nemo_archives import CONFIG_NAME, WEIGHTS_NAME, read_nemo
from pipeline.pretrained.nemo_configs import mel_settings
from pipeline.pretrained.nemo_symbols import nemo_tokens
from pipeline.voices import read_voice


@pytest.mark.parametrize(
    "file", ["../waveglow.safetensors", "/etc/passwd", "..", ".", "", "a/b", "a\0b", "\ud800"]
)
def test_a_voice_names_files_in_its_own_folder_alone(
    file: str, tiny_voice: Path, tmp_path: Path
) -> None:
    content = json.loads((tiny_voice / "voice.json").read_text())
    content["waveglow"]["file"] = file
    (tmp_path / "voice.json").write_text(json.dumps(content))
    with pytest.raises(PipelineError, match="expected the name of one in the same folder"):
        read_voice(tmp_path)


@pytest.mark.parametrize("sigma", ["NaN", "-1", "1e999", "1" + "0" * 400, "[" * 100_000])
def test_a_voice_s_own_options_are_in_range(sigma: str, tiny_voice: Path, tmp_path: Path) -> None:
    content = json.loads((tiny_voice / "voice.json").read_text()) | {"sigma": "HERE"}
    (tmp_path / "voice.json").write_text(json.dumps(content).replace('"HERE"', sigma))
    with pytest.raises(PipelineError, match="does not hold a voice"):
        read_voice(tmp_path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("waveglow", {"n_flows": 2**40}),
        ("waveglow", {"n_layers": 2**40}),
        ("waveglow", {"n_channels": 2**40}),
        ("waveglow", {"n_channels": -1}),
        ("waveglow", {"n_group": 0}),
        ("waveglow", {"n_early_every": 0}),
        ("waveglow", {"kernel_size": -1}),
        ("waveglow", {"audio": {"n_mels": 2**40}}),
        ("waveglow", {"audio": {"n_fft": 2**40}}),
        ("waveglow", {"audio": {"sample_rate": 10**400}}),
        ("tacotron2", {"postnet_layers": 2**40}),
        ("tacotron2", {"embedding_size": 2**40}),
        ("tacotron2", {"encoder_layers": -1}),
    ],
)
def test_a_model_is_no_larger_than_its_file(
    name: str, change: dict[str, Any], tiny_voice: Path, tmp_path: Path
) -> None:
    content = (tiny_voice / f"{name}.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    description = json.loads(header["__metadata__"][DESCRIPTION_KEY])
    description["config"] |= change
    path = tmp_path / "altered.safetensors"
    path.write_bytes(save(load(content), {DESCRIPTION_KEY: json.dumps(description)}))
    with pytest.raises(PipelineError, match=r"altered\.safetensors .*(does not hold|not fit)"):
        load_model(path, name)


def test_a_description_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "altered.safetensors"
    path.write_bytes(save({}, {DESCRIPTION_KEY: "[" * 100_000}))
    with pytest.raises(PipelineError, match="not JSON"):
        load_model(path, "waveglow")


@pytest.mark.parametrize("config", ["a: 2001-99-99", "a: !!int x", "[" * 5_000, "a: \x07"])
def test_an_archive_whose_config_yaml_cannot_read_is_refused(config: str, tmp_path: Path) -> None:
    path = tmp_path / "altered.nemo"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in ((CONFIG_NAME, config.encode()), (WEIGHTS_NAME, b"")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    with pytest.raises(PipelineError, match=r"altered\.nemo is damaged"):
        read_nemo(path)


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_an_archive_that_is_cut_anywhere_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.nemo"
    with tarfile.open(path, f"w:{kind}") as archive:
        archive.addfile(tarfile.TarInfo(CONFIG_NAME))
    content = path.read_bytes()
    for n_bytes in range(len(content)):
        path.write_bytes(content[:n_bytes])
        with pytest.raises(PipelineError, match=r"cut\.nemo"):
            read_any(path)


def test_mels_and_tokens_of_an_archive_are_of_the_right_kind() -> None:
    endless = {"n_window_size": float("inf"), "n_window_stride": 1, "log_zero_guard_value": 1}
    with pytest.raises(PipelineError, match="mel settings that do not hold"):
        mel_settings({"preprocessor": endless}, {}, "altered.nemo")
    with pytest.raises(PipelineError, match="text_tokenizer"):
        nemo_tokens({"text_tokenizer": "english"}, "altered.nemo")
