"""Batches for Tacotron 2: clips of like length, their symbols, and when each is spoken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.data.alignment import Interval, PhoneTimes
from pipeline.data.features import Features
from pipeline.tacotron2.config import Tacotron2Config
from text import Token, normalize, pronounce, token_ids, token_spans

POOL_BATCHES = 16  # batches are cut from pools this many batches large, sorted by length
LEAD_SECONDS, TAIL_SECONDS = 0.1, 0.2  # silence kept around an aligned clip


def spoken_tokens(text: str, *, boundary_symbol: str) -> list[Token]:
    """Return the tokens of a text as a voice reads it, its boundary symbol at both ends."""
    boundary = [Token(boundary_symbol, None, "", "punctuation")] if boundary_symbol else []
    return [*boundary, *pronounce(normalize(text)), *boundary]


class SpeechBatch(NamedTuple):
    """Padded clips."""

    symbol_ids: Tensor  # [B, N]
    symbol_lengths: Tensor  # [B]
    mel: Tensor  # [B, M, T], T a multiple of r
    frame_lengths: Tensor  # [B], multiples of r
    alignment: Tensor  # [B, T / r, N]: share of each step's time that each symbol is spoken in


@dataclass(frozen=True)
class SpeechClips:
    """Clips with their tokens and the times of their phones."""

    features: Features
    places: Sequence[int]  # of each clip among the features
    tokens: Sequence[Sequence[Token]]
    times: Sequence[PhoneTimes]

    def n_frames(self, clip: int) -> int:
        """Return the frames of a clip."""
        return self.features.n_frames(self.places[clip])

    def mel(self, clip: int) -> np.ndarray:
        """Return a clip's mel, [T, M]."""
        return self.features.mel(self.places[clip])


