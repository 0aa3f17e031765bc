"""Where attention belongs: phone times, symbol intervals, alignments, and their batches."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio import to_pcm
from pipeline.data.alignment import Interval, align, load_alignments, make_decoder
from pipeline.data.features import Features
from pipeline.data.speech_batches import (
    SpeechBatches,
    batches_of_epoch,
    spoken_tokens,
    step_alignment,
    symbol_intervals,
)
from pipeline.tacotron2 import TeacherForced
from pipeline.training.tacotron2_task import speech_losses
from tests.conftest import TINY_TACOTRON2
from tests.tiny_training import said_ah, speech_clips, tacotron2_task
from text import Token, normalize, pronounce, token_ids, token_spans
from text.symbols import symbols_to_ids

TOKENS = pronounce(normalize("Hi, you."))  # hi: 2 phones, you: 2 phones
TIMES = [[Interval(0.2, 0.3), Interval(0.3, 0.5)], [Interval(0.9, 1.0), Interval(1.0, 1.4)]]


def counts(spelled: set[int]) -> list[int]:
    return [len(span) for span in token_spans(TOKENS, spelled=spelled)]


def test_each_symbol_has_its_phone_and_marks_share_the_pause() -> None:
    intervals = symbol_intervals(TOKENS, TIMES, counts(set()), 2.0)
    expected = [[0.2, 0.3], [0.3, 0.5], [0.5, 0.7], [0.7, 0.9], [0.9, 1.0], [1.0, 1.4], [1.4, 2.0]]
    np.testing.assert_allclose(intervals, expected)


def test_a_word_in_letters_shares_its_time_evenly() -> None:
    you = next(i for i, token in enumerate(TOKENS) if token.written == "you")
    intervals = symbol_intervals(TOKENS, TIMES, counts({you}), 2.0)
    edges = np.linspace(0.9, 1.4, 4)
    np.testing.assert_allclose(intervals[4:7], np.stack([edges[:-1], edges[1:]], 1))


@given(st.sets(st.integers(0, len(TOKENS) - 1)), st.floats(1.4, 5.0))
def test_intervals_cover_the_clip_without_gaps(spelled: set[int], clip_seconds: float) -> None:
    intervals = symbol_intervals(TOKENS, TIMES, counts(spelled), clip_seconds)
    assert len(intervals) == len(token_ids(TOKENS, spelled=spelled))
    assert (intervals[:, 1] >= intervals[:, 0]).all()
    assert all(before[1] == pytest.approx(after[0]) for before, after in pairwise(intervals))
    assert intervals[-1, 1] == pytest.approx(clip_seconds)


def test_a_step_is_shared_by_the_symbols_spoken_in_it() -> None:
    intervals = np.array([[0.5, 1.0], [1.0, 1.0], [1.0, 1.75], [1.75, 2.0]])
    expected = [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0.5, 0.5], [0, 0, 0, 1]]
    edges = np.arange(0.0, 3.0, 0.5)
    np.testing.assert_allclose(step_alignment(edges, intervals), expected)


@given(st.sets(st.integers(0, len(TOKENS) - 1)), st.floats(0.0, 0.4), st.integers(1, 60))
def test_an_alignment_is_whole_and_moves_forward(
    spelled: set[int], start: float, n_steps: int
) -> None:
    intervals = symbol_intervals(TOKENS, TIMES, counts(spelled), 2.0)
    alignment = step_alignment(start + 0.05 * np.arange(n_steps + 1), intervals)
    np.testing.assert_allclose(alignment.sum(1), 1.0, rtol=1e-5)
    assert (alignment >= 0).all()
    assert (np.diff(alignment @ np.arange(len(intervals))) > -1e-5).all()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(1, 900), min_size=1, max_size=70),
    st.integers(1, 9),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_an_epoch_uses_each_clip_at_most_once(
    lengths: list[int], batch_size: int, seed: int, epoch: int
) -> None:
    batches = batches_of_epoch(lengths, batch_size, seed, epoch)
    size = min(batch_size, len(lengths))
    used = np.concatenate(batches)
    assert {len(batch) for batch in batches} == {size}
    assert len(set(used.tolist())) == len(used) == len(lengths) // size * size
    again = batches_of_epoch(lengths, batch_size, seed, epoch)
    assert all((a == b).all() for a, b in zip(batches, again, strict=True))


def test_clips_of_a_batch_are_of_like_length() -> None:
    lengths = np.random.default_rng(0).integers(100, 900, 1_000).tolist()
    spread = [np.ptp([lengths[i] for i in batch]) for batch in batches_of_epoch(lengths, 16, 0, 0)]
    assert np.mean(spread) < 100  # of 700 for batches drawn blindly


def test_speech_batches_are_a_function_of_seed_and_step() -> None:
    first, second, other = tacotron2_task(), tacotron2_task(), tacotron2_task(seed=1)
    for step in range(7):
        first.batch(step)
    torch.testing.assert_close(first.batch(7), second.batch(7), rtol=0, atol=0)
    assert any(not torch.equal(first.batch(step).mel, other.batch(step).mel) for step in range(8))


def test_an_aligned_clip_loses_its_long_silences_and_keeps_its_alignment_in_step() -> None:
    clip = speech_clips(1)[0]
    tokens = pronounce("hi")
    frame_seconds = 256 / 22_050
    times = [[Interval(0.30, 0.40), Interval(0.40, 0.60)]]
    batches = SpeechBatches(
        [dataclasses.replace(clip, tokens=tokens, times=times)],
        TINY_TACOTRON2,
        batch_size=1,
        seed=0,
    )
    batch = batches.collate([0])
    start, end = int(0.2 / frame_seconds), int(0.8 / frame_seconds)
    n_frames = (end - start) // 4 * 4
    np.testing.assert_array_equal(batch.mel[0].T.numpy(), clip.mel[start : start + n_frames])
    edges = (start + np.arange(n_frames // 4 + 1) * 4) * frame_seconds
    first = np.clip(0.40 - edges[:-1], 0.0, 4 * frame_seconds) / (4 * frame_seconds)
    expected = np.stack([first, 1.0 - first], axis=1)
    np.testing.assert_allclose(batch.alignment[0].numpy(), expected, atol=1e-5)


def test_a_voice_with_a_boundary_symbol_reads_it_at_both_ends() -> None:
    plain = token_ids(spoken_tokens("Hi, you.", boundary_symbol=""))
    edged = token_ids(spoken_tokens("Hi, you.", boundary_symbol="-"))
    assert plain == token_ids(TOKENS)
    assert edged == [*symbols_to_ids("-"), *plain, *symbols_to_ids("-")]


def test_padding_counts_in_no_loss() -> None:
    task = tacotron2_task()
    batch = task.batch(0)
    n_frames = batch.mel.shape[-1]
    torch.manual_seed(0)
    output = TeacherForced(
        torch.randn_like(batch.mel),
        torch.randn_like(batch.mel),
        torch.randn(2, n_frames // 4),
        torch.rand_like(batch.alignment),
        prosody=torch.randn_like(batch.prosody),
    )
    losses = speech_losses(output, batch, 2.0)
    shortest = int(batch.frame_lengths.argmin())
    length = int(batch.frame_lengths[shortest])
    assert length < n_frames
    output.mel[shortest, :, length:] = 1e6
    output.decoded[shortest, :, length:] = 1e6
    output.gate_logits[shortest, length // 4 :] = 1e6
    output.alignment[shortest, length // 4 :] = 1e6
    fewest = int(batch.symbol_lengths.argmin())
    assert batch.symbol_lengths[fewest] < batch.symbol_ids.shape[1]
    assert output.prosody is not None
    output.prosody[fewest, int(batch.symbol_lengths[fewest]) :] = 1e6
    torch.testing.assert_close(speech_losses(output, batch, 2.0), losses)


AH_AH = pronounce("{AA1}, {AA1}")


def test_forced_alignment_finds_the_vowels() -> None:
    times = align(make_decoder([AH_AH]), AH_AH, said_ah([(0.5, 1.0), (1.5, 1.9)], 2.4), 22_050)
    np.testing.assert_allclose(times, [[[0.5, 1.0]], [[1.5, 1.9]]], atol=0.06)


def test_forced_alignment_says_so_where_nothing_fits() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 22_050).astype(np.float32)
    assert align(make_decoder([AH_AH]), AH_AH, noise, 22_050) is None


def test_alignments_are_kept_and_words_without_phones_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pcm = to_pcm(said_ah([(0.5, 1.0), (1.5, 1.9)], 2.4))
    n_frames = len(pcm) // 256
    pcm = np.tile(pcm[: n_frames * 256], 2)
    mels, offsets = np.zeros((2 * n_frames, 80), np.float32), np.arange(3) * n_frames
    features = Features(pcm, mels, offsets, TINY_TACOTRON2.audio)
    token_lists = [AH_AH, [*AH_AH, Token("\u2c61", (), "", "letters")]]
    first = load_alignments(token_lists, features, tmp_path)
    assert [times is None for times in first] == [False, True]
    monkeypatch.setattr("pipeline.data.alignment.make_decoder", None)
    assert load_alignments(token_lists, features, tmp_path) == first
