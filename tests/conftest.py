"""What all tests share: a tiny voice of random weights, and an option that forbids skipping."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from pipeline.checkpoints import save_model
from pipeline.mel_levels import measure_mel_levels
from pipeline.tacotron2 import Tacotron2, Tacotron2Config
from pipeline.voices import ModelFile, Voice, write_voice
from pipeline.waveglow import WaveGlow, WaveGlowConfig
from text import SYMBOL_TABLE_ID

if TYPE_CHECKING:
    from tests.app_server import Running

TINY_WAVEGLOW = WaveGlowConfig(
    n_flows=3,
    n_group=16,
    n_early_every=2,
    n_layers=2,
    n_channels=8,
    conditioning="interpolate",
    conditioning_channels=8,
    prediction_order=22,
)
TINY_TACOTRON2 = Tacotron2Config(
    embedding_size=16,
    encoder_layers=1,
    prenet_size=8,
    attention_rnn_size=16,
    decoder_rnn_size=16,
    attention_size=8,
    location_channels=4,
    location_kernel=5,
    postnet_channels=8,
    postnet_layers=2,
    reduction=4,
    mel_mean=-5.0,
    mel_std=2.0,
)


def make_voice(folder: Path, *, seed: int = 0) -> Path:
    """Write a voice of random weights that speaks noise of the right shape; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    tacotron2, waveglow = Tacotron2(TINY_TACOTRON2), WaveGlow(TINY_WAVEGLOW)
    for flow in waveglow.flows:  # untrained couplings are the identity; these are not
        torch.nn.init.normal_(flow.coupling.end.weight, std=0.05)
    mels = torch.randn(TINY_WAVEGLOW.audio.n_mels, 100).numpy() - 5.0
    voice = Voice(
        name=folder.name,
        levels=measure_mel_levels([mels], [1.1 * mels]),
        language="en-us",
        symbol_table=SYMBOL_TABLE_ID,
        audio=TINY_WAVEGLOW.audio,
        tacotron2=ModelFile(
            file="tacotron2.safetensors",
            sha256=save_model(tacotron2, folder / "tacotron2.safetensors"),
        ),
        waveglow=ModelFile(
            file="waveglow.safetensors",
            sha256=save_model(waveglow, folder / "waveglow.safetensors"),
        ),
        sigma=0.6,
        denoise=0.05,
    )
    write_voice(voice, folder)
    return folder


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    """Undo what a test changes in torch's number of threads: samples depend on it."""
    n_threads = torch.get_num_threads()
    yield
    if torch.get_num_threads() != n_threads:
        torch.set_num_threads(n_threads)


@pytest.fixture(scope="session")
def tiny_voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a voice of random weights; tests that alter it make their own."""
    return make_voice(tmp_path_factory.mktemp("voices") / "tiny")


@pytest.fixture(scope="session")
def server(tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real server with the tiny voice; whoever changes what it says starts one of their own."""
    from tests.app_server import running

    with running(tiny_voice, work_dir=tmp_path_factory.mktemp("app")) as server:
        yield server


@pytest.fixture(scope="session")
def own_files_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have fuzzed inputs fail that touch another folder than that of all tests."""
    from tests.fuzzing import allow

    folder = tmp_path_factory.getbasetemp()
    allow(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        yield


@pytest.fixture(scope="session")
def forks() -> ForkServerContext:
    """Where processes come from that train, or speak for others.

    A process has one server of forks, and the first user says what that imports: whoever makes it
    start one, also by way of the code under test, uses this fixture.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.forked"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        forkserver.ensure_running()
    return context


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --strict-skips."""
    parser.addoption(
        "--strict-skips", action="store_true", help="a skipped test fails the run, as in .ci/run"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let each of several test processes, and what it starts, compute in one thread."""
    if config.getoption("numprocesses"):
        os.environ["OMP_NUM_THREADS"] = "1"  # the processes are started with it


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Turn skips into failure where they were forbidden."""
    if not session.config.getoption("--strict-skips") or exitstatus:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped:
        reporter.write_line(f"{len(skipped)} tests were skipped, and --strict-skips forbids it")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
