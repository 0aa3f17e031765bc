"""Measure speed beside NeMo's modules and the machine's limits: `python -m pipeline.bench`."""

from __future__ import annotations

import argparse
import json
import os
from importlib import import_module
from pathlib import Path

from pipeline.benchmark import ROW_NAMES
from pipeline.command import check_output, run_command
from pipeline.errors import PipelineError


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.bench",
        description="Measure how fast speech is made here: both models in their published sizes, "
        "in turn with NeMo's modules on the same random weights, and a voice as it is used. "
        "Figures are medians; shares are of the best that the machine reaches in the same run.",
    )
    parser.add_argument(
        "subject",
        nargs="?",
        choices=("speech", "train"),
        default="speech",
        help="What is measured: speech (the default), or training by precision",
    )
    parser.add_argument("--voice", default="kathleen", help="Name or folder")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=ROW_NAMES,
        metavar="ROW",
        default=list(ROW_NAMES),
        help=f"Of {', '.join(ROW_NAMES)}; the ceilings are measured each time",
    )
    parser.add_argument("--repeats", type=int, default=5, help="Rounds of each measurement")
    parser.add_argument(
        "--minutes", type=int, default=3, help="Of speech from one text, for the memory row"
    )
    parser.add_argument("--threads", type=int, help="Of the processor; by default one a core")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the figures there too")
    parser.add_argument(
        "--chart", type=Path, metavar="PNG", help="Of train: draw the figures there"
    )
    parser.add_argument("--force", action="store_true", help="Overwrite the files")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure as the command line says."""
    args = build_parser().parse_args(arguments)
    return run_command(lambda: bench(args))


def bench(args: argparse.Namespace) -> None:
    """Check the options, measure, print and write."""
    _check_options(args)
    if args.threads is not None:  # numpy reads it when it is imported, fresh processes too
        os.environ["OMP_NUM_THREADS"] = str(args.threads)
    import torch

    from pipeline.atomic_write import atomic_write
    from pipeline.benchmark.chart import save_chart
    from pipeline.benchmark.report import as_json, table
    from pipeline.benchmark.rows import Subjects, measure, measure_training
    from pipeline.benchmark.timing import Timer
    from pipeline.devices import pick_device
    from pipeline.voice_folders import find_voice

    if args.threads is not None:
        torch.set_num_threads(args.threads)
    timer = Timer(pick_device(args.device, "32"), args.repeats)
    voice = find_voice(args.voice).resolve()  # fresh processes run in another folder
    subjects = Subjects(voice=voice, minutes=args.minutes)
    trains = args.subject == "train"
    report = measure_training(timer, subjects) if trains else measure(args.only, timer, subjects)
    print(table(report))
    if args.chart is not None:
        save_chart(args.chart, report)
    if args.json is not None:
        with atomic_write(args.json) as part_path:
            part_path.write_text(json.dumps(as_json(report), indent=2) + "\n", encoding="utf-8")


def _check_options(args: argparse.Namespace) -> None:
    if args.json is not None:
        check_output(args.json, (".json",), force=args.force)
    if args.chart is not None:
        if args.subject != "train":
            raise PipelineError("--chart draws training; expected python -m pipeline.bench train")
        check_output(args.chart, (".png",), force=args.force)
    for name in ("repeats", "minutes", "threads"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise PipelineError(f"--{name} is {value}; expected 1 or more")
    import_module("tabulate")  # if it is missing, that is said before the work


if __name__ == "__main__":
    raise SystemExit(main())
