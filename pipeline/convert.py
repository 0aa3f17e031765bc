"""Convert NVIDIA's and NeMo's checkpoints to ours, ours to `.nemo`, and voices to ONNX."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.command import number_between, run_command
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.pretrained.conversion import Converted
    from pipeline.pretrained.waveglow_state_dict import Couplings

_EPILOG = """
IN is recognized by its content: files of NVIDIA/waveglow, NVIDIA/tacotron2, torch.hub and
DeepLearningExamples, NeMo's .nemo, or a .safetensors of ours. OUT decides what is written: a file
.safetensors or .nemo, or else a folder: of a Tacotron 2 a voice, of a WaveGlow a vocoder.

With --to onnx, IN may also be a voice, by name or folder, and OUT is a folder: tacotron2.onnx,
postnet.onnx, vocoder.onnx and onnx.json, with which speak --engine onnx speaks.

NVIDIA's files do not tell up to which frequency their mels go, so --mel-max-hz must. All that
NVIDIA published was trained with 8000. The trap: config.json of DeepLearningExamples says 7000,
but its training program takes 8000 unless it is given that file.
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.convert",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", type=Path, metavar="IN")
    parser.add_argument("output", type=Path, metavar="OUT")
    parser.add_argument("--to", choices=("onnx",), help="Write ONNX, in single precision")
    parser.add_argument(
        "--mel-max-hz", type=number_between(1, 1e6), help="Upper end of the mels it was trained on"
    )
    parser.add_argument(
        "--alternate-couplings",
        action="store_true",
        help="Of a WaveGlow that NVIDIA's convert_model.py made of one of 2018: its flows still "
        "change one half and the other in turn, but its file no longer tells",
    )
    parser.add_argument(
        "--half", action="store_true", help="Write in half precision: half the size"
    )
    parser.add_argument("--force", action="store_true", help="Overwrite what exists")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Convert as the command line says."""
    args = build_parser().parse_args(arguments)
    return run_command(lambda: convert(args))


def convert(args: argparse.Namespace) -> None:
    """Check what can be checked first, read the input, write."""
    if args.output.is_file() and not args.force:
        raise PipelineError(f"{args.output} exists; --force overwrites it")
    if args.output.suffix == ".nemo" and args.half:
        raise PipelineError("--half does not go with .nemo; NeMo trains in single precision")
    if args.to == "onnx":
        print("\n".join(f"{path}: {path.stat().st_size / 1e6:.1f} MB" for path in to_onnx(args)))
        return
    from pipeline.pretrained.conversion import write_any

    converted = _read(args)
    written = write_any(converted, args.output, half=args.half, force=args.force)
    print(_summary(converted, written))


def to_onnx(args: argparse.Namespace) -> list[Path]:
    """Write a voice or a model as ONNX; return the files."""
    if args.half:
        raise PipelineError("--half does not go with --to onnx; its models are in single precision")
    if args.output.suffix or args.output.is_file():
        raise PipelineError(f"{args.output} is a file name; expected a folder, for several files")
    from pipeline.pretrained.onnx_export import export_model, export_voice
    from pipeline.voice_folders import find_voice

    if args.input.is_file():
        return export_model(_read(args).model, args.output, force=args.force)
    return export_voice(find_voice(args.input), args.output, force=args.force)


def _read(args: argparse.Namespace) -> Converted:
    from pipeline.pretrained.conversion import read_any

    couplings: Couplings | None = "alternate" if args.alternate_couplings else None
    return read_any(args.input, mel_max_hz=args.mel_max_hz, couplings=couplings)


def _summary(converted: Converted, written: Path) -> str:
    audio = converted.model.config.audio
    return (
        f"{written}: {converted.architecture} from {converted.layout}, mels to "
        f"{audio.mel_max_hz:g} Hz, {written.stat().st_size / 1e6:.1f} MB"
        + "".join(f"\nnote: {note}" for note in converted.notes)
    )


if __name__ == "__main__":
    raise SystemExit(main())
