"""Start the page and the API: `python -m app`."""

from __future__ import annotations

import argparse
import os
import socket
from pathlib import Path

from pipeline.command import run_command
from pipeline.errors import PipelineError

RUNS_DIR = Path("runs", "voices")  # where the server was started
HERE = ("127.0.0.1", "::1", "localhost")  # hosts that only this machine can reach


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Serve the page, and an HTTP API for OpenAI's clients.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 is for the whole network")
    parser.add_argument("--port", type=int, default=7860, help="0 is any free one; default: 7860")
    parser.add_argument("--voice", default="kathleen", help="Name or folder, default: kathleen")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--precision",
        choices=("32", "16"),
        default="32",
        help="16 is half precision, on a GPU; default: 32",
    )
    parser.add_argument(
        "--runs", type=Path, default=RUNS_DIR, metavar="FOLDER", help="Folder for fine-tuned voices"
    )
    parser.add_argument(
        "--allow-training",
        action="store_true",
        help="Let visitors from other machines fine-tune too",
    )
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="Require this user and password")
    parser.add_argument("--share", action="store_true", help="Open a public address for a week")
    return parser


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
    from app.finetune_jobs import FinetuneJobs
    from app.voice_store import VoiceStore
    from pipeline.voice_folders import VOICES_DIR

    store = VoiceStore(
        args.voice,
        places=[VOICES_DIR, args.runs],
        device=args.device,
        precision=args.precision,
    )
    is_private = args.host in HERE and not args.share
    finetune_jobs = FinetuneJobs(args.runs) if is_private or args.allow_training else None
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported
    from app.server import build_server, serve, share
    from app.speech_service import SpeechService

    auth = tuple(args.auth.split(":", 1)) if args.auth else None
    port = listener.getsockname()[1]
    server = build_server(SpeechService(store), finetune_jobs=finetune_jobs, auth=auth)
    host = f"[{args.host}]" if ":" in args.host else args.host
    print(f"http://{host}:{port}", flush=True)
    if args.share:
        print(share(port), flush=True)
    serve(server, listener)


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
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose another --port."
        ) from error
    # Inherited by each connection: without it every answer waits 40 ms for a delayed ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


if __name__ == "__main__":
    raise SystemExit(main())
