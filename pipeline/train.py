"""Train from scratch: `python -m pipeline.train waveglow CORPUS --out FOLDER`, or `tacotron2`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.command import run_command


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.train", description=__doc__)
    parser.add_argument("model", choices=("waveglow", "tacotron2"))
    parser.add_argument(
        "corpus", type=Path, nargs="+", help="folder with wavs/ and metadata.csv, one a speaker"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--size", choices=("small", "full"), default="small")
    add_training_options(parser)
    return parser


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that training and fine-tuning share."""
    parser.add_argument("--max-steps", type=int, default=1_000_000)
    parser.add_argument("--max-minutes", type=float, help="stop, save and report after this long")
    parser.add_argument("--batch-size", type=int, help="clips or excerpts a step, of all devices")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    parser.add_argument("--devices", type=int, default=1, help="GPUs or processes on this machine")
    parser.add_argument("--nodes", type=int, default=1, help="machines")
    parser.add_argument("--accelerator", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--precision", choices=("32-true", "bf16-mixed"), default="32-true")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--seed", type=int, default=0)


def main(arguments: list[str] | None = None) -> int:
    """Train as the command line says."""
    args = build_parser().parse_args(arguments)

    def work() -> None:
        from pipeline.training.recipes import train

        train(args)

    return run_command(work)


if __name__ == "__main__":
    raise SystemExit(main())
