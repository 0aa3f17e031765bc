"""Mel levels: predicted mels get the distribution of recorded ones, channel by channel."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.data.speech_batches import spoken_tokens
from pipeline.errors import PipelineError
from pipeline.evaluation.naturalness import active_frames
from pipeline.mel_levels import PERCENTILES, MelLevels, measure_mel_levels
from pipeline.mel_shaping import match_levels
from pipeline.training.voice_levels import MOST_CLIPS, Example, levels_seconds, measure_voice_levels
from pipeline.voice_loading import load_predictor
from pipeline.voices import read_voice, write_voice
from tests.conftest import make_voice
from text import token_ids

M, T = 5, 4_000
RNG = np.random.default_rng(0)
PREDICTED = RNG.normal(-5.0, 1.0, [M, T])
RECORDED = np.minimum(1.5 * RNG.normal(size=[M, T]) - 6.0, -3.0) - np.arange(M)[:, None]
LEVELS = measure_mel_levels([PREDICTED[:, :1_000], PREDICTED[:, 1_000:]], [RECORDED])


def test_matched_mels_have_the_quantiles_of_recorded_ones() -> None:
    matched = LEVELS.match(PREDICTED)
    assert matched.dtype == np.float32
    for q in (1, 5, 25, 50, 77, 99):
        expected = np.percentile(RECORDED, q, axis=1)
        np.testing.assert_allclose(np.percentile(matched, q, axis=1), expected, atol=0.06)


def test_the_order_of_levels_is_kept_and_beyond_the_ends_their_distance() -> None:
    rising = np.tile(np.linspace(-20.0, 5.0, 501), (M, 1))
    matched = LEVELS.match(rising)
    assert (np.diff(matched, axis=1) > 0.0).all()
    for end in (slice(0, 5), slice(-5, None)):
        shift = (matched - rising)[:, end]
        np.testing.assert_allclose(shift, shift[:, :1].repeat(5, axis=1), atol=1e-5)


def test_equal_distributions_change_nothing() -> None:
    same = measure_mel_levels([PREDICTED], [PREDICTED])
    np.testing.assert_allclose(same.match(PREDICTED), PREDICTED, atol=1e-6)


def test_pieces_become_what_the_whole_becomes() -> None:
    mel = torch.from_numpy(PREDICTED[None, :, :100]).float()
    whole = torch.cat(list(match_levels([mel], LEVELS)), dim=-1)
    pieces = torch.cat(list(match_levels(mel.split([1, 30, 69], dim=-1), LEVELS)), dim=-1)
    assert torch.equal(pieces, whole)
    assert not torch.equal(whole, mel)
    assert torch.equal(next(match_levels([mel], None)), mel)


def test_a_channel_that_never_moves_has_rising_quantiles_all_the_same() -> None:
    silence = np.full([M, 50], -11.5)
    levels = measure_mel_levels([silence], [RECORDED])
    assert np.isfinite(levels.match(silence)).all()


@pytest.mark.parametrize(
    ("predicted", "recorded", "message"),
    [
        ([[0.0], [1.0]], [[0.0], [1.0], [2.0]], "expected as many of both"),
        ([[0.0, 0.0], [1.0, 1.0]], [[0.0], [1.0]], "expected as many of both"),
        ([[0.0]], [[0.0]], "at least 2"),
        ([[0.0], [1.0]], [[1.0], [1.0]], "do not rise"),
        ([[0.0], [float("nan")]], [[0.0], [1.0]], "do not rise"),
    ],
)
def test_levels_that_are_none_are_refused(
    predicted: list[list[float]], recorded: list[list[float]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        MelLevels(predicted=predicted, recorded=recorded)


def test_a_voice_keeps_its_levels_in_rows(tiny_voice: Path, tmp_path: Path) -> None:
    voice = read_voice(tiny_voice)
    n_mels = voice.audio.n_mels
    predicted = RNG.normal(size=[n_mels, 500])
    levels = measure_mel_levels([predicted], [2.0 * predicted])
    with_levels = dataclasses.replace(voice, levels=levels, provenance={"by": "[1,  2]\n"})
    write_voice(with_levels, tmp_path)
    assert read_voice(tmp_path) == with_levels
    text = (tmp_path / "voice.json").read_text()
    assert len(text.splitlines()) < 2 * len(PERCENTILES) + 60


def test_levels_of_other_channels_are_refused(tiny_voice: Path, tmp_path: Path) -> None:
    values = json.loads((tiny_voice / "voice.json").read_text())
    values["levels"] = dataclasses.asdict(LEVELS)
    (tmp_path / "voice.json").write_text(json.dumps(values))
    with pytest.raises(PipelineError, match=f"levels are of {M} channels"):
        read_voice(tmp_path)


def test_levels_of_a_voice_are_measured_as_it_speaks(tmp_path: Path) -> None:
    folder = make_voice(tmp_path / "voice")
    voice, tokens = read_voice(folder), spoken_tokens("One two three.", boundary_symbol="")
    recorded = RNG.normal(-5.0, 1.0, [voice.audio.n_mels, 500])
    measure_voice_levels(folder, [Example(tokens, recorded)])
    after = read_voice(folder)
    assert after.levels is not None
    assert dataclasses.replace(after, levels=voice.levels) == voice
    spoken = load_predictor(folder, voice).infer(
        torch.tensor([token_ids(tokens)]), generator=torch.Generator().manual_seed(0)
    )
    mels = (spoken.mel[0].numpy(), recorded)
    assert after.levels == measure_mel_levels(*([active_frames(mel)] for mel in mels))


@pytest.mark.parametrize(("n_clips", "n_spoken"), [(3, 3), (MOST_CLIPS + 1, MOST_CLIPS)])
def test_the_time_that_measuring_takes_is_that_of_one_clip_times_their_number(
    n_clips: int, n_spoken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_voice(tmp_path / "voice")
    voice, tokens = read_voice(folder), spoken_tokens("One two three.", boundary_symbol="")
    model = load_predictor(folder, voice)
    examples = [Example(tokens, np.zeros([voice.audio.n_mels, 9]))] * n_clips
    clock = iter([10.0, 10.5])
    monkeypatch.setattr("pipeline.training.voice_levels.time.monotonic", lambda: next(clock))
    assert levels_seconds(model, 0, examples) == 0.5 * n_spoken
