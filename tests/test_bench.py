"""The benchmark: fair medians, honest shares, one set of figures in the table and in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pipeline import bench
from pipeline.benchmark import ROW_NAMES, batch_rows, model_rows, nemo_models
from pipeline.benchmark.chart import save_chart
from pipeline.benchmark.limits import Limits, count_operations
from pipeline.benchmark.memory_rows import memory_rows
from pipeline.benchmark.model_rows import random_waveglow, tacotron2_row, waveglow_operations
from pipeline.benchmark.report import Measurement, Report, as_json, table
from pipeline.benchmark.rows import Subjects, measure, measure_training
from pipeline.benchmark.timing import Timer, median_difference, median_ratio
from pipeline.benchmark.training_rows import (
    MAX_BATCH,
    ON_A_CPU,
    largest_batch,
    training_step,
    waveglow_trainee,
)
from pipeline.tacotron2 import Tacotron2Config
from pipeline.waveglow import WaveGlow, WaveGlowConfig
from tests.tiny_models import PUBLISHED_SHAPE, SMALL_FILE, TINY_TACOTRON2

CPU = torch.device("cpu")
LIMITS = Limits(product=1e11, copy=1e10)


class FakeMachine:
    """A clock that only work moves on, each time by the next of the work's seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.order: list[str] = []

    def work(self, name: str, *seconds: float) -> Callable[[], None]:
        left = iter(seconds)

        def run() -> None:
            self.order.append(name)
            self.now += next(left)

        return run


@pytest.fixture(autouse=True)
def few_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.benchmark.limits.MATRIX_SIZE", {"cpu": 64})
    monkeypatch.setattr("pipeline.benchmark.limits.COPY_BYTES", {"cpu": 4_096})


