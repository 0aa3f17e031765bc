"""Score a voice on recorded speech: `python -m pipeline.evaluate VOICE CORPUS`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pipeline.command import add_speech_options, check_output, run_command
from pipeline.errors import PipelineError


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.evaluate",
        description="Score a voice on recorded speech. Its vocoder speaks from the recordings' "
        "mels and is held against them and against Griffin-Lim; with English transcripts, the "
        "texts are synthesized too, and a recognizer listens to everything.",
    )
    parser.add_argument("voice", help="Name or folder")
    parser.add_argument("corpus", type=Path, help="wavs/ with lists of id|text, or any recordings")
    parser.add_argument("--vocoder", help="Another WaveGlow: file, folder or name")
    parser.add_argument("--split", choices=("val", "train", "all"), default="val")
    parser.add_argument("--max-clips", type=int, help="Only the first so many")
    parser.add_argument(
        "--sentences",
        type=int,
        default=500,
        help="How many of 1 to 60 words, made of the texts, the predictor must get through",
    )
    parser.add_argument(
        "--other-speakers",
        type=Path,
        nargs="+",
        default=[],
        metavar="CORPUS",
        help="Recordings of others, whom the voice should be less like than its own speaker; needs "
        "the speaker verifier (pip install --no-deps resemblyzer==0.1.4)",
    )
    add_speech_options(parser, ["sigma", "denoise"])
    parser.add_argument("--seed", type=int, default=0, help="Of the noise and of the split")
    parser.add_argument(
        "--language", choices=("en", "other"), default="en", help="other: leave transcripts aside"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write all scores there too")
    parser.add_argument("--force", action="store_true", help="Overwrite the file")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Evaluate as the command line says."""
    args = build_parser().parse_args(arguments)
    return run_command(lambda: evaluate(args))


def evaluate(args: argparse.Namespace) -> None:
    """Check the input, load the voice, score it, print and write."""
    _check_options(args)
    from dataclasses import replace

    from pipeline.atomic_write import atomic_write
    from pipeline.data.corpora import read_corpus
    from pipeline.engine import weights_sha256
    from pipeline.evaluation.likeness import voice_prints
    from pipeline.evaluation.voice_scores import as_json, score_voice, table
    from pipeline.torch_engine import TorchEngine

    corpus = read_corpus(args.corpus, seed=args.seed)
    splits = {
        "train": corpus.train,
        "val": corpus.validation,
        "all": corpus.train + corpus.validation,
    }
    clips = splits[args.split][: args.max_clips]
    if args.language == "other":
        clips = tuple(replace(clip, text="") for clip in clips)
    engine = TorchEngine.load(args.voice, vocoder=args.vocoder, device=args.device)
    settings = {
        "sigma": engine.voice.sigma if args.sigma is None else args.sigma,
        "denoise": engine.voice.denoise if args.denoise is None else args.denoise,
        "seed": args.seed,
    }
    others = [
        print_
        for folder in args.other_speakers
        for print_ in voice_prints(read_corpus(folder, seed=args.seed).validation)
    ]
    result = score_voice(engine, clips, n_sentences=args.sentences, others=others, **settings)
    print(table(result))
    if args.json is None:
        return
    facts = {
        "voice": engine.voice.name,
        "sha256": weights_sha256(engine),
        "corpus": args.corpus.name,
        "split": args.split,
        "settings": settings,
    }
    with atomic_write(args.json) as part_path:
        part_path.write_text(json.dumps(facts | as_json(result), indent=2) + "\n")


def _check_options(args: argparse.Namespace) -> None:
    if args.json is not None:
        check_output(args.json, (".json",), force=args.force)
    if args.max_clips is not None and args.max_clips < 1:
        raise PipelineError(f"--max-clips is {args.max_clips}; expected 1 or more")
    if args.sentences < 0:
        raise PipelineError(f"--sentences is {args.sentences}; expected 0 or more")


if __name__ == "__main__":
    raise SystemExit(main())
