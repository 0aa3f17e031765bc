"""The voice in git: whole, small enough, and understood by a recognizer that never heard of us."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline import Speech, Synthesizer
from pipeline.checkpoints import file_sha256
from pipeline.evaluation.comparison import group_size, mel_of, vocoder_system
from pipeline.evaluation.metrics import score
from pipeline.evaluation.recognition import intelligibility, recognize
from pipeline.voice_folders import find_voice
from pipeline.voices import read_voice

ROOT = Path(__file__).parents[1]
PROMPTS = (ROOT / "tests" / "prompts.txt").read_text(encoding="utf-8").splitlines()
MIN_IDENTIFIED = 45  # of 50; its card says 50
RECORDINGS = sorted((ROOT / "docs" / "samples").glob("[0-9]-recorded.flac"))  # of this speaker


@pytest.fixture(scope="module")
def tts() -> Synthesizer:
    return Synthesizer.load("kathleen", device="cpu")


@pytest.fixture(scope="module")
def speeches(tts: Synthesizer) -> list[Speech]:
    """The prompts, spoken."""
    return [tts.speak(prompt) for prompt in PROMPTS]


def test_its_files_are_whole_and_at_most_40_megabytes() -> None:
    folder = find_voice("kathleen")
    voice = read_voice(folder)
    models = {model.file: model.sha256 for model in (voice.tacotron2, voice.waveglow)}
    assert {name: file_sha256(folder / name) for name in models} == models
    assert sum((folder / name).stat().st_size for name in models) <= 40e6
    assert (folder / "README.md").is_file()


def test_the_readme_command_speaks(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    command = [sys.executable, "-m", "pipeline.speak", "Hello, this is a test.", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{path}: ")
    assert 0.8 < soundfile.info(path).duration < 6.0


@pytest.mark.voice
def test_a_recognizer_tells_unseen_prompts_apart(speeches: list[Speech]) -> None:
    heard = [recognize(speech.audio, speech.sample_rate) for speech in speeches]
    result = intelligibility(heard, PROMPTS)
    print(f"{result.n_identified} of 50 identified, word error rate {result.word_error_rate:.3f}")
    assert result.n_identified >= MIN_IDENTIFIED


@pytest.mark.voice
def test_nearly_every_prompt_ends_by_itself(speeches: list[Speech]) -> None:
    endings = [speech.sentences[0].ending for speech in speeches]
    assert endings.count("limit") <= 1


@pytest.mark.voice
def test_its_vocoder_comes_near_recordings_it_never_heard(tts: Synthesizer) -> None:
    voice, config = tts.voice, tts.voice.audio
    system = vocoder_system(tts.engine.vocoder, sigma=voice.sigma, denoise=voice.denoise)
    scores = []
    for path in RECORDINGS:
        audio = soundfile.read(path, dtype="float32")[0]
        audio = audio[: len(audio) // config.hop_length * config.hop_length]
        produced = system.vocode(audio, mel_of(audio, config))
        scores.append(score(audio, produced, config, n_group=group_size(tts.engine.vocoder)))
    print(scores)
    assert len(scores) == 3
    assert np.mean([each.mel_distance for each in scores]) <= 0.2  # its card says 0.11
    assert np.mean([each.tonal_db for each in scores]) <= 3.0
    assert np.mean([each.pesq for each in scores]) >= 3.3
