"""Speak a text: `python -m pipeline.speak "text" out.wav`, or `- -` within a pipe."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pipeline.audio import BOOK_FORMATS, FORMATS
from pipeline.audio_stream import STREAM_FORMATS, write_through
from pipeline.caption_formats import CAPTION_FORMATS
from pipeline.command import add_speech_options, check_output, parse_numbers, run_command
from pipeline.documents import Chapter, Document
from pipeline.errors import PipelineError
from pipeline.options import SpeechOptions
from text.lexicon import load_lexicon

if TYPE_CHECKING:
    from pipeline.onnx_engine import OnnxSynthesizer
    from pipeline.speech import AudioPiece, Speech
    from pipeline.synthesizer import Synthesizer
    from text.lexicon import Lexicon

    AnySynthesizer = Synthesizer | OnnxSynthesizer

STDOUT = Path("-")
MAX_PLOTTED = 5_000  # characters in one picture: its attention takes their number squared


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.speak", description="Speak a text into an audio file."
    )
    parser.add_argument("text", nargs="?", help="What to say, unless --file gives it; - reads it")
    parser.add_argument(
        "out",
        type=Path,
        help="Audio file: wav, flac, ogg, opus, mp3, m4b, zip of chapters; - for standard output",
    )
    parser.add_argument(
        "--format", choices=STREAM_FORMATS, help="Of standard output; pcm is 16-bit; default: wav"
    )
    parser.add_argument(
        "--file", help="Read this txt, md, html, epub, pdf or srt file; - for standard input"
    )
    _add_book_options(parser)
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
        "--captions",
        type=Path,
        metavar="OUT",
        help="Write what is heard when: srt, vtt or json; a zip of chapters gets them for each too",
    )
    parser.add_argument(
        "--manifest", type=Path, metavar="OUT.json", help="Write how the audio was made"
    )
    parser.add_argument("--force", action="store_true", help="Overwrite files that exist")
    return parser


def _add_book_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--chapters",
        type=parse_numbers,
        metavar="1-3,5",
        help="Only these chapters of the file; python -m pipeline.documents FILE lists them",
    )
    parser.add_argument(
        "--keep-work", action="store_true", help="Keep OUT.work, so that --redo can be used"
    )
    parser.add_argument(
        "--redo",
        metavar="CHAPTER:SENTENCE",
        help="Make one sentence anew, with the options given here, or the text; "
        "OUT.work/sentences.tsv lists them",
    )


def main(arguments: list[str] | None = None) -> int:
    """Speak as the command line says."""
    parser = build_parser()
    args = parser.parse_args(arguments)
    if (args.text is None) == (args.file is None) and not (args.redo and args.file):
        parser.error("Give either a text or --file, and then the output file")
    if args.format is not None and args.out != STDOUT:
        parser.error("--format is for standard output; the suffix of a file says its own")
    if args.out == STDOUT and sys.stdout.isatty():
        parser.error("Standard output is a terminal; send it to a player, such as | aplay")
    if args.text == "-":
        args.text, args.file = None, "-"
    return run_command(lambda: speak(args))


def speak(args: argparse.Namespace) -> None:
    """Check every input, load the voice, speak, write."""
    _check_outputs(args)
    if args.engine == "onnx":
        _check_onnx_options(args)
    document = _document(args)
    if args.plot is not None and document.n_characters > MAX_PLOTTED:
        raise PipelineError(
            f"--plot draws a text of at most {MAX_PLOTTED:,} characters, and this one has "
            f"{document.n_characters:,}; speak a part of it, or leave --plot out"
        )

    if _is_book(args):
        from pipeline.audiobook.command import speak_book

        speak_book(args, document, lambda: _load_torch(args))
    else:
        speak_at_once(args, "\n\n".join(one.text for one in document.chapters), _load(args))


def _check_outputs(args: argparse.Namespace) -> None:
    """Raise where a file could not be written in the end, or would be written over another."""
    force = args.force or args.redo is not None
    outputs: list[tuple[Path | None, Collection[str]]] = [
        (args.out if args.out != STDOUT else None, BOOK_FORMATS),
        (args.plot, (".png",)),
        (args.captions, CAPTION_FORMATS),
        (args.manifest, (".json",)),
    ]
    seen: set[Path] = set()
    for path, suffixes in outputs:
        if path is None:
            continue
        check_output(path, suffixes, force=force)
        if path.absolute() in seen:
            raise PipelineError(f"{path} is named twice; each output needs a file of its own")
        seen.add(path.absolute())


def speak_at_once(args: argparse.Namespace, text: str, tts: AnySynthesizer) -> None:
    """Speak a text that is short enough to be in memory as a whole."""
    started = time.perf_counter()
    options = SpeechOptions.from_mapping(vars(args))
    if args.out == STDOUT:
        speech = speak_through(tts.stream_pieces(text, options), name=args.format or "wav")
    else:
        speech = tts.speak(text, options)
        speech.save(args.out)
    taken = time.perf_counter() - started
    _write_extras(args, tts, speech, text)
    for warning in speech.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(
        f"{args.out}: {speech.seconds:.2f} s of audio in {taken:.2f} s "
        f"(real-time factor {taken / speech.seconds:.3f}), voice {speech.voice}, "
        f"seed {speech.options.seed}",
        file=sys.stderr if args.out == STDOUT else sys.stdout,
    )


def _load(args: argparse.Namespace) -> AnySynthesizer:
    """Load the voice; the engine without torch imports none."""
    if args.engine == "onnx":
        from pipeline.onnx_engine import OnnxSynthesizer

        return OnnxSynthesizer.load(args.voice, lexicon=_lexicon(args))
    return _load_torch(args)


def _load_torch(args: argparse.Namespace) -> Synthesizer:
    from pipeline.synthesizer import Synthesizer

    return Synthesizer.load(
        args.voice,
        vocoder=args.vocoder,
        device=args.device,
        precision=args.precision,
        lexicon=_lexicon(args),
    )


def _lexicon(args: argparse.Namespace) -> Lexicon | None:
    return load_lexicon(args.lexicon) if args.lexicon else None


def _document(args: argparse.Namespace) -> Document:
    """Return what to speak: a file with its chapters, or a text as one chapter."""
    if args.file is not None and args.file != "-":
        from pipeline.documents import read_document

        return read_document(args.file)
    text = args.text if args.file is None else read_standard_input()
    if not text.strip():
        raise PipelineError("The text is empty; expected something to say")
    return Document(title="", author="", chapters=(Chapter(title=args.out.stem, text=text),))


def _is_book(args: argparse.Namespace) -> bool:
    """Tell whether audio goes to disk sentence by sentence; it is the same audio."""
    if args.out == STDOUT:
        return False
    needs_whole = ["plot"] if args.plot is not None else []
    needs_whole += ["engine onnx"] if args.engine == "onnx" else []
    needs_book = args.out.suffix.lower() not in FORMATS or args.redo or args.chapters
    if needs_whole and needs_book:
        raise PipelineError(
            f"--{needs_whole[0]} is for speech of one piece, in {', '.join(sorted(FORMATS))}"
        )
    return bool(needs_book or args.keep_work) or (args.file not in (None, "-") and not needs_whole)


def speak_through(pieces: Iterator[AudioPiece], *, name: str) -> Speech:
    """Write audio to standard output as it is made; return its sentences joined.

    A player that is closed ends the command at once, without a word.
    """
    from pipeline.speech import join

    try:
        return join(write_through(pieces, sys.stdout.buffer, name=name))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        raise SystemExit(0) from None


def read_standard_input() -> str:
    """Return the text of standard input.

    Raises:
        PipelineError: It is not UTF-8.
    """
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PipelineError(
            f"Standard input is not UTF-8 at byte {error.start}; convert it"
        ) from error


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

        write_manifest(args.manifest, speech, cast("Synthesizer", tts), text=text)
    if args.captions is not None:
        from pipeline.captions import cues, write_captions

        words = (word.as_json() for word in speech.words)
        write_captions(args.captions, cues(speech.heard()), words)
    if args.plot is not None:
        from pipeline.plot import save_plot

        save_plot(args.plot, speech)


if __name__ == "__main__":
    raise SystemExit(main())
