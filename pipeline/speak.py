"""Speak a text: `python -m pipeline.speak "text" out.wav`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio import FORMATS
from pipeline.command import add_speech_options, check_output, run_command
from pipeline.errors import PipelineError
from pipeline.options import SpeechOptions
from text.lexicon import load_lexicon

if TYPE_CHECKING:
    from pipeline.onnx_engine import OnnxSynthesizer
    from pipeline.speech import Speech
    from pipeline.synthesizer import Synthesizer
    from text.lexicon import Lexicon

    AnySynthesizer = Synthesizer | OnnxSynthesizer


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.speak", description="Speak a text into an audio file."
    )
    parser.add_argument("text", nargs="?", help="What to say, unless --file gives it")
    parser.add_argument("out", type=Path, help="Audio file: wav, flac, ogg or mp3")
    parser.add_argument("--file", help="Read the text from this file; - for standard input")
    parser.add_argument("--voice", default="kathleen", help="Name or folder, default: kathleen")
    parser.add_argument("--vocoder", help="Another vocoder: file, folder or name")
    parser.add_argument(
        "--engine",
        choices=("torch", "onnx"),
        default="torch",
        help="onnx starts sooner, on the CPU, with a voice that pipeline.convert --to onnx made; "
        "default: torch",
    )
    add_speech_options(parser)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--precision",
        choices=("32", "16"),
        default="32",
        help="16 is half precision, on a GPU; default: 32",
    )
    parser.add_argument(
        "--lexicon", type=Path, metavar="FILE", help="Pronunciations: a word and its phones a line"
    )
    parser.add_argument(
        "--plot", type=Path, metavar="OUT.png", help="Write a picture of mel and attention"
    )
    parser.add_argument(
        "--manifest", type=Path, metavar="OUT.json", help="Write how the audio was made"
    )
    parser.add_argument("--force", action="store_true", help="Overwrite files that exist")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Speak as the command line says."""
    parser = build_parser()
    args = parser.parse_args(arguments)
    if (args.text is None) == (args.file is None):
        parser.error("Give either a text or --file, and then the output file")
    return run_command(lambda: speak(args))


def speak(args: argparse.Namespace) -> None:
    """Check every input, load the voice, speak, write."""
    outputs = {".wav": args.out, ".png": args.plot, ".json": args.manifest}
    check_output(args.out, FORMATS, force=args.force)
    for suffix in (".png", ".json"):
        if outputs[suffix] is not None:
            check_output(outputs[suffix], (suffix,), force=args.force)
    text = args.text if args.file is None else read_text(args.file)
    if not text.strip():
        raise PipelineError("The text is empty; expected something to say")
    if args.engine == "onnx":
        _check_onnx_options(args)
    lexicon = load_lexicon(args.lexicon) if args.lexicon else None
    tts = _load(args, lexicon)
    started = time.perf_counter()
    speech = tts.speak(text, SpeechOptions.from_mapping(vars(args)))
    taken = time.perf_counter() - started
    speech.save(args.out)
    _write_extras(args, tts, speech, text)
    for warning in speech.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(
        f"{args.out}: {speech.seconds:.2f} s of audio in {taken:.2f} s "
        f"(real-time factor {taken / speech.seconds:.3f}), voice {speech.voice}, "
        f"seed {speech.options.seed}"
    )


def _load(args: argparse.Namespace, lexicon: Lexicon | None) -> AnySynthesizer:
    """Load the voice; the engine without torch imports none."""
    if args.engine == "onnx":
        from pipeline.onnx_engine import OnnxSynthesizer

        return OnnxSynthesizer.load(args.voice, lexicon=lexicon)
    from pipeline.synthesizer import Synthesizer

    return Synthesizer.load(
        args.voice,
        vocoder=args.vocoder,
        device=args.device,
        precision=args.precision,
        lexicon=lexicon,
    )


def read_text(source: str) -> str:
    """Return the text of a UTF-8 file, or of standard input for `-`.

    Raises:
        PipelineError: It cannot be read, or is not UTF-8.
    """
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise PipelineError(f"Cannot read {source}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PipelineError(f"{source} is not UTF-8 at byte {error.start}; convert it") from error


def _check_onnx_options(args: argparse.Namespace) -> None:
    """Refuse what only the other engine does, instead of leaving it out."""
    refused = {
        "--vocoder": args.vocoder is not None,
        "--device cuda": args.device == "cuda",
        "--precision 16": args.precision == "16",
        "--manifest": args.manifest is not None,
    }
    for option, is_given in refused.items():
        if is_given:
            raise PipelineError(f"{option} does not go with --engine onnx; take --engine torch")


def _write_extras(args: argparse.Namespace, tts: AnySynthesizer, speech: Speech, text: str) -> None:
    if args.manifest is not None:
        from pipeline.manifest import write_manifest

        write_manifest(args.manifest, speech, tts, text=text)
    if args.plot is not None:
        from pipeline.plot import save_plot

        save_plot(args.plot, speech)


if __name__ == "__main__":
    raise SystemExit(main())
