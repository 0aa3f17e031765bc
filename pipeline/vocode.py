"""The vocoder alone: `python -m pipeline.vocode INPUT... --out FOLDER`, mels or recordings."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio import FORMATS
from pipeline.command import add_speech_options, run_command
from pipeline.errors import PipelineError
from pipeline.vocoder_defaults import UNKNOWN

if TYPE_CHECKING:
    import numpy as np

    from pipeline.mel import AudioConfig

MEL_SUFFIXES = (".npy", ".pt")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.vocode",
        description="Vocode mels (.npy, .pt) or recordings (wav, flac, ogg, mp3).",
    )
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--vocoder", default="kathleen", help="File, folder or name")
    own = "that of the voice whose vocoder it is"
    add_speech_options(parser, ["sigma"], otherwise=f"{own}, or {UNKNOWN.sigma}")
    add_speech_options(parser, ["denoise"], otherwise=f"{own}, or {UNKNOWN.denoise}")
    add_speech_options(parser, ["seed"])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--precision", choices=("32", "16"), default="32")
    parser.add_argument("--save-mels", action="store_true", help="Write the mels too, as .npy")
    parser.add_argument("--force", action="store_true", help="Overwrite files that exist")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Vocode as the command line says."""
    args = build_parser().parse_args(arguments)
    return run_command(lambda: vocode(args))


def vocode(args: argparse.Namespace) -> None:
    """Check every input, load the vocoder, write one wav for each input."""
    check_inputs(args)
    import torch

    from pipeline.audio import write_audio
    from pipeline.checkpoints import load_vocoder
    from pipeline.devices import half_precision, pick_device
    from pipeline.voice_loading import find_vocoder

    device = pick_device(args.device, args.precision)
    found = find_vocoder(args.vocoder)
    vocoder = load_vocoder(found.path, sha256=found.sha256, device=device)
    sigma, denoise = (found.voice.sigma, found.voice.denoise) if found.voice else UNKNOWN
    sigma = sigma if args.sigma is None else args.sigma
    denoise = denoise if args.denoise is None else args.denoise
    config = vocoder.config.audio
    args.out.mkdir(parents=True, exist_ok=True)
    for number, source in enumerate(args.inputs, start=1):
        values = read_mel(source, config)
        mel = torch.from_numpy(values)[None]
        started = time.perf_counter()
        generator = torch.Generator().manual_seed(args.seed)
        with half_precision(device, args.precision):
            batch = vocoder.vocode(mel, sigma=sigma, denoise=denoise, generator=generator)
        audio = batch[0].cpu()
        taken = time.perf_counter() - started
        target = args.out / f"{source.stem}.wav"
        write_audio(target, audio.numpy(), config.sample_rate)
        if args.save_mels:
            save_mel(args.out / f"{source.stem}.npy", values)
        seconds = len(audio) / config.sample_rate
        print(f"{target}: {seconds:.2f} s of audio, real-time factor {taken / seconds:.3f}")
        print(f"{number} of {len(args.inputs)}", file=sys.stderr)


def check_inputs(args: argparse.Namespace) -> None:
    """Raise PipelineError where an input cannot be read or an output would overwrite something."""
    for path in args.inputs:
        if path.suffix.lower() not in (*MEL_SUFFIXES, *FORMATS):
            raise PipelineError(f"{path} is neither a mel (.npy, .pt) nor a recording")
        if not path.is_file():
            raise PipelineError(f"{path} does not exist")
        if (args.out / f"{path.stem}.wav").exists() and not args.force:
            raise PipelineError(f"{args.out / path.stem}.wav exists; --force overwrites it")
    names = [path.stem for path in args.inputs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PipelineError(f"Two inputs are called {twice[0]!r}; their outputs would collide")


def read_mel(path: Path, config: AudioConfig) -> np.ndarray:
    """Return the mel [M, T] float32 of a file: as stored, or computed from a recording.

    A stored mel is [M, T] or [1, M, T]; `.pt` files are read without executing any pickle.

    Raises:
        PipelineError: The file cannot be read, or is not a finite mel of M channels.
    """
    import numpy as np
    import torch

    from pipeline.audio import read_audio
    from pipeline.mel import log_mel

    if path.suffix.lower() in FORMATS:
        audio = torch.from_numpy(read_audio(path, config.sample_rate))[None]
        if audio.shape[1] <= config.n_fft // 2:
            raise PipelineError(
                f"{path} has {audio.shape[1]} samples; expected more than {config.n_fft // 2}"
            )
        n_frames = audio.shape[1] // config.hop_length
        return log_mel(audio, config)[0, :, :n_frames].numpy()
    try:
        if path.suffix.lower() == ".npy":
            values = np.load(path, allow_pickle=False)
        else:
            values = torch.load(path, map_location="cpu", weights_only=True).float().numpy()
    except Exception as error:  # numpy and torch raise a dozen kinds for a damaged file
        raise PipelineError(f"Cannot read a mel from {path}: {error}") from error
    mel = np.asarray(values, dtype=np.float32)
    mel = mel[0] if mel.ndim == 3 and len(mel) == 1 else mel
    if mel.ndim != 2 or mel.shape[0] != config.n_mels or not mel.shape[1]:
        raise PipelineError(
            f"{path} has shape {list(np.shape(values))}; expected [{config.n_mels}, frames]"
        )
    if not np.isfinite(mel).all():
        raise PipelineError(f"{path} holds values that are not finite")
    return mel


def save_mel(path: Path, mel: np.ndarray) -> None:
    """Write a mel [M, T] as .npy, whole or not at all."""
    import numpy as np

    from pipeline.atomic_write import atomic_write

    with atomic_write(path) as part_path, part_path.open("wb") as file:
        np.save(file, mel)


if __name__ == "__main__":
    raise SystemExit(main())
