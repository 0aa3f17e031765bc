"""The installed command: `tacoglow speak ...` is `python -m pipeline.speak ...`."""

from __future__ import annotations

import argparse
import runpy
import sys
from typing import NamedTuple


class Command(NamedTuple):
    """A subcommand of `tacoglow`."""

    module: str  # that `python -m` runs
    purpose: str


COMMANDS = {
    "speak": Command("pipeline.speak", "speak a text into an audio file"),
    "batch": Command("pipeline.batch", "speak a list of sentences, resumed where it stopped"),
    "serve": Command("app", "serve the page and the HTTP API"),
    "documents": Command("pipeline.documents", "list the chapters of a document"),
    "vocode": Command("pipeline.vocode", "run mels or recordings through the vocoder alone"),
    "text": Command("text", "show each step of the text front end"),
    "finetune": Command("pipeline.finetune", "fine-tune a voice on a new speaker"),
    "train": Command("pipeline.train", "train a model from scratch"),
    "evaluate": Command("pipeline.evaluate", "score a voice on recorded speech"),
    "bench": Command("pipeline.bench", "measure speed beside NeMo's and the machine's limits"),
    "fetch": Command("pipeline.fetch", "download a published checkpoint"),
    "convert": Command("pipeline.convert", "convert NVIDIA's and NeMo's checkpoints"),
}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the subcommand; what follows it is for the subcommand to parse."""
    width = max(map(len, COMMANDS))
    parser = argparse.ArgumentParser(
        prog="tacoglow",
        description="English text-to-speech: Tacotron 2 and WaveGlow.",
        epilog="Commands:\n"
        + "\n".join(f"  {name:{width}}  {one.purpose}" for name, one in COMMANDS.items())
        + "\n\ntacoglow COMMAND --help lists the options of a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="One of those below")
    parser.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="...", help="For the command"
    )
    return parser


def main() -> None:
    """Run a subcommand as `python -m` runs it, so that processes it starts are run so too."""
    args = build_parser().parse_args()
    module = COMMANDS[args.command].module
    sys.argv[1:] = args.arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
