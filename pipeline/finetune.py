"""Fine-tune a voice on a new speaker: `python -m pipeline.finetune RECORDINGS --out FOLDER`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import get_args

from pipeline.command import run_command
from pipeline.train import add_run_options
from pipeline.training.options import FineTuningOptions, ModelName

STARTED = time.monotonic()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options; defaults are those of `FineTuningOptions`."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.finetune",
        description="Fine-tune a voice on a folder of recordings, in any format and rate. With "
        "transcripts (metadata.csv with lines of id|text; .txt, .lab, .srt or .vtt beside each "
        "recording; one long recording and the text that is read in it) FOLDER becomes a voice "
        "that speaks like the recordings; without, their speaker's vocoder. speak, evaluate and "
        "the page take it; report.html is in it.",
        epilog="Several machines: run the same command on each under torchrun, --out on a disk "
        "that all of them share: torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d "
        "--rdzv-endpoint HOST:29500 -m pipeline.finetune RECORDINGS --out FOLDER",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("recordings", type=Path, help="Folder of audio files, nested or not")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="The new voice")
    parser.add_argument("--from", dest="base", metavar="VOICE", help="Name or folder")
    parser.add_argument("--vocoder", help="Begin with this WaveGlow: file, folder or name")
    parser.add_argument(
        "--model",
        choices=get_args(ModelName),
        help="Tune only that; by default both, where there are transcripts",
    )
    parser.add_argument(
        "--gta",
        action="store_true",
        help="Train the vocoder on mels that the voice's Tacotron 2 predicts in step with the "
        "recordings; needs transcripts",
    )
    parser.add_argument("--speaker", metavar="NAME", help="Who was recorded, for the voice's card")
    parser.add_argument(
        "--consent", metavar="TEXT", help="What the speaker has agreed to, for the voice's card"
    )
    parser.add_argument(
        "--patience", type=int, help="Validations without a new best before the end"
    )
    parser.add_argument(
        "--save-every", type=int, help="Steps between validations, and between saves"
    )
    add_run_options(parser)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Fine-tune as the command line says."""
    args = build_parser().parse_args(arguments)

    def work() -> None:
        options = FineTuningOptions(**vars(args))
        from pipeline.training.fine_tuning import fine_tune

        fine_tune(options, started=STARTED)

    return run_command(work)


if __name__ == "__main__":
    raise SystemExit(main())
