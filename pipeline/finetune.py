"""Fine-tune a voice on a new speaker: `python -m pipeline.finetune RECORDINGS --out FOLDER`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from pipeline.command import run_command
from pipeline.errors import PipelineError
from pipeline.train import add_training_options

STARTED = time.monotonic()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.finetune",
        description="Fine-tune a voice's vocoder on a folder of recordings, in any format and "
        "rate, with or without transcripts (metadata.csv, lines of id|text). FOLDER becomes a "
        "voice that speak, evaluate and the page take, with report.html in it.",
        epilog="Several machines: run the same command on each under torchrun, --out on a disk "
        "that all of them share: torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d "
        "--rdzv-endpoint HOST:29500 -m pipeline.finetune RECORDINGS --out FOLDER",
    )
    parser.add_argument("recordings", type=Path, help="folder of audio files, nested or not")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the new voice")
    parser.add_argument(
        "--from", dest="base", default="kathleen", metavar="VOICE", help="name or folder"
    )
    parser.add_argument("--vocoder", help="begin with this WaveGlow: file, folder or name")
    parser.add_argument(
        "--model",
        choices=("waveglow", "tacotron2"),
        default="waveglow",
        help="tacotron2 needs transcripts; to tune both, tune it --from the tuned voice",
    )
    parser.add_argument(
        "--gta",
        action="store_true",
        help="train the vocoder on mels that the voice's Tacotron 2 predicts in step with the "
        "recordings; needs transcripts",
    )
    parser.add_argument(
        "--patience", type=int, default=10, help="validations without a new best before the end"
    )
    parser.add_argument(
        "--save-every", type=int, default=100, help="steps between validations, and between saves"
    )
    add_training_options(parser)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Fine-tune as the command line says."""
    args = build_parser().parse_args(arguments)
    return run_command(lambda: finetune(args))


def finetune(args: argparse.Namespace) -> None:
    """Check the options, then work."""
    if args.gta and args.model == "tacotron2":
        raise PipelineError("--gta is for the vocoder; it does not go with --model tacotron2")
    for name in ("max_minutes", "max_steps", "batch_size", "patience", "save_every", "threads"):
        value = getattr(args, name)
        if value is not None and value <= 0:
            raise PipelineError(f"--{name.replace('_', '-')} is {value}; expected more than 0")
    from pipeline.training.fine_tuning import fine_tune

    fine_tune(args, started=STARTED)


if __name__ == "__main__":
    raise SystemExit(main())
