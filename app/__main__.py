"""Start the page and the API: `python -m app`."""

from __future__ import annotations

import argparse
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.command import number_between, run_command
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.worker_pool import WorkerPool

RUNS_DIR = Path("runs", "voices")  # where the server was started
HERE = ("127.0.0.1", "::1", "localhost")  # hosts that only this machine can reach


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Serve the page, and an HTTP API for OpenAI's clients.",
    )
    _add_voice_options(parser.add_argument_group("speech"))
    _add_address_options(parser.add_argument_group("addresses"))
    _add_visitor_options(parser.add_argument_group("what others may do"))
    operation = parser.add_argument_group("operation")
    operation.add_argument(
        "--grace-seconds",
        type=number_between(0, 3_600),
        default=30.0,
        metavar="SECONDS",
        help="For what is being spoken when the server is told to stop; default: 30",
    )
    operation.add_argument(
        "--log-format",
        choices=("plain", "json"),
        default="plain",
        help="json is a line for each request; default: plain, which is what goes wrong",
    )
    return parser


def _add_voice_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--voice", default="kathleen", help="Name or folder, default: kathleen")
    group.add_argument(
        "--workers",
        type=int,
        choices=range(1, 257),
        default=1,
        metavar="N",
        help="Processes that speak, for one queue; they share the cores. Default: 1, the server",
    )
    group.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    group.add_argument(
        "--precision",
        choices=("32", "16"),
        default="32",
        help="16 is half precision, on a GPU; default: 32",
    )
    group.add_argument(
        "--runs", type=Path, default=RUNS_DIR, metavar="FOLDER", help="Folder for fine-tuned voices"
    )
    group.add_argument(
        "--exact-voices",
        action="store_true",
        help="Refuse OpenAI's names of voices; without it the default voice speaks for them",
    )


def _add_address_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", default="127.0.0.1", help="0.0.0.0 is for the whole network")
    group.add_argument("--port", type=int, default=7860, help="0 is any free one; default: 7860")
    group.add_argument(
        "--wyoming", type=int, metavar="PORT", help="Speak Wyoming too, for Home Assistant"
    )
    group.add_argument("--share", action="store_true", help="Open a public address for a week")
    group.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="A name under which others reach this server; may be repeated",
    )
    group.add_argument(
        "--cors",
        type=origin,
        action="append",
        default=[],
        metavar="ORIGIN",
        help="Let pages of https://this.site use the API; may be repeated",
    )


def _add_visitor_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--auth", metavar="USER:PASSWORD", help="Require this user and password")
    group.add_argument(
        "--allow-training",
        action="store_true",
        help="Let visitors from other machines fine-tune too",
    )
    group.add_argument(
        "--max-characters",
        type=int,
        metavar="N",
        help="Longest text; default: 5000 for other machines; on this one 100000, and documents of "
        "any length",
    )
    group.add_argument(
        "--max-uploads-gb",
        type=number_between(0.01, 1_000_000),
        default=4.0,
        metavar="GB",
        help="Of files that wait for fine-tuning, over all visitors; default: 4",
    )


def origin(text: str) -> str:
    """Return an origin as browsers name it, or `*`; an argparse type."""
    parts = urlsplit(text)
    is_origin = parts.scheme in ("http", "https") and parts.netloc and parts.path in ("", "/")
    if text != "*" and not is_origin:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an origin; expected one such as https://this.site:8080, or *"
        )
    return text.removesuffix("/").lower()


def main(arguments: list[str] | None = None) -> int:
    """Run the server that the command line describes."""
    parser = build_parser()
    args = parser.parse_args(arguments)
    if args.auth is not None and not all(args.auth.partition(":")):
        parser.error("argument --auth: expected USER:PASSWORD")
    return run_command(lambda: run(args))


def run(args: argparse.Namespace) -> None:
    """Check the options, import what takes seconds, serve."""
    listener = listen(args.host, args.port)
    wyoming_host = "127.0.0.1" if args.auth else args.host  # Wyoming has no password
    wyoming_listener = None if args.wyoming is None else listen(wyoming_host, args.wyoming)
    from app.finetune_jobs import FinetuneJobs
    from app.network.uploads import Uploads, own_uploads_dir
    from app.voice_store import VoiceStore
    from pipeline.voice_folders import VOICES_DIR

    workers = start_workers(args.workers) if args.workers > 1 else None
    store = VoiceStore(
        args.voice,
        places=[VOICES_DIR, args.runs],
        device=args.device,
        precision=args.precision,
        workers=workers,
    )
    is_private = args.host in HERE and not args.share
    finetune_jobs = FinetuneJobs(args.runs) if is_private or args.allow_training else None
    uploads_dir = own_uploads_dir()
    os.environ["GRADIO_TEMP_DIR"] = str(uploads_dir)  # both are read when gradio is imported
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from app.job_queue import JobQueue
    from app.metrics import MeasuredSpeechService
    from app.network.guard import NetworkOptions
    from app.server import build_server, prepare, share
    from app.speech_service import MAX_CHARACTERS, MAX_CHARACTERS_AT_HOME

    public_url = share(listener.getsockname()[1]) if args.share else None
    service = MeasuredSpeechService(
        store,
        JobQueue(n_workers=args.workers),
        max_characters=args.max_characters
        or (MAX_CHARACTERS_AT_HOME if is_private else MAX_CHARACTERS),
        max_document_characters=args.max_characters or (None if is_private else MAX_CHARACTERS),
    )
    server = build_server(
        service,
        finetune_jobs=finetune_jobs,
        network=NetworkOptions(
            uploads=Uploads(uploads_dir, max_bytes=round(args.max_uploads_gb * 1e9)),
            hosts=(*args.allow_host, *([urlsplit(public_url).netloc] if public_url else [])),
            origins=tuple(args.cors),
            auth=tuple(args.auth.split(":", 1)) if args.auth else None,
        ),
        wyoming_listener=wyoming_listener,
        exact_voices=args.exact_voices,
    )
    print(address_of("http", listener), flush=True)
    if public_url:
        print(public_url, flush=True)
    if wyoming_listener is not None:
        print(f"{address_of('tcp', wyoming_listener)} (Wyoming)", flush=True)
    prepare(server, service, grace_seconds=args.grace_seconds, log_format=args.log_format).run(
        sockets=[listener]
    )


def start_workers(n_workers: int) -> WorkerPool:
    """Return worker processes that share the cores of this machine."""
    import torch

    from pipeline.worker_pool import WorkerPool

    n_threads = max(1, torch.get_num_threads() // n_workers)
    torch.set_num_threads(n_threads)  # manifests name it
    return WorkerPool(n_workers, n_threads=n_threads)


def address_of(scheme: str, listener: socket.socket) -> str:
    """Return the address at which a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        PipelineError: The port is taken, or the host is not this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise PipelineError(
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose another port."
        ) from error
    # Inherited by each connection: without it every answer waits 40 ms for a delayed ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


if __name__ == "__main__":
    raise SystemExit(main())
