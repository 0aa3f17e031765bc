"""Train from scratch: `python -m pipeline.train waveglow CORPUS --out FOLDER`, or `tacotron2`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from pipeline.command import run_command
from pipeline.training.options import Accelerator, ModelName, Precision, Size, TrainingOptions


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options; defaults are those of `TrainingOptions`."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.train",
        description=__doc__,
        epilog="Several corpora make one Tacotron 2 of several speakers, and a voice for each in "
        "FOLDER/voices, named after its corpus.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("model", choices=get_args(ModelName))
    parser.add_argument(
        "corpora",
        type=Path,
        nargs="+",
        metavar="corpus",
        help="Folder with wavs/ and metadata.csv, one a speaker",
    )
    parser.add_argument("--out", type=Path, required=True, help="Folder of the run")
    parser.add_argument("--size", choices=get_args(Size))
    add_run_options(parser)
    return parser


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that training and fine-tuning share."""
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--max-minutes", type=float, help="Stop, save and report after this long")
    parser.add_argument("--batch-size", type=int, help="Clips or excerpts a step, of all devices")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--resume", action="store_true", help="Go on from the folder's checkpoint")
    parser.add_argument("--devices", type=int, help="GPUs or processes on this machine")
    parser.add_argument("--nodes", type=int, help="machines")
    parser.add_argument("--accelerator", choices=get_args(Accelerator))
    parser.add_argument("--precision", choices=get_args(Precision))
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--seed", type=int)


def main(arguments: list[str] | None = None) -> int:
    """Train as the command line says."""
    args = build_parser().parse_args(arguments)

    def work() -> None:
        options = TrainingOptions(**vars(args) | {"corpora": tuple(args.corpora)})
        from pipeline.training.recipes import train

        train(options)

    return run_command(work)


if __name__ == "__main__":
    raise SystemExit(main())
