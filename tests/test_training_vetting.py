"""Recordings as people have them: cut, measured, judged, levelled, split."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from pipeline.audio import read_audio, read_mono
from pipeline.data.corpora import read_corpus
from pipeline.data.cutting import cut_points, frame_levels
from pipeline.data.preparation import (
    Vetted,
    prepare,
    speech_level,
)
from pipeline.data.transcripts import find_sources
from pipeline.data.vetting import measure, rejection_reason
from pipeline.data.vetting_report import read_vetting, vetting_table, write_vetting
from pipeline.errors import PipelineError
from pipeline.evaluation.comparison import mel_of
from tests.tiny_training import AUDIO, voiced

RATE = AUDIO.sample_rate


def test_frame_levels_are_root_mean_squares_in_db() -> None:
    levels = frame_levels(np.concatenate([np.full(441, 0.1), np.zeros(441), np.zeros(100)]), RATE)
    np.testing.assert_allclose(levels, [-20, -100])


def phrases(seconds: list[float], pause: float = 0.5) -> np.ndarray:
    quiet = np.random.default_rng(0).normal(0, 1e-4, int(pause * RATE)).astype(np.float32)
    parts = [part for i, s in enumerate(seconds) for part in (voiced(s, seed=i), quiet)]
    return np.concatenate(parts)


def test_a_long_recording_is_cut_in_its_pauses() -> None:
    lengths = [5.0, 4.0, 6.0, 3.5, 5.5]
    audio = phrases(lengths)
    edges = cut_points(audio, RATE)
    assert edges[0] == 0
    assert edges[-1] == len(audio)
    assert all(0 < b - a <= 12 * RATE for a, b in pairwise(edges))
    ends = np.cumsum(np.array(lengths) + 0.5)
    for edge in edges[1:-1]:
        nearest = np.abs(ends - 0.25 - edge / RATE).min()
        assert nearest < 0.2  # within the half second of pause


def test_a_recording_without_pauses_is_cut_all_the_same() -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, 40 * RATE)
    assert all(3 * RATE <= b - a <= 12 * RATE for a, b in pairwise(cut_points(audio, RATE)[:-1]))
    assert cut_points(audio[: 12 * RATE], RATE) == [0, 12 * RATE]
    assert cut_points(audio[:0], RATE) == [0, 0]


def test_measurements_have_the_values_the_signal_was_made_with() -> None:
    t = np.arange(2 * RATE) / RATE
    tone = 0.1 * np.sqrt(2) * np.sin(2 * np.pi * 440 * t)
    noise = np.random.default_rng(0).normal(0, 0.001, 3 * RATE)
    audio = noise + 0.01
    audio[: len(tone)] += tone
    seen = measure(audio.astype(np.float32), RATE)
    assert seen.seconds == 3.0
    assert seen.level_db == pytest.approx(-20, abs=0.1)
    assert seen.noise_db == pytest.approx(-60, abs=0.7)
    assert seen.silence == pytest.approx(1 / 3, abs=0.01)
    assert seen.dc == pytest.approx(0.01, abs=1e-4)
    assert seen.peak_db == pytest.approx(20 * math.log10(0.1 * np.sqrt(2) + 0.01), abs=0.3)
    assert seen.clipped == 0


@pytest.mark.parametrize("low", [8_000, 11_025, 12_000])
def test_an_upsampled_recording_is_seen(low: int) -> None:
    audio = voiced(3.0) + np.random.default_rng(0).normal(0, 0.01, 3 * RATE).astype(np.float32)
    narrow = soxr.resample(soxr.resample(audio, RATE, low), low, RATE)
    narrow = np.round(narrow * 32_768) / 32_768
    assert measure(narrow, RATE).bandwidth_hz == pytest.approx(low / 2, rel=0.05)
    assert "recorded or sent at a lower rate" in str(rejection_reason(measure(narrow, RATE)))
    assert measure(audio, RATE).bandwidth_hz > 10_000


def test_clipping_is_seen_even_after_the_volume_was_turned_down() -> None:
    clipped = 0.3 * np.clip(voiced(2.0) * 12, -1, 1)
    assert measure(clipped, RATE).clipped > 0.01
    assert "are clipped" in str(rejection_reason(measure(clipped, RATE)))


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (voiced(0.5), "0.50 s long, 1 s needed"),
        (np.zeros(2 * RATE), "silent: speech at -100 dB"),
        (1e-4 * voiced(2.0), "silent: speech at -"),
        (np.pad(voiced(1.0), (0, 9 * RATE)), "90% of it is silence"),
        (np.random.default_rng(0).normal(0, 0.1, 2 * RATE), "noisy: speech 0 dB above"),
    ],
)
def test_a_bad_clip_has_a_reason(audio: np.ndarray, reason: str) -> None:
    assert reason in str(rejection_reason(measure(audio.astype(np.float32), RATE)))


def test_a_good_clip_has_none() -> None:
    assert rejection_reason(measure(voiced(2.0), RATE)) is None


def test_channels_are_averaged_and_any_rate_is_read(tmp_path: Path) -> None:
    left, right = voiced(1.0, seed=1), voiced(1.0, seed=2)
    soundfile.write(tmp_path / "two.aiff", np.stack([left, right], 1), 48_000, subtype="FLOAT")
    samples, rate = read_mono(tmp_path / "two.aiff")
    assert rate == 48_000
    np.testing.assert_allclose(samples, (left + right) / 2, atol=1e-7)


def test_the_level_of_speech_follows_a_gain_and_not_its_pauses() -> None:
    audio = voiced(2.0)
    level = speech_level([mel_of(audio, AUDIO)])
    assert speech_level([mel_of(0.5 * audio, AUDIO)]) == pytest.approx(level - 6.02, abs=0.05)
    paused = np.concatenate([audio, np.zeros(2 * RATE, np.float32)])
    assert speech_level([mel_of(paused, AUDIO)]) == pytest.approx(level, abs=0.1)


@pytest.fixture(scope="module")
def mixed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve good recordings, one of them long, and every kind of bad one."""
    folder = tmp_path_factory.mktemp("mixed")
    (folder / "deep" / "er").mkdir(parents=True)
    for i in range(10):
        loudness = np.float32(0.2 + 0.1 * i)
        soundfile.write(folder / f"good{i}.wav", loudness * voiced(4.0, seed=i), RATE)
    stereo = np.stack([voiced(4.0, seed=50)] * 2, axis=1)
    soundfile.write(folder / "deep" / "stereo.flac", stereo, 44_100)
    soundfile.write(folder / "deep" / "er" / "long.ogg", phrases([5.0] * 5), RATE)
    soundfile.write(
        folder / "copy.flac", soundfile.read(folder / "good0.wav", dtype="int16")[0], RATE
    )
    soundfile.write(folder / "silent.wav", np.zeros(3 * RATE), RATE)
    holes = voiced(2.0, seed=60)
    holes[100] = np.nan
    soundfile.write(folder / "holes.wav", holes, RATE, subtype="FLOAT")
    (folder / "corrupt.flac").write_bytes(b"fLaC" + bytes(500))
    (folder / "empty.wav").write_bytes(b"")
    (folder / "notes.txt").write_text("not audio")
    return folder


