"""Checkpoints hold one model, whole, and say what is wrong in one line."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from pipeline.checkpoints import (
    DESCRIPTION_KEY,
    load_model,
    load_tacotron2,
    load_waveglow,
    save_model,
)
from pipeline.errors import PipelineError
from tests.tiny_models import PUBLISHED_SHAPE, WAVEGLOW_CONFIGS, random_tacotron2, random_waveglow

Weights = dict[str, Tensor]
Metadata = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "waveglow.safetensors"
    save_model(random_waveglow(PUBLISHED_SHAPE), path)
    return path


@pytest.mark.parametrize("config", WAVEGLOW_CONFIGS.values(), ids=WAVEGLOW_CONFIGS.keys())
def test_a_waveglow_comes_back_as_it_was_saved(config: object, tmp_path: Path) -> None:
    model = random_waveglow(config)  # type: ignore[arg-type]
    sha256 = save_model(model, tmp_path / "model.safetensors")
    again = load_waveglow(tmp_path / "model.safetensors", sha256=sha256)
    assert again.config == model.config
    assert not again.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)


def test_a_tacotron2_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    model = random_tacotron2()
    save_model(model, tmp_path / "model.safetensors")
    again = load_tacotron2(tmp_path / "model.safetensors")
    assert again.config == model.config
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)


def test_half_precision_weights_are_loaded_in_single_precision(tmp_path: Path) -> None:
    model = random_waveglow(PUBLISHED_SHAPE).half()
    save_model(model, tmp_path / "model.safetensors")
    again = load_waveglow(tmp_path / "model.safetensors")
    for name, tensor in again.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, model.state_dict()[name].float())


def test_weights_keep_the_names_that_files_have_always_had(path: Path) -> None:
    names = load_file(path)
    assert {"flows.0.mixing", "flows.0.coupling.gates.0.weight"} <= names.keys()
    assert "flows.11.coupling.exits.2.bias" in names


def spoil(path: Path, change: Callable[[Weights, Metadata], None]) -> None:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = json.loads(file.metadata()[DESCRIPTION_KEY])
    weights = load_file(path)
    change(weights, metadata)
    save_file(weights, path, {DESCRIPTION_KEY: json.dumps(metadata)} if metadata else None)


def with_config(**changes: object) -> Callable[[Weights, Metadata], None]:
    def change(_: Weights, metadata: Metadata) -> None:
        metadata["config"] |= changes

    return change


def renamed(_: Weights, metadata: Metadata) -> None:
    metadata["architecture"] = "wavenet"


def not_finite(weights: Weights, _: Metadata) -> None:
    weights["upsample.bias"][3] = float("nan")


SPOILED: dict[str, tuple[Callable[[Weights, Metadata], None], str]] = {
    "unknown config key": (with_config(n_flow=12), "does not know n_flow"),
    "config of another type": (with_config(n_flows="12"), "n_flows is '12', expected int"),
    "config with an unknown word": (with_config(conditioning="none"), "conditioning is 'none'"),
    "contradicting config": (with_config(n_group=6), "not a multiple of n_group 6"),
    "unknown audio key": (with_config(audio={"fmax": 8_000}), "AudioConfig does not know fmax"),
    "no config": (
        lambda _, metadata: metadata.update(config=None),
        "is None, expected an object",
    ),
    "another architecture": (renamed, "holds wavenet, expected waveglow"),
    "no metadata": (lambda _, metadata: metadata.clear(), "no model that we know"),
    "missing weight": (
        lambda weights, _: (weights.pop("upsample.bias"), None)[1],
        r"missing weights \['upsample.bias'\] \(1\)",
    ),
    "extra weight": (
        lambda weights, _: weights.update(extra=torch.zeros(1)),
        r"left over \['extra'\] \(1\)",
    ),
    "wrong shape": (
        lambda weights, _: weights.update({"upsample.bias": torch.zeros(81)}),
        r"upsample.bias has shape \[81\], expected \[80\]",
    ),
    "weights of another size": (with_config(n_channels=32), "has shape .* expected"),
    "not a number": (not_finite, "not finite"),
}


@pytest.mark.parametrize(("change", "told"), SPOILED.values(), ids=SPOILED.keys())
def test_what_does_not_fit_is_refused(
    path: Path, change: Callable[[Weights, Metadata], None], told: str
) -> None:
    spoil(path, change)
    with pytest.raises(PipelineError, match=told) as caught:
        load_waveglow(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cut_file_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(PipelineError, match=r"is not a whole \.safetensors file"):
        load_waveglow(path)


def test_a_pickle_is_not_even_tried(path: Path) -> None:
    torch.save({"upsample.bias": torch.zeros(1)}, path)
    with pytest.raises(PipelineError, match=r"is not a whole \.safetensors file"):
        load_waveglow(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"nothing\.safetensors does not exist"):
        load_waveglow(tmp_path / "nothing.safetensors")


def test_an_altered_file_is_told_by_its_sha256(path: Path) -> None:
    sha256 = save_model(random_waveglow(PUBLISHED_SHAPE), path)
    save_model(random_waveglow(PUBLISHED_SHAPE, seed=1), path)
    with pytest.raises(PipelineError, match=f"has sha256 .*, expected {sha256}"):
        load_waveglow(path, sha256=sha256)


def test_equal_models_make_equal_files(path: Path) -> None:
    digests = {save_model(random_waveglow(PUBLISHED_SHAPE), path) for _ in range(4)}
    assert len(digests) == 1


def test_the_other_model_is_not_taken(path: Path) -> None:
    with pytest.raises(PipelineError, match="holds waveglow, expected tacotron2"):
        load_model(path, "tacotron2")


def test_a_file_without_newer_config_fields_loads_with_their_defaults(path: Path) -> None:
    def forget(_: Weights, metadata: Metadata) -> None:
        del metadata["config"]["couplings"]

    spoil(path, forget)
    assert dataclasses.asdict(load_waveglow(path).config)["couplings"] == "second half"


def test_a_failed_save_leaves_the_last_file(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(PipelineError, match="Cannot write"):
        save_model(random_waveglow(PUBLISHED_SHAPE), tmp_path / "no folder" / "model.safetensors")
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_loading_draws_no_random_numbers(tmp_path: Path) -> None:
    save_model(random_tacotron2(), tmp_path / "tacotron2.safetensors")
    before = torch.get_rng_state()
    load_tacotron2(tmp_path / "tacotron2.safetensors")
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.nn.Linear(1, 1).weight.item() != torch.nn.Linear(1, 1).weight.item()
