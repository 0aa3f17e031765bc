#!/usr/bin/env python3
"""Send a text from standard input to a running server; write the audio while it comes."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import urllib.request

SPEECH_PATH = "/v1/audio/speech"
SLOWEST, FASTEST = 0.5, 2.0


def speed_of(rate: float) -> float:
    """Return the factor for speech-dispatcher's rate: -100 is half, 0 normal, 100 double."""
    return min(FASTEST, max(SLOWEST, 2.0 ** (rate / 100.0)))


def main(arguments: list[str] | None = None) -> int:
    """Speak standard input."""
    parser = argparse.ArgumentParser(prog="tacoglow-say", description=__doc__)
    parser.add_argument("--rate", type=float, default=0.0, help="-100 to 100, default: 0")
    parser.add_argument("--voice", default="kathleen")
    parser.add_argument("--url", default="http://127.0.0.1:7860", help="Of `tacoglow serve`")
    args = parser.parse_args(arguments)
    body = {
        "model": "tacoglow",
        "input": sys.stdin.buffer.read().decode("utf-8", errors="replace"),
        "voice": args.voice,
        "speed": speed_of(args.rate),
        "response_format": "wav",
    }
    request = urllib.request.Request(
        args.url + SPEECH_PATH,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            shutil.copyfileobj(answer, sys.stdout.buffer, 4_096)
    except BrokenPipeError:
        return 0  # the player was stopped
    except OSError as error:
        print(f"error: {args.url} does not speak: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