def prepared(folder: Path, out: Path, **options: object) -> list[Vetted]:
    found: list[Vetted] = []
    defaults = {"level_db": 10.0, "needs_text": False, "seed": 0}
    prepare(folder, out, audio=AUDIO, report=found.extend, **{**defaults, **options})
    return found


def test_good_clips_are_used_and_bad_ones_named(mixed_folder: Path, tmp_path: Path) -> None:
    found = prepared(mixed_folder, tmp_path / "corpus")
    left_out = {clip.name: clip.left_out for clip in found if clip.left_out}
    assert left_out.keys() == {"good0", "silent", "holes", "corrupt", "empty"}
    assert left_out["good0"] == "the same recording as copy"
    assert "silent" in left_out["silent"]
    assert left_out["holes"] == "holds samples that are not finite"
    assert left_out["corrupt"].startswith("cannot be read")
    assert "/" not in left_out["corrupt"]  # the page shows it to visitors
    assert left_out["empty"].startswith("cannot be read")
    used = {clip.name for clip in found if not clip.left_out}
    corpus = read_corpus(tmp_path / "corpus", seed=9)
    assert {clip.name for clip in corpus.train + corpus.validation} == used
    assert {name.rpartition("-")[0] for name in used if "-" in name} == {"deep_er_long"}
    assert "deep_stereo" in used


def test_clips_come_to_the_level_of_the_voice(mixed_folder: Path, tmp_path: Path) -> None:
    found = prepared(mixed_folder, tmp_path / "corpus", level_db=-5.0)
    for clip in found:
        if clip.left_out:
            continue
        audio = read_audio(tmp_path / "corpus" / "wavs" / f"{clip.name}.flac", RATE)
        assert np.abs(audio).max() < 0.96
        assert abs(audio.mean()) < 1e-3
        if "-" not in clip.name:
            assert speech_level([mel_of(audio, AUDIO)]) == pytest.approx(-5.0, abs=0.3)
    gains = [clip.gain_db for clip in found if clip.name in ("good1", "good3")]
    assert gains[0] - gains[1] == pytest.approx(20 * math.log10(0.5 / 0.3), abs=1.0)