@pytest.fixture
def no_nemo(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("nemo_models", "model_rows", "report"):
        monkeypatch.setattr(f"pipeline.benchmark.{module}.has_nemo", lambda: False)


def test_works_are_run_in_turn_and_the_first_time_does_not_count() -> None:
    machine = FakeMachine()
    timer = Timer(CPU, 3, clock=lambda: machine.now)
    a, b = machine.work("a", 9, 1, 2, 3), machine.work("b", 99, 10, 20, 60)
    seconds = timer.rounds(a, b)
    assert seconds == [[1, 2, 3], [10, 20, 60]]
    assert "".join(machine.order) == "ab" + "ab" + "ba" + "ab"


def test_the_median_of_pairs_is_not_the_quotient_of_medians() -> None:
    ours, theirs = [1.0, 4.0, 2.0], [3.0, 8.0, 10.0]  # a machine that slowed down in round two
    assert median_ratio(theirs, ours) == 3.0
    assert median_difference(theirs, ours) == 4.0


def test_a_convolution_has_the_operations_of_the_formula() -> None:
    convolution = torch.nn.Conv1d(3, 5, 7)
    n_steps = 11 - 7 + 1
    counted = count_operations(lambda: convolution(torch.zeros(2, 3, 11)))
    assert counted == 2 * 2 * n_steps * 5 * 3 * 7


def waveglow_formula(config: WaveGlowConfig, n_frames: int) -> int:
    """Return the operations of the published network as its paper describes it."""
    n_groups = n_frames * config.audio.hop_length // config.n_group
    channels, n_mels, products = config.n_group, config.audio.n_mels, 0
    wide, layers = config.n_channels, config.n_layers
    for flow in range(config.n_flows):
        channels -= config.n_early_size if config.leaves_early(flow) else 0
        of_coupling = channels // 2 * wide + wide * channels  # start and end
        of_coupling += n_mels * config.n_group * 2 * wide * layers
        of_coupling += layers * wide * 2 * wide * config.kernel_size
        of_coupling += (layers - 1) * wide * 2 * wide + wide * wide
        products += n_groups * (of_coupling + channels**2)
    return 2 * (products + n_frames * n_mels**2 * 1_024)


@pytest.mark.parametrize("n_frames", [1, 3])
def test_a_waveglow_has_the_operations_of_the_published_network(n_frames: int) -> None:
    model = random_waveglow(PUBLISHED_SHAPE)
    assert waveglow_operations(model, n_frames) == waveglow_formula(PUBLISHED_SHAPE, n_frames)


def test_the_published_network_has_447_billion_operations_a_second() -> None:
    assert round(waveglow_formula(WaveGlowConfig(), 86) / 1e9) == 447


def test_the_random_waveglow_is_not_the_identity() -> None:
    mel = torch.zeros(1, 80, 2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        assert WaveGlow(PUBLISHED_SHAPE).infer(mel, sigma=0.0).abs().max() == 0.0
        assert random_waveglow(PUBLISHED_SHAPE).infer(mel, sigma=0.0).abs().max() > 0.0


def test_bf16_is_measured_where_the_processor_has_it(
    no_nemo: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    timer = Timer(CPU, 1)
    monkeypatch.setattr(model_rows, "computes_bf16", lambda _: False)
    rows, notes = model_rows.waveglow_row(timer, LIMITS, SMALL_FILE)
    assert (len(rows), notes) == (1, [model_rows.NO_NEMO, model_rows.NO_BF16])
    monkeypatch.setattr(model_rows, "computes_bf16", lambda _: True)
    rows, notes = model_rows.waveglow_row(timer, LIMITS, SMALL_FILE)
    assert rows[1].what == f"{rows[0].what}, bf16"
    assert 0.0 < float(notes[1].split("differs by ")[1].split()[0]) < 0.1


def test_shares_are_work_per_second_over_the_limit(no_nemo: None) -> None:
    """By a clock that says one second for each run."""
    ticks = iter(range(1_000))
    timer = Timer(CPU, 1, clock=lambda: float(next(ticks)))
    (row, *_), notes = model_rows.waveglow_row(timer, LIMITS, SMALL_FILE)
    assert (row.value, row.limit, row.times_nemo) == (1.0, "product", None)
    assert row.share == pytest.approx(waveglow_formula(SMALL_FILE, 86) / 1e11)
    assert notes[0] == model_rows.NO_NEMO


def test_the_fixed_number_of_steps_is_taken(no_nemo: None) -> None:
    (row,), _ = tacotron2_row(Timer(CPU, 1), LIMITS, TINY_TACOTRON2)
    assert row.what == "Tacotron 2, 128 symbols, 200 steps"
    assert row.limit == "copy"


def test_without_nemo_one_line_says_so_and_the_rest_is_measured(no_nemo: None) -> None:
    subjects = Subjects(voice="none", waveglow=SMALL_FILE, tacotron2=TINY_TACOTRON2)
    report = measure(["tacotron2", "waveglow"], Timer(CPU, 1), subjects)
    rows = [measurement.row for measurement in report.measurements]
    assert list(dict.fromkeys(rows)) == ["ceilings", "waveglow", "tacotron2"]
    assert report.notes.count(model_rows.NO_NEMO) == 1
    assert all(measurement.value > 0 for measurement in report.measurements)
    assert report.machine["nemo"] is None


def test_table_and_json_agree() -> None:
    one = Measurement(
        row="waveglow", what="WaveGlow", value=1.25, unit="s", nemo=2.0, times_nemo=1.6,
        limit="product", share=0.756,
    )  # fmt: skip
    machine = {"processor": "P", "gpu": None, "threads": 2, "torch": "2", "date": "2026-01-02"}
    report = Report(machine, [one], ["A note."])
    lines = table(report).splitlines()
    assert lines[0] == "P, threads: 2, torch 2, 2026-01-02"
    assert " ".join(lines[-2].split()) == "WaveGlow 1.25 s 2 s 1.60 76% of the product"
    assert lines[-1] == "A note."
    (found,) = json.loads(json.dumps(as_json(report)))["measurements"]
    assert Measurement(**found) == one


def test_only_the_rows_named_are_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = tmp_path / "found.json"
    assert bench.main(["--only", "first-sound", "--repeats", "1", "--json", str(found)]) == 0
    report = json.loads(found.read_text())
    printed = capsys.readouterr().out
    assert [one["row"] for one in report["measurements"]] == ["ceilings"] * 2 + ["first-sound"] * 2
    for one in report["measurements"]:
        assert f"{one['value']:.4g} {one['unit']}" in printed
    assert f"threads: {report['machine']['threads']}," in printed.splitlines()[0]


def test_memory_is_that_of_a_process_of_its_own_and_does_not_grow(tiny_voice: Path) -> None:
    minutes = 1.5  # in less, what the allocator takes once counts for much
    memory, growth = memory_rows(tiny_voice, minutes=minutes, device="cpu")
    assert 50.0 < memory.value < 1_000.0  # here the tests have loaded more
    assert growth.value * minutes < 100.0
    assert "one text of" in memory.what


@pytest.mark.slow
def test_every_row_named_is_measured(no_nemo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default voice, and fresh processes that speak with it."""
    monkeypatch.setattr(batch_rows, "N_SENTENCES", 2)
    subjects = Subjects(
        voice="kathleen", minutes=0.2, waveglow=PUBLISHED_SHAPE, tacotron2=TINY_TACOTRON2
    )
    report = measure(ROW_NAMES, Timer(CPU, 1), subjects)
    assert tuple(dict.fromkeys(one.row for one in report.measurements)) == ROW_NAMES
    whole, predictor, vocoder = (one.value for one in report.measurements if one.row == "chain")
    assert predictor + vocoder <= whole
    batch, one_by_one, faster = (one for one in report.measurements if one.row == "batch")
    assert batch.what.startswith("batch of 2 sentences, ")
    assert faster.value == pytest.approx(batch.value / one_by_one.value), "of a single round"
    label = next(one.what for one in report.measurements if one.row == "chain")
    assert (
        6.0 < float(label.removeprefix("real-time factor of kathleen, ").removesuffix(" s")) < 8.0
    )


@pytest.mark.parametrize("limit", [0, 1, 7, 100, 10_000])
def test_the_largest_batch_is_found_within_a_sixteenth(limit: int) -> None:
    found = largest_batch(lambda count: count <= limit)
    expected = min(limit, MAX_BATCH)
    assert found <= expected
    assert expected - found <= max(0, expected // 16)


def test_a_training_step_changes_the_weights_and_no_setting() -> None:
    trainee = waveglow_trainee(SMALL_FILE, CPU)
    before = [parameter.clone() for parameter in trainee.model.parameters()]
    settings = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    training_step(trainee, "tf32")(2)
    assert settings == (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32)
    changed = [
        not torch.equal(one, other)
        for one, other in zip(before, trainee.model.parameters(), strict=True)
    ]
    assert any(changed)


def test_training_has_a_row_for_each_model_and_a_chart(tmp_path: Path) -> None:
    """By a clock that says one second for each step."""
    ticks = iter(range(1_000))
    timer = Timer(CPU, 1, clock=lambda: float(next(ticks)))
    subjects = Subjects(voice="none", waveglow=SMALL_FILE, tacotron2=TINY_TACOTRON2)
    report = measure_training(timer, subjects)
    assert [(one.what, one.value) for one in report.measurements] == [
        ("training WaveGlow, 16 channels, fp32", 8 * 256.0),
        ("training Tacotron 2, fp32", 16 * 256.0),
    ]
    assert report.notes == [ON_A_CPU]
    save_chart(tmp_path / "training.png", report)
    assert (tmp_path / "training.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--chart", "a.png"], "error: --chart draws training; expected"),
        (["train", "--chart", "a.svg"], "error: a.svg ends in '.svg'; expected one of .png"),
        (["--repeats", "0"], "error: --repeats is 0; expected 1 or more"),
        (["--minutes", "0"], "error: --minutes is 0; expected 1 or more"),
        (["--threads", "-1"], "error: --threads is -1; expected 1 or more"),
        (["--json", "found.txt"], "error: found.txt ends in '.txt'; expected one of .json"),
        (["--voice", "nobody"], "error: "),
    ],
)
def test_a_bad_option_is_one_line(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(options) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(message)


def test_an_unknown_row_is_a_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        bench.main(["--only", "everything"])
    assert stopped.value.code == 2
    assert "invalid choice: 'everything'" in capsys.readouterr().err


@pytest.mark.nemo
def test_nemos_models_are_timed_on_the_same_weights() -> None:
    assert nemo_models.has_nemo()
    small = Tacotron2Config(prenet_size=32, attention_rnn_size=48, decoder_rnn_size=40)
    subjects = Subjects(voice="none", waveglow=PUBLISHED_SHAPE, tacotron2=small)
    report = measure(["waveglow", "tacotron2"], Timer(CPU, 1), subjects)
    for one in report.measurements[2:]:
        assert one.nemo is not None
        assert one.times_nemo == pytest.approx(one.nemo / one.value)
    assert report.notes[0].startswith("WaveGlow's audio differs from NeMo's by ")
