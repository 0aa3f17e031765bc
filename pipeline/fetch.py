"""Fetch a published checkpoint, verify it, and convert it for use here."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import cast

from pipeline.command import run_command
from pipeline.errors import PipelineError
from pipeline.pretrained.catalog import CATALOG_PATH, CatalogEntry, find_entry, read_catalog

SOURCE_NAME = "source.json"  # in the folder of each fetched checkpoint: what it was made from


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.fetch",
        description=f"{__doc__} Without a name, list what there is.",
        epilog="Behind a proxy set HTTPS_PROXY. On a machine without internet, bring the file by "
        "other means and give --from-file.",
    )
    parser.add_argument("name", nargs="?", help="One of the catalog's names")
    parser.add_argument("--from-file", type=Path, help="Take this file instead of downloading it")
    parser.add_argument("--keep", action="store_true", help="Keep the original beside the result")
    parser.add_argument("--half", action="store_true", help="Store half precision: half the size")
    parser.add_argument("--force", action="store_true", help="Fetch anew what is there")
    parser.add_argument(
        "--into", type=Path, default=CATALOG_PATH.parent, help="Folder of the checkpoints"
    )
    parser.add_argument("--catalog", type=Path, default=CATALOG_PATH, help="Another catalog.json")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Fetch or list as the command line says."""
    args = build_parser().parse_args(arguments)
    return run_command(lambda: list_catalog(args) if args.name is None else fetch(args))


def list_catalog(args: argparse.Namespace) -> None:
    """Print every entry: name, size, what it is, licence, and which are there already."""
    for name, entry in read_catalog(args.catalog).items():
        size = "size unknown" if entry.size_bytes is None else f"{entry.size_bytes / 1e6:.0f} MB"
        there = ", fetched" if (args.into / name / SOURCE_NAME).exists() else ""
        print(f"{name}  ({size}{there})\n    {entry.what}\n    licence: {entry.licence}")


def fetch(args: argparse.Namespace) -> None:
    """Download one entry unless it is there, verify, convert, delete the original."""
    entry = find_entry(args.name, read_catalog(args.catalog))
    folder: Path = args.into / args.name
    recorded = _recorded_sha256(folder)
    if (folder / SOURCE_NAME).exists() and not args.force:
        raise PipelineError(f"{folder} is there already; --force fetches it anew")
    folder.mkdir(parents=True, exist_ok=True)
    original, came_from = _original(args, entry, folder)
    sha256 = _verified(original, entry.sha256 or recorded, args)
    written = _convert(original, entry, folder, args)
    size_bytes = original.stat().st_size
    source = {"file": entry.file, "from": came_from, "size_bytes": size_bytes, "sha256": sha256}
    (folder / SOURCE_NAME).write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")
    if args.from_file is None and not args.keep:
        original.unlink()
    option = "--voice" if written.name.startswith("tacotron2") else "--vocoder"
    print(f"{written}: sha256 of the original {sha256}; speak with {option} {args.name}")


def _original(args: argparse.Namespace, entry: CatalogEntry, folder: Path) -> tuple[Path, str]:
    """Return the published file and where it came from; what had come earlier is used."""
    if args.from_file is not None:
        if not args.from_file.is_file():
            raise PipelineError(f"{args.from_file} is not a file; expected {entry.file}")
        return args.from_file, str(args.from_file)
    from pipeline.pretrained.download import ProgressBar, download

    path = folder / entry.file
    if path.is_file():
        return path, "an earlier download"
    url = download(
        entry.mirrors, path, size_bytes=entry.size_bytes, progress=ProgressBar(args.name)
    )
    return path, url


def _verified(original: Path, expected: str | None, args: argparse.Namespace) -> str:
    """Return the file's sha256; a wrong download is deleted, so that the next one starts anew."""
    from pipeline.checkpoints import file_sha256

    sha256 = file_sha256(original)
    if expected is not None and sha256 != expected:
        if args.from_file is None:
            original.unlink()
        raise PipelineError(
            f"{original} has sha256 {sha256}, expected {expected}; it was altered on its way or "
            "is another file, and was not used"
        )
    return sha256


def _convert(original: Path, entry: CatalogEntry, folder: Path, args: argparse.Namespace) -> Path:
    from pipeline.pretrained.conversion import read_any, write_any
    from pipeline.pretrained.waveglow_state_dict import Couplings

    converted = read_any(
        original,
        mel_max_hz=entry.mel_max_hz,
        couplings=cast("Couplings | None", entry.couplings),
    )
    return write_any(converted, folder, half=args.half, force=True)


def _recorded_sha256(folder: Path) -> str | None:
    """Return what the original had when it was first fetched: it is held to that."""
    try:
        recorded = json.loads((folder / SOURCE_NAME).read_text(encoding="utf-8"))
        return str(recorded["sha256"])
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise PipelineError(
            f"{folder / SOURCE_NAME} cannot be read ({error}); delete the folder to fetch it anew"
        ) from error


if __name__ == "__main__":
    raise SystemExit(main())
