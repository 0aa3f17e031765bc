"""Batches for Tacotron 2: clips of like length, their symbols, and how and when each is spoken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.data.alignment import Interval, PhoneTimes
from pipeline.data.prosody import ProsodyStatistics, symbol_prosody
from pipeline.tacotron2.config import Tacotron2Config
from text import Token, normalize, pronounce, token_ids, token_spans

VALIDATION_BATCH = 25
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
    speaker_ids: Tensor  # [B]
    prosody: Tensor  # [B, N, 2]: see `symbol_prosody`
    pitch: Tensor  # [B, 2, T]: log2 Hz, and voicing


@dataclass(frozen=True, kw_only=True)
class SpeechClip:
    """A recording, what is said in it and when."""

    mel: np.ndarray  # [T, M]
    pitch: np.ndarray  # [T, 2]: log2 Hz, and voicing
    tokens: Sequence[Token]
    times: PhoneTimes
    speaker: int


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
        clips: Sequence[SpeechClip],
        config: Tacotron2Config,
        *,
        batch_size: int,
        seed: int,
        statistics: Mapping[int, ProsodyStatistics] | None = None,
    ) -> None:
        self.clips = clips
        self.config = config
        self.seed = seed
        self.statistics = prosody_statistics(clips, config) if statistics is None else statistics
        lengths = [len(clip.mel) for clip in clips]
        self._example = lru_cache(maxsize=None)(self._make_example)
        self._epoch = lru_cache(maxsize=2)(
            lambda epoch: batches_of_epoch(lengths, batch_size, seed, epoch)
        )

    def batch(self, step: int) -> SpeechBatch:
        """Return the batch of a training step."""
        epoch, index = divmod(step, len(self._epoch(0)))
        return self.collate(self._epoch(epoch)[index].tolist())

    def collate(self, indices: Sequence[int]) -> SpeechBatch:
        """Pad these clips to one batch."""
        examples = [self._example(i) for i in indices]
        n_symbols = max(len(example.symbol_ids) for example in examples)
        n_frames = max(len(example.mel) for example in examples)
        count, r = len(examples), self.config.reduction
        symbol_ids = np.zeros((count, n_symbols), dtype=np.int64)
        mels = np.zeros((count, n_frames, self.config.audio.n_mels), dtype=np.float32)
        alignment = np.zeros((count, n_frames // r, n_symbols), dtype=np.float32)
        prosody = np.zeros((count, n_symbols, 2), dtype=np.float32)
        pitch = np.zeros((count, n_frames, 2), dtype=np.float32)
        for row, example in enumerate(examples):
            length = len(example.symbol_ids)
            symbol_ids[row, :length] = example.symbol_ids
            mels[row, : len(example.mel)] = example.mel
            alignment[row, : len(example.alignment), :length] = example.alignment
            prosody[row, :length] = example.prosody
            pitch[row, : len(example.pitch)] = example.pitch
        return SpeechBatch(
            torch.from_numpy(symbol_ids),
            torch.tensor([len(example.symbol_ids) for example in examples]),
            torch.from_numpy(mels).transpose(1, 2),
            torch.tensor([len(example.mel) for example in examples]),
            torch.from_numpy(alignment),
            torch.tensor([self.clips[i].speaker for i in indices]),
            torch.from_numpy(prosody),
            torch.from_numpy(pitch).transpose(1, 2),
        )

    def _make_example(self, index: int) -> _Example:
        clip, r = self.clips[index], self.config.reduction
        start, alignment = alignment_in_clip(clip.tokens, clip.times, len(clip.mel), self.config)
        spoken = slice(start, start + len(alignment) * r)
        mel, pitch = clip.mel[spoken], clip.pitch[spoken]
        prosody = symbol_prosody(mel, pitch, alignment)
        prosody = self.statistics[clip.speaker].standardize(prosody)
        return _Example(token_ids(clip.tokens), mel, alignment, prosody, pitch)


class _Example(NamedTuple):
    symbol_ids: list[int]  # [N]
    mel: np.ndarray  # [T, M]
    alignment: np.ndarray  # [T / r, N]
    prosody: np.ndarray  # [N, 2]
    pitch: np.ndarray  # [T, 2]


def alignment_in_clip(
    tokens: Sequence[Token],
    times: PhoneTimes,
    n_frames: int,
    config: Tacotron2Config,
) -> tuple[int, np.ndarray]:
    """Return the frame at which a clip's speech begins, and the alignment [K, N] from there.

    The speech ends after K groups of r frames; the silence around it is left out.

    Args:
        tokens: What is said.
        times: Of the phones.
        n_frames: Length of the clip.
        config: Of the model.
    """
    frames_per_second = config.audio.sample_rate / config.audio.hop_length
    start = max(0, int((times[0][0].start - LEAD_SECONDS) * frames_per_second))
    end = min(n_frames, int((times[-1][-1].end + TAIL_SECONDS) * frames_per_second))
    n_steps = (end - start) // config.reduction
    edges = (start + np.arange(n_steps + 1) * config.reduction) / frames_per_second
    spans = [len(span) for span in token_spans(tokens)]
    intervals = symbol_intervals(tokens, times, spans, n_frames / frames_per_second)
    return start, step_alignment(edges, intervals)


class SpeechData:
    """The clips of a training, as batches to train on and to validate with."""

    def __init__(
        self,
        train: Sequence[SpeechClip],
        validation: Sequence[SpeechClip],
        config: Tacotron2Config,
        *,
        batch_size: int,
        seed: int,
    ) -> None:
        self.config = config
        self.train = SpeechBatches(train, config, batch_size=batch_size, seed=seed)
        self.validation = SpeechBatches(
            validation,
            config,
            batch_size=VALIDATION_BATCH,
            seed=seed,
            statistics=self.train.statistics,
        )

    def validation_batches(self, device: torch.device) -> list[SpeechBatch]:
        """Return all validation clips, those of like length together."""
        clips = self.validation.clips
        ordered = sorted(range(len(clips)), key=lambda i: len(clips[i].mel))
        starts = range(0, len(ordered), VALIDATION_BATCH)
        batches = [self.validation.collate(ordered[i : i + VALIDATION_BATCH]) for i in starts]
        return [SpeechBatch(*(field.to(device) for field in batch)) for batch in batches]

    def n_samples(self, batch: SpeechBatch) -> int:
        """Return the audio samples that a batch's mels stand for."""
        return int(batch.frame_lengths.sum()) * self.config.audio.hop_length


def share_of_batch(batch: SpeechBatch, rank: int, n_ranks: int) -> SpeechBatch:
    """Return one process's share of a batch."""
    return SpeechBatch(*(field[rank::n_ranks] for field in batch))


def prosody_statistics(
    clips: Sequence[SpeechClip], config: Tacotron2Config
) -> dict[int, ProsodyStatistics]:
    """Return the mean and spread of each speaker's prosody, by the speaker's number."""
    of_speaker: dict[int, list[np.ndarray]] = {clip.speaker: [] for clip in clips}
    for clip in clips:
        start, alignment = alignment_in_clip(clip.tokens, clip.times, len(clip.mel), config)
        spoken = slice(start, start + len(alignment) * config.reduction)
        values = symbol_prosody(clip.mel[spoken], clip.pitch[spoken], alignment)
        of_speaker[clip.speaker].append(values)
    return {
        speaker: ProsodyStatistics.of(np.concatenate(values))
        for speaker, values in of_speaker.items()
    }


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
