"""Corpora are read whole or refused with a word; features are computed once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from pipeline.data import features as features_module
from pipeline.data.corpora import Clip, read_corpus
from pipeline.data.features import load_features
from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig, log_mel
from tests.tiny_training import AUDIO, voiced


def write_corpus(folder: Path, n_clips: int = 30, *, metadata: str = "metadata.csv") -> Path:
    (folder / "wavs").mkdir(parents=True)
    for i in range(n_clips):
        audio = voiced(0.5 + 0.01 * i, seed=i)
        soundfile.write(folder / "wavs" / f"clip{i}.flac", audio, AUDIO.sample_rate)
    lines = [f"clip{i}|Raw {i}.|Sentence number {i}." for i in range(n_clips)]
    (folder / metadata).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_the_split_is_fixed_by_the_seed_and_shares_no_clip(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path)
    corpus = read_corpus(folder, seed=3)
    assert read_corpus(folder, seed=3) == corpus
    assert read_corpus(folder, seed=4) != corpus
    names = {clip.name for clip in corpus.train} | {clip.name for clip in corpus.validation}
    assert (len(corpus.train), len(corpus.validation), len(names)) == (29, 1, 30)
    assert corpus.validation[0].text.startswith("Sentence number ")


def test_lists_of_a_split_are_taken_as_they_are(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path, 3)
    (folder / "train.csv").write_text("clip2|Two.\nclip0|None.\n")
    (folder / "val.csv").write_text("clip1|One.\n")
    corpus = read_corpus(folder, seed=0)
    assert [clip.name for clip in corpus.train] == ["clip2", "clip0"]
    assert [(clip.name, clip.text) for clip in corpus.validation] == [("clip1", "One.")]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (b"clip0|Hello.\nghost|Boo.\n", r"1 ids have no recording in .*wavs, first 'ghost'"),
        (b"clip0|Hello.\nclip0|Hi.\n", r"metadata\.csv:2: 'clip0' is there twice"),
        (b"clip0|Hello.\n|Hi.\n", r"metadata\.csv:2: '\|Hi\.' has no id"),
        (b"clip0|Hello.\n", "1 clips; expected at least 2"),
        (b"", r"metadata\.csv is empty"),
        (b"clip0|Caf\xe9.\n", "Cannot read .*UTF-8"),
    ],
)
def test_a_bad_list_is_named(tmp_path: Path, lines: bytes, words: str) -> None:
    folder = write_corpus(tmp_path, 2)
    (folder / "metadata.csv").write_bytes(lines)
    with pytest.raises(PipelineError, match=words):
        read_corpus(folder, seed=0)


def test_a_missing_folder_or_wavs_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="not a folder; expected one with recordings"):
        read_corpus(tmp_path / "nowhere", seed=0)
    with pytest.raises(PipelineError, match=r"holds no recordings; expected .* \.wav"):
        read_corpus(tmp_path, seed=0)
    (tmp_path / "metadata.csv").write_text("a|b\n")
    with pytest.raises(PipelineError, match="wavs is not a folder"):
        read_corpus(tmp_path, seed=0)


def test_a_plain_folder_is_a_corpus_without_texts(tmp_path: Path) -> None:
    (tmp_path / "one" / "deep").mkdir(parents=True)
    for name in ("a.wav", "one/b.FLAC", "one/deep/c.ogg"):
        soundfile.write(tmp_path / name, voiced(0.5), AUDIO.sample_rate)
    (tmp_path / "notes.txt").write_text("not a recording")
    corpus = read_corpus(tmp_path, seed=0)
    clips = sorted(corpus.train + corpus.validation, key=lambda clip: clip.name)
    assert [(clip.name, clip.text) for clip in clips] == [
        ("a", ""),
        ("one/b", ""),
        ("one/deep/c", ""),
    ]


def clips_of(folder: Path, n_clips: int) -> list[Clip]:
    names = [f"clip{i}" for i in range(n_clips)]
    return [Clip(name=name, path=folder / "wavs" / f"{name}.flac", text="") for name in names]


def test_features_are_those_of_each_recording(tmp_path: Path) -> None:
    clips = clips_of(write_corpus(tmp_path, 3), 3)
    features = load_features(clips, tmp_path / "cache", AUDIO)
    for i, clip in enumerate(clips):
        recorded, _ = soundfile.read(clip.path, dtype="float32")
        n_frames = len(recorded) // AUDIO.hop_length
        assert features.n_frames(i) == n_frames
        kept = recorded[: n_frames * AUDIO.hop_length]
        np.testing.assert_array_equal(features.audio(i), kept)
        mel = log_mel(torch.from_numpy(kept)[None], AUDIO)[0, :, :n_frames]
        np.testing.assert_array_equal(features.mel(i), mel.T.numpy())


def test_features_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = clips_of(write_corpus(tmp_path, 2), 2)
    first = load_features(clips, tmp_path / "cache", AUDIO)
    monkeypatch.setattr(features_module, "read_audio", None)
    again = load_features(clips, tmp_path / "cache", AUDIO)
    np.testing.assert_array_equal(first.mels, again.mels)


def test_features_are_computed_anew_when_a_recording_or_a_setting_changes(tmp_path: Path) -> None:
    clips = clips_of(write_corpus(tmp_path, 2), 2)
    load_features(clips, tmp_path / "cache", AUDIO)
    soundfile.write(clips[0].path, voiced(0.8, seed=9), AUDIO.sample_rate)
    changed = load_features(clips, tmp_path / "cache", AUDIO)
    assert changed.n_frames(0) == int(0.8 * AUDIO.sample_rate) // AUDIO.hop_length
    louder = load_features(clips, tmp_path / "cache", AudioConfig(magnitude_floor=1e-2))
    assert louder.mels.min() == pytest.approx(np.log(1e-2))


def test_a_cache_made_by_another_process_meanwhile_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips, cache_dir = clips_of(write_corpus(tmp_path, 2), 2), tmp_path / "cache"
    made_meanwhile: list[np.ndarray] = []

    def slow_log_mel(*args: Any) -> torch.Tensor:
        monkeypatch.setattr(features_module, "log_mel", log_mel)
        made_meanwhile.append(load_features(clips, cache_dir, AUDIO).mels)
        return log_mel(*args) + 1.0  # so that it shows whose mels were taken

    monkeypatch.setattr(features_module, "log_mel", slow_log_mel)
    features = load_features(clips, cache_dir, AUDIO)
    assert len(list(cache_dir.iterdir())) == 1
    np.testing.assert_array_equal(features.mels, made_meanwhile[0])


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(300), r"bad\.wav has 300 samples; expected more"),
        (np.array([0.0, np.nan] * 5_000), r"bad\.wav holds samples that are not finite"),
    ],
)
def test_a_recording_that_makes_no_mel_is_named(
    tmp_path: Path, samples: np.ndarray, reason: str
) -> None:
    clips = clips_of(write_corpus(tmp_path, 2), 2)
    bad = Clip(name="bad", path=tmp_path / "bad.wav", text="")
    soundfile.write(bad.path, samples, AUDIO.sample_rate, subtype="FLOAT")
    with pytest.raises(PipelineError, match=reason):
        load_features([*clips, bad], tmp_path / "cache", AUDIO)
