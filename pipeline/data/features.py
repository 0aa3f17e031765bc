"""Audio and mels of a list of clips, computed once and kept on disk as three flat files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from pipeline.audio import read_audio, to_pcm
from pipeline.data.corpora import Clip
from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig, log_mel


@dataclass(frozen=True)
class Features:
    """All clips end to end, memory-mapped; clip i has frames `offsets[i]` to `offsets[i + 1]`.

    A clip's audio is cut to whole hops, so frame t of the corpus starts at sample
    `hop_length * t`.
    """

    pcm: np.ndarray  # [hop_length * total T] int16
    mels: np.ndarray  # [total T, M] float32, natural log
    offsets: np.ndarray  # [n_clips + 1] int64 frames
    config: AudioConfig

    def n_frames(self, clip: int) -> int:
        """Return the frames of a clip."""
        return int(self.offsets[clip + 1] - self.offsets[clip])

    def mel(self, clip: int) -> np.ndarray:
        """Return a clip's mel, [T, M]."""
        return self.mels[self.offsets[clip] : self.offsets[clip + 1]]

    def audio(self, clip: int) -> np.ndarray:
        """Return a clip's audio as float32, [hop_length * T]."""
        hop = self.config.hop_length
        pcm = self.pcm[hop * self.offsets[clip] : hop * self.offsets[clip + 1]]
        return pcm.astype(np.float32) / 32_768.0


def load_features(clips: Sequence[Clip], cache_dir: Path, config: AudioConfig) -> Features:
    """Return the clips' features, from the cache where it holds them, computed otherwise.

    The cache is keyed by every recording's path, size and time of change, and by the settings.
    """
    key = _key(clips, config)
    folder = cache_dir / key
    if not folder.exists():
        _compute(clips, folder, config)
    return Features(
        np.load(folder / "pcm.npy", mmap_mode="r"),
        np.load(folder / "mels.npy", mmap_mode="r"),
        np.load(folder / "offsets.npy"),
        config,
    )


def _key(clips: Sequence[Clip], config: AudioConfig) -> str:
    try:
        stats = [(str(clip.path), clip.path.stat()) for clip in clips]
    except OSError as error:
        raise PipelineError(f"Cannot read {error.filename}: {error.strerror}") from error
    facts = [[path, stat.st_size, stat.st_mtime_ns] for path, stat in stats]
    text = json.dumps([facts, asdict(config)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _compute(clips: Sequence[Clip], folder: Path, config: AudioConfig) -> None:
    pcm, mels, lengths = [], [], [0]
    for clip in tqdm(clips, desc="mels", unit="clip", dynamic_ncols=True):
        audio = read_audio(clip.path, config.sample_rate)
        n_frames = len(audio) // config.hop_length
        if n_frames * config.hop_length <= config.n_fft // 2:
            raise PipelineError(
                f"{clip.path} has {len(audio)} samples; expected more than {config.n_fft // 2} in "
                f"whole frames of {config.hop_length}"
            )
        audio = audio[: n_frames * config.hop_length]
        mel = log_mel(torch.from_numpy(audio)[None], config)[0, :, :n_frames]
        pcm.append(to_pcm(audio))
        mels.append(mel.T.numpy())
        lengths.append(n_frames)
    offsets = np.cumsum(lengths, dtype=np.int64)
    arrays = {"pcm": np.concatenate(pcm), "mels": np.concatenate(mels), "offsets": offsets}
    _write(arrays, folder)


def _write(arrays: dict[str, np.ndarray], folder: Path) -> None:
    """Write arrays as files of a folder that appears whole or not at all."""
    part_dir = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        part_dir.mkdir(parents=True)
        for name, array in arrays.items():
            np.save(part_dir / f"{name}.npy", array)
        part_dir.replace(folder)
    except OSError as error:
        shutil.rmtree(part_dir, ignore_errors=True)
        if not folder.exists():  # else another process was faster with the same features
            raise PipelineError(f"Cannot write {folder}: {error.strerror}") from error
