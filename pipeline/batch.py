"""Speak a list of sentences: `python -m pipeline.batch SENTENCES FOLDER`, any number of them."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.command import add_speech_options, run_command
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.batch_job.pool import Done, Work
    from pipeline.batch_job.requests import Request
    from pipeline.batch_job.rows import Row
    from pipeline.batch_job.state import State

STATE_NAMES = ".batch-{}.sqlite"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.batch",
        description="Speak a list of sentences into audio files and a manifest. Run it again to "
        "go on after a stop: what is there already is not spoken twice.",
        epilog="Columns: id and text, and of voice, sigma, denoise, rate and seed those that are "
        "needed. A text file has a sentence a line, and the line's number is its id.",
    )
    parser.add_argument(
        "sentences", type=Path, metavar="SENTENCES", help="A .txt, .csv, .tsv, .jsonl or .parquet"
    )
    parser.add_argument("out", type=Path, metavar="FOLDER", help="For audio and manifest")
    parser.add_argument("--voice", default="kathleen", help="Name or folder, where a row has none")
    add_speech_options(parser)
    parser.add_argument(
        "--format", choices=("wav", "flac", "ogg", "mp3"), default="flac", help="Default: flac"
    )
    parser.add_argument(
        "--workers",
        type=_positive,
        metavar="N",
        help="Processes of one thread each; default: one a core, and one with a GPU",
    )
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="Have a Ray cluster do the work: auto, or the address of its head; all its machines "
        "must see FOLDER and the voices under the same names",
    )
    parser.add_argument(
        "--shard", type=_shard, default=(1, 1), metavar="I/N", help="Only the I-th of N equal parts"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Speak a list as the command line says."""
    args = build_parser().parse_args(arguments)
    return run_command(lambda: batch(args))


def batch(args: argparse.Namespace) -> None:
    """Check the whole list, speak what is missing, write the manifest."""
    from pipeline.batch_job.forkserver import forkserver

    if args.ray is None:
        forkserver()
    from pipeline.batch_job.requests import Shard
    from pipeline.batch_job.rows import read_rows
    from pipeline.batch_job.state import State

    rows = read_rows(args.sentences)
    shard = Shard(*args.shard)
    out_dir = args.out.resolve()
    check_folder(out_dir)
    manifest = out_dir / ("manifest.jsonl" if shard.n_shards == 1 else f"manifest-{shard}.jsonl")
    with State.open(out_dir / STATE_NAMES.format(shard)) as state:
        device = ask(args, state, (row for row in rows if shard.holds(row.id)))
        state.remove_leftovers()
        if state.counts().missing:
            manifest.unlink(missing_ok=True)  # it is there only while all it says is true
        made = speak_missing(
            state, out_dir, device=device, n_workers=args.workers, ray_address=args.ray
        )
        state.remove_leftovers()  # of workers that were killed in this run
        state.write_manifest(manifest)
        counts = state.counts()
    if counts.missing:
        print(f"warning: {counts.missing} failed; {manifest} says why", file=sys.stderr)
    print(f"{manifest}: {counts.spoken} of {counts.listed} sentences are spoken, {made}")


def check_folder(folder: Path) -> None:
    """Make the folder; refuse one that holds files which no batch has written.

    Raises:
        PipelineError: It is not empty, or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_foreign = any(folder.iterdir()) and not any(folder.glob(STATE_NAMES.format("*")))
    except OSError as error:
        raise PipelineError(f"Cannot write to {folder}: {error.strerror}") from error
    if is_foreign:
        raise PipelineError(f"{folder} holds other files; expected an empty or new folder")


def ask(args: argparse.Namespace, state: State, rows: Iterable[Row]) -> str:
    """Take the list into the state, which checks all of it; return the name of the device."""
    from pipeline.batch_job.requests import prepare
    from pipeline.devices import pick_device
    from pipeline.options import OPTIONS
    from pipeline.voice_folders import find_voice

    device = pick_device(args.device, "32").type
    voice = str(find_voice(args.voice).resolve())
    defaults = {name: getattr(args, name) for name in OPTIONS}
    to_request = partial(
        prepare, voice=voice, defaults=defaults, suffix=f".{args.format}", device=device
    )
    state.ask((row.place, to_request(row)) for row in rows)
    return device


def speak_missing(
    state: State, out_dir: Path, *, device: str, n_workers: int | None, ray_address: str | None
) -> str:
    """Speak what is missing, with a bar on standard error; return what was done, in words."""
    from tqdm import tqdm

    from pipeline.batch_job.buckets import buckets
    from pipeline.batch_job.worker import fulfil
    from pipeline.tacotron2.batch_decoder import SLOTS

    n_missing = state.counts().missing
    if not n_missing:
        return "0 of them now"
    with _workers(ray_address, device=device, n_workers=n_workers) as (n_started, work_through):
        groups = buckets(state.missing(), most=min(SLOTS, -(-n_missing // n_started)))
        started, seconds, n_spoken = time.perf_counter(), 0.0, 0
        with (
            closing(work_through(groups, partial(fulfil, out_dir=out_dir))) as done,
            tqdm(total=n_missing, unit="sentence", dynamic_ncols=True) as bar,
        ):
            for request, result in done:
                state.record(request, result)
                seconds += result.seconds
                n_spoken += result.size_bytes is not None
                speed = seconds / (time.perf_counter() - started)
                bar.set_postfix_str(f"{speed:.1f} s of audio a second", refresh=False)
                bar.update()
        taken = time.perf_counter() - started
    return (
        f"{n_spoken} of them now: {seconds:.1f} s of audio in {taken:.1f} s "
        f"({seconds / taken:.2f} a second), {n_started} worker{'s' * (n_started > 1)} of one thread"
    )


@contextmanager
def _workers(
    ray_address: str | None, *, device: str, n_workers: int | None
) -> Iterator[tuple[int, Callable[[Iterator[Sequence[Request]], Work], Generator[Done]]]]:
    """Yield how many workers there are, and what has them work through groups of requests."""
    from pipeline.batch_job.cluster import connected, work_on_cluster
    from pipeline.batch_job.pool import work_through

    n_gpus = int(device == "cuda")
    if ray_address is None:
        n_workers = n_workers or (1 if n_gpus else len(os.sched_getaffinity(0)))
        yield n_workers, partial(work_through, n_workers=n_workers)
        return
    with connected(ray_address) as n_cores:
        n_workers = n_workers or max(1, n_cores)
        yield n_workers, partial(work_on_cluster, n_workers=n_workers, n_gpus=n_gpus)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a shard such as 1/4 or 4/4")
    return int(index), int(count)


if __name__ == "__main__":
    raise SystemExit(main())