def batches_of_epoch(
    lengths: Sequence[int], batch_size: int, seed: int, epoch: int
) -> list[np.ndarray]:
    """Return the clips of each batch of an epoch: shuffled, but of like length within a batch.

    Clips that do not fill a last batch wait for another epoch's shuffle.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    size = min(batch_size, len(lengths))
    order = order[: len(order) // size * size]
    batches: list[np.ndarray] = []
    for start in range(0, len(order), size * POOL_BATCHES):
        pool = order[start : start + size * POOL_BATCHES]
        pool = pool[np.argsort([lengths[i] for i in pool], kind="stable")]
        batches.extend(pool.reshape(-1, size))
    return [batches[i] for i in rng.permutation(len(batches))]


class SpeechBatches:
    """The batch of every step: a pure function of the seed and the step."""

    def __init__(
        self,
        clips: SpeechClips,
        config: Tacotron2Config,
        *,
        batch_size: int,
        letters_share: float,
        seed: int,
    ) -> None:
        self.clips = clips
        self.config = config
        self.letters_share = letters_share
        self.seed = seed
        lengths = [clips.n_frames(i) for i in range(len(clips.tokens))]
        self._epoch = lru_cache(maxsize=2)(
            lambda epoch: batches_of_epoch(lengths, batch_size, seed, epoch)
        )

    def batch(self, step: int) -> SpeechBatch:
        """Return the batch of a training step, some words of it in letters."""
        epoch, index = divmod(step, len(self._epoch(0)))
        rng = np.random.default_rng([self.seed, step, 1])
        return self.collate(self._epoch(epoch)[index].tolist(), rng)

    def collate(
        self, indices: Sequence[int], rng: np.random.Generator | None = None
    ) -> SpeechBatch:
        """Pad these clips to one batch; without `rng` every word is in phones."""
        examples = [self._example(i, rng) for i in indices]
        n_symbols = max(len(ids) for ids, _, _ in examples)
        n_frames = max(len(mel) for _, mel, _ in examples)
        count, r = len(examples), self.config.reduction
        symbol_ids = np.zeros((count, n_symbols), dtype=np.int64)
        mels = np.zeros((count, n_frames, self.config.audio.n_mels), dtype=np.float32)
        alignment = np.zeros((count, n_frames // r, n_symbols), dtype=np.float32)
        for row, (ids, mel, shares) in enumerate(examples):
            symbol_ids[row, : len(ids)] = ids
            mels[row, : len(mel)] = mel
            alignment[row, : shares.shape[0], : len(ids)] = shares
        return SpeechBatch(
            torch.from_numpy(symbol_ids),
            torch.tensor([len(ids) for ids, _, _ in examples]),
            torch.from_numpy(mels).transpose(1, 2),
            torch.tensor([len(mel) for _, mel, _ in examples]),
            torch.from_numpy(alignment),
        )

    def _example(
        self, index: int, rng: np.random.Generator | None
    ) -> tuple[list[int], np.ndarray, np.ndarray]:
        tokens, times = self.clips.tokens[index], self.clips.times[index]
        spelled: set[int] = set()
        if rng is not None:
            spelled = set(np.flatnonzero(rng.random(len(tokens)) < self.letters_share).tolist())
        mel = self.clips.mel(index)
        start, alignment = alignment_in_clip(tokens, times, len(mel), self.config, spelled=spelled)
        end = start + len(alignment) * self.config.reduction
        return token_ids(tokens, spelled=spelled), mel[start:end], alignment


def alignment_in_clip(
    tokens: Sequence[Token],
    times: PhoneTimes,
    n_frames: int,
    config: Tacotron2Config,
    *,
    spelled: Collection[int] = (),
) -> tuple[int, np.ndarray]:
    """Return the frame at which a clip's speech begins, and the alignment [K, N] from there.

    The speech ends after K groups of r frames; the silence around it is left out.

    Args:
        tokens: What is said.
        times: Of the phones.
        n_frames: Length of the clip.
        config: Of the model.
        spelled: Indices of the tokens that are written in letters.
    """
    frames_per_second = config.audio.sample_rate / config.audio.hop_length
    start = max(0, int((times[0][0].start - LEAD_SECONDS) * frames_per_second))
    end = min(n_frames, int((times[-1][-1].end + TAIL_SECONDS) * frames_per_second))
    n_steps = (end - start) // config.reduction
    edges = (start + np.arange(n_steps + 1) * config.reduction) / frames_per_second
    spans = [len(span) for span in token_spans(tokens, spelled=spelled)]
    intervals = symbol_intervals(tokens, times, spans, n_frames / frames_per_second)
    return start, step_alignment(edges, intervals)


def symbol_intervals(
    tokens: Sequence[Token], times: PhoneTimes, n_symbols: Sequence[int], clip_seconds: float
) -> np.ndarray:
    """Return when each symbol is spoken, [N, 2] in seconds.

    A word in letters shares its time evenly among them; marks and spaces share the pause between
    the words around them.

    Args:
        tokens: What is said.
        times: The intervals of the phones of each token that has phones.
        n_symbols: How many symbols each token has.
        clip_seconds: Length of the recording.
    """
    intervals: list[Interval] = []
    waiting = 0  # symbols of marks and spaces since the last word
    last_end = 0.0
    words = iter(times)
    for token, count in zip(tokens, n_symbols, strict=True):
        if not token.phones:
            waiting += count
            continue
        phones = next(words)
        intervals += _share(Interval(last_end, phones[0].start), waiting)
        waiting, last_end = 0, phones[-1].end
        evenly = _share(Interval(phones[0].start, last_end), count)
        intervals += phones if count == len(phones) else evenly
    intervals += _share(Interval(last_end, clip_seconds), waiting)
    return np.array(intervals).reshape(-1, 2)


def step_alignment(edges: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """Return the alignment [K, N] of K steps: the share of each step's time that is each symbol's.

    Args:
        edges: [K + 1] in seconds, between the steps.
        intervals: [N, 2] in seconds, one after the other; the first symbol also has all time
            before it, the last all time after it.
    """
    ends = np.append(intervals[:-1, 1], np.inf)
    starts = np.append(-np.inf, ends[:-1])
    times = np.clip(edges[:, None], starts, ends)  # [K + 1, N]
    shares: np.ndarray = np.diff(times, axis=0) / np.diff(edges)[:, None]
    return shares.astype(np.float32)


def _share(interval: Interval, count: int) -> list[Interval]:
    edges = np.linspace(interval.start, interval.end, count + 1).tolist()
    return [Interval(*pair) for pair in pairwise(edges)]