def test_the_gain_stops_before_it_clips(mixed_folder: Path, tmp_path: Path) -> None:
    prepared(mixed_folder, tmp_path / "corpus", level_db=90.0)
    audio = read_audio(tmp_path / "corpus" / "wavs" / "good5.flac", RATE)
    assert np.abs(audio).max() == pytest.approx(0.95, abs=0.001)


def test_the_split_is_fixed_by_the_seed(mixed_folder: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        prepared(mixed_folder, tmp_path / name, seed=seed)
    a, b, c = ((tmp_path / name / "val.csv").read_text() for name in "abc")
    assert a == b != c
    corpus = read_corpus(tmp_path / "a", seed=0)
    names = [clip.name for clip in corpus.train + corpus.validation]
    assert len(names) == len(set(names))
    assert 1 <= len(corpus.validation) <= len(names) // 5


def test_transcripts_go_with_their_clips(mixed_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "listed"
    folder.mkdir()
    for path in mixed_folder.glob("good*.wav"):
        (folder / path.name).symlink_to(path)
    for i in range(10, 16):
        soundfile.write(folder / f"good{i}.wav", voiced(5.0, seed=i), RATE)
    soundfile.write(folder / "long.wav", phrases([5.0] * 5), RATE)
    texts = [f"good{i}|Text {i}." for i in range(15)]
    (folder / "metadata.csv").write_text("\n".join([*texts, "ghost|Nobody.", "long|Very long."]))
    found = {clip.name: clip for clip in prepared(folder, tmp_path / "out", needs_text=True)}
    assert found["good7"].text == "Text 7."
    assert found["ghost"].left_out == "a list names it, but there is no such recording"
    assert found["good15"].left_out == "nothing says what is spoken in it"
    assert found["long"].text == "Very long."  # cut to where its text is found
    assert found["long"].measured.seconds < 20.0
    assert all(clip.text for clip in read_corpus(tmp_path / "out", seed=0).train)


def test_what_the_folder_holds_out_is_not_trained_on(mixed_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "split"
    (folder / "wavs").mkdir(parents=True)
    for i in range(18):
        soundfile.write(folder / "wavs" / f"c{i}.wav", voiced(4.0, seed=i), RATE)
    (folder / "train.csv").write_text("".join(f"c{i}|T.\n" for i in range(16)))
    (folder / "val.csv").write_text("c16|T.\nc17|T.\n")
    assert sum(source.is_held_out for source in find_sources(folder)) == 2
    prepared(folder, tmp_path / "out")
    validation = read_corpus(tmp_path / "out", seed=0).validation
    assert [clip.name for clip in validation] == ["c16", "c17"]


def test_too_little_speech_is_refused_with_what_is_needed(tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    for i in range(4):
        soundfile.write(tmp_path / "few" / f"{i}.wav", voiced(3.0, seed=i), RATE)
    soundfile.write(tmp_path / "few" / "hush.wav", np.zeros(RATE * 2), RATE)
    with pytest.raises(PipelineError, match=r"12 s of good speech in 4 clips; at least 60 s") as e:
        prepared(tmp_path / "few", tmp_path / "out")
    assert "left out hush: silent" in str(e.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few"]


def test_a_folder_without_audio_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(PipelineError, match="holds no recordings"):
        prepared(tmp_path, tmp_path / "out")


def test_the_report_has_a_line_a_clip_and_reads_back(mixed_folder: Path, tmp_path: Path) -> None:
    found = prepared(mixed_folder, tmp_path / "corpus")
    lines = vetting_table(found).splitlines()
    assert len(lines) == 1 + len(found) + 5 + 1
    assert lines[0].split()[:4] == ["clip", "s", "Hz", "level"]
    assert any(line.startswith("corrupt is left out: cannot be read") for line in lines)
    assert f"{len(found) - 5} of {len(found)} clips are used, 1.2 minutes" in lines[-1]
    write_vetting(found, tmp_path / "vetting.json")
    assert read_vetting(tmp_path / "vetting.json") == found
    json.loads((tmp_path / "vetting.json").read_text(), parse_constant=pytest.fail)
