"""The command that scores a voice, and the recognizer that listens to it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from pipeline.data.corpora import Clip, read_corpus
from pipeline.errors import PipelineError
from pipeline.evaluate import main
from pipeline.evaluation.comparison import compare, mel_of, read_whole_frames, vocoder_system
from pipeline.evaluation.recognition import (
    identify,
    intelligibility,
    recognize,
    words_of_prompt,
)
from pipeline.evaluation.voice_scores import align_columns, compared_systems
from pipeline.torch_engine import TorchEngine
from pipeline.waveglow import WaveGlow, WaveGlowVocoder
from tests.conftest import TINY_WAVEGLOW
from tests.tiny_models import random_waveglow
from tests.tiny_training import AUDIO, voiced

KATHLEEN = Path(__file__).parents[2] / "shared" / "corpora" / "kathleen"
PROMPTS = ["He will follow us soon.", "The issue was not in doubt.", "He will follow her soon."]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "wavs").mkdir()
    for i in range(4):
        soundfile.write(folder / "wavs" / f"c{i}.wav", voiced(0.8, seed=i), AUDIO.sample_rate)
    lines = [f"c{i}|{text}" for i, text in enumerate(["Hi.", "You.", "Oh!", "No?"])]
    (folder / "train.csv").write_text("\n".join(lines[:2]))
    (folder / "val.csv").write_text("\n".join(lines[2:]))
    return folder


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("Gad, your letter came!", "gad your letter came"),
        ('You\'re down -- to "business".', "you're down to business"),
        ("Dr. Lee paid $5.", "doctor lee paid five dollars"),
        ("THE one-legged boy's", "the one legged boy's"),
    ],
)
def test_words_of_a_prompt(prompt: str, words: str) -> None:
    assert words_of_prompt(prompt) == words.split()


@pytest.mark.parametrize(
    ("heard", "index"),
    [("he will follow us soon", 0), ("issue in doubt", 1), ("will follow her noon", 2), ("", 0)],
)
def test_the_nearest_prompt_is_taken(heard: str, index: int) -> None:
    assert identify(heard, PROMPTS) == index


def test_intelligibility_counts_words_and_prompts() -> None:
    heard = ["he will follow her soon", "the issue is not in a doubt", "he will follow her soon"]
    seen = intelligibility(heard, PROMPTS)
    assert seen.word_error_rate == pytest.approx((1 + 2 + 0) / 16)
    assert (seen.n_identified, seen.n_clips) == (2, 3)


def test_the_same_prompt_twice_is_no_confusion() -> None:
    assert intelligibility(["not in doubt"] * 2, [PROMPTS[1]] * 2).n_identified == 2


def test_the_recognizer_remembers_nothing() -> None:
    audio = voiced(1.0)
    first = recognize(audio, AUDIO.sample_rate)
    recognize(0.01 * voiced(2.0, seed=5), AUDIO.sample_rate)
    assert recognize(audio, AUDIO.sample_rate) == first


if KATHLEEN.is_dir():

    def test_the_recognizer_understands_recorded_speech() -> None:
        clips = read_corpus(KATHLEEN, seed=0).validation[:6]
        heard = [recognize(read_whole_frames(clip, AUDIO), AUDIO.sample_rate) for clip in clips]
        seen = intelligibility(heard, [clip.text for clip in clips])
        assert seen.n_identified == 6
        assert seen.word_error_rate < 0.3


def test_the_vocoder_that_is_scored_is_the_one_that_speaks() -> None:
    model = random_waveglow(TINY_WAVEGLOW)
    audio = voiced(0.6)[: 40 * AUDIO.hop_length]
    mel = mel_of(audio, AUDIO)
    batch = torch.from_numpy(mel)[None]
    generator = torch.Generator().manual_seed(3)
    vocoder = WaveGlowVocoder(model)
    expected = vocoder.vocode(batch, sigma=0.5, denoise=0.1, generator=generator)
    system = vocoder_system(vocoder, sigma=0.5, denoise=0.1, seed=3)
    np.testing.assert_array_equal(system.vocode(audio, mel), expected[0].clamp(-1, 1).numpy())
    assert system.waveglow is model


def test_a_vocoder_that_matches_mels_is_scored_without_that_too(tiny_voice: Path) -> None:
    engine = TorchEngine.load(tiny_voice, device="cpu")
    assert list(compared_systems(engine, sigma=0.5, denoise=0.0, seed=0)) == [
        "recorded",
        "vocoded",
        "griffin-lim",
    ]
    audio = voiced(0.6)[: 40 * AUDIO.hop_length]
    mel = mel_of(audio, engine.voice.audio)
    plain = vocoder_system(engine.vocoder, sigma=0.5, denoise=0.0).vocode(audio, mel)
    matching = WaveGlow(dataclasses.replace(engine.vocoder.config, matching_rounds=1))
    matching.load_state_dict(engine.vocoder.waveglow.state_dict())
    engine.vocoder = WaveGlowVocoder(matching)
    systems = compared_systems(engine, sigma=0.5, denoise=0.0, seed=0)
    assert systems["flow alone"].waveglow is None  # its likelihood is the vocoder's
    np.testing.assert_array_equal(systems["flow alone"].vocode(audio, mel), plain)
    assert not np.allclose(systems["vocoded"].vocode(audio, mel), plain, atol=1e-3)


def test_a_recording_too_short_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "blip.wav", np.zeros(700), AUDIO.sample_rate)
    clip = Clip(name="blip", path=tmp_path / "blip.wav", text="")
    with pytest.raises(PipelineError, match=r"blip\.wav has 700 samples; expected 1024 or more"):
        compare([clip], {}, AUDIO, n_group=8)


def test_columns_are_aligned() -> None:
    assert align_columns([["", "one"], ["score", "2"]]) == "       one\nscore    2"


def test_the_command_prints_a_table_and_writes_the_same_as_json(
    tiny_voice: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scores.json"
    few = ["--max-clips", "1", "--sentences", "3"]
    assert main([str(tiny_voice), str(corpus), "--json", str(out), *few]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["1", "clips", "recorded", "vocoded", "griffin-lim", "synthesized"]
    scores = json.loads(out.read_text())
    assert scores["clips"] == ["c2"]
    assert scores["settings"] == {"sigma": 0.6, "denoise": 0.05, "seed": 0}
    vocoded = scores["systems"]["vocoded"]
    distance = vocoded["averages"]["mel_distance"]["mean"]
    assert f"{distance:.3f}" in next(line for line in lines if line.startswith("mel distance (n"))
    assert distance == pytest.approx(np.mean([c["mel_distance"] for c in vocoded["by_clip"]]))
    assert scores["systems"]["recorded"]["averages"]["mel_distance"]["mean"] == 0
    assert scores["recognition"]["synthesized"]["n_clips"] == 1
    assert f"factor of synthesis: {scores['real_time_factor']:.3f}" in lines[-2]
    assert sum(scores["steadiness"]["endings"].values()) == 3
    assert f"of 3 sentences of 1 to 60 words {scores['steadiness']['n_steady']} " in lines[-1]
    assert main([str(tiny_voice), str(corpus), "--json", str(out)]) == 1
    assert "--force overwrites it" in capsys.readouterr().err


def test_without_english_transcripts_nobody_listens(
    tiny_voice: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tiny_voice), str(corpus), "--language", "other", "--max-clips", "1"]) == 0
    table = capsys.readouterr().out
    assert "synthesized" not in table
    assert "word error rate" not in table


def test_the_command_names_what_is_wrong(
    tiny_voice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tiny_voice), str(tmp_path / "nowhere")]) == 1
    assert "is not a folder" in capsys.readouterr().err
    assert main([str(tiny_voice), str(tmp_path), "--max-clips", "0"]) == 1
    assert "--max-clips is 0; expected 1 or more" in capsys.readouterr().err
