"""Recordings, models and runs so small that a training of them takes a second."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from scipy.signal import lfilter

from pipeline.audio import to_pcm
from pipeline.data.alignment import Interval, PhoneTimes
from pipeline.data.features import Features
from pipeline.data.prosody import frame_pitch
from pipeline.data.speech_batches import SpeechClip
from pipeline.mel import AudioConfig, log_mel
from pipeline.tacotron2 import Tacotron2
from pipeline.training.engine import Schedule, Trainer
from pipeline.training.flow_postnet_task import FlowPostnetTask
from pipeline.training.processes import make_fabric
from pipeline.training.run_folder import RunFolder
from pipeline.training.tacotron2_task import Tacotron2Recipe, Tacotron2Task
from pipeline.training.waveglow_task import WaveGlowRecipe, WaveGlowTask
from pipeline.waveglow import WaveGlow
from tests.conftest import TINY_TACOTRON2, TINY_WAVEGLOW
from text import normalize, pronounce

AUDIO = AudioConfig()
SENTENCES = ("Hello there.", "A second sentence.", "Three, or more?", "The last of them all!")


def voiced(seconds: float, *, seed: int = 0) -> np.ndarray:
    """Return audio [S] like a vowel: harmonics of a gliding pitch, louder and softer, and noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * AUDIO.sample_rate)) / AUDIO.sample_rate
    phase = 2 * np.pi * (rng.uniform(100, 200) * t + 10 * np.sin(2 * t))
    harmonics = sum(np.sin(k * phase + rng.uniform(0, 6)) / k for k in range(1, 30))
    envelope = 0.1 * (1.05 + np.sin(2 * np.pi * 3 * t))
    return np.asarray(envelope * harmonics + rng.normal(0, 0.003, len(t)), dtype=np.float32)


def said_ah(spans: Sequence[tuple[float, float]], seconds: float, *, seed: int = 0) -> np.ndarray:
    """Return faint noise [S] with the vowel of "ah" at these times: a recognizer hears AA."""
    rate, formants = AUDIO.sample_rate, [(730, 90), (1_090, 110), (2_440, 170), (3_400, 250)]
    pulses = np.zeros(int(seconds * rate))
    for start, end in spans:
        pulses[int(start * rate) : int(end * rate) : rate // 120] = 1.0
    vowel = lfilter([1], [1, -0.97], pulses)
    for hz, bandwidth in formants:
        radius = np.exp(-np.pi * bandwidth / rate)
        poles = [1, -2 * radius * np.cos(2 * np.pi * hz / rate), radius**2]
        vowel = lfilter([1 - radius], poles, vowel)
    noise = np.random.default_rng(seed).normal(0, 0.001, len(vowel))
    return np.asarray(0.3 * vowel / np.abs(vowel).max() + noise, dtype=np.float32)


def tiny_features(n_clips: int = 4, *, seconds: float = 1.0, seed: int = 0) -> Features:
    """Return clips of slightly different lengths."""
    pcm, mels, lengths = [], [], [0]
    for clip in range(n_clips):
        n_frames = int((seconds + 0.1 * clip) * AUDIO.sample_rate) // AUDIO.hop_length
        audio = voiced(seconds + 0.1 * clip + 0.1, seed=100 * seed + clip)
        audio = audio[: n_frames * AUDIO.hop_length]
        pcm.append(to_pcm(audio))
        mels.append(log_mel(torch.from_numpy(audio)[None])[0, :, :n_frames].T.numpy())
        lengths.append(n_frames)
    offsets = np.cumsum(lengths, dtype=np.int64)
    return Features(np.concatenate(pcm), np.concatenate(mels), offsets, AUDIO)


def tiny_waveglow(seed: int = 0) -> WaveGlow:
    torch.manual_seed(seed)
    return WaveGlow(TINY_WAVEGLOW)


def tiny_tacotron2(seed: int = 0) -> Tacotron2:
    torch.manual_seed(seed)
    return Tacotron2(TINY_TACOTRON2)


def waveglow_task(
    *, seed: int = 0, batch_size: int = 4, validation_excerpts: int = 8
) -> WaveGlowTask:
    recipe = WaveGlowRecipe(
        batch_size=batch_size,
        excerpt_frames=8,
        likelihood_steps=6,
        seed=seed,
        validation_excerpts=validation_excerpts,
    )
    return WaveGlowTask(tiny_waveglow(seed), tiny_features(), tiny_features(2, seed=1), recipe)


def speech_clips(n_clips: int = 4, *, n_speakers: int = 1) -> list[SpeechClip]:
    """Return clips whose phones share the time evenly, 0.1 s at both ends aside."""
    features = tiny_features(n_clips)
    clips = []
    for i, text in enumerate(SENTENCES[:n_clips]):
        tokens = pronounce(normalize(text))
        words = [token.phones for token in tokens if token.phones]
        edges = iter(pairwise(np.linspace(0.1, 0.9 + 0.1 * i, sum(map(len, words)) + 1).tolist()))
        times: PhoneTimes = [[Interval(*next(edges)) for _ in word] for word in words]
        mel = features.mel(i)
        pitch = frame_pitch(mel, AUDIO)
        clips.append(
            SpeechClip(mel=mel, pitch=pitch, tokens=tokens, times=times, speaker=i % n_speakers)
        )
    return clips


def tacotron2_task(*, seed: int = 0) -> Tacotron2Task:
    recipe = Tacotron2Recipe(batch_size=2, seed=seed)
    return Tacotron2Task(tiny_tacotron2(seed), speech_clips(), speech_clips(2), recipe)


def make_trainer(
    folder: Path,
    task: WaveGlowTask | Tacotron2Task | FlowPostnetTask | None = None,
    *,
    resume: bool = False,
    precision: str = "32-true",
    **schedule: float,
) -> Trainer:
    """Return a trainer of a task, by default of a WaveGlow, that validates and saves often."""
    torch.set_num_threads(1)
    task = task or waveglow_task()
    run = RunFolder(folder, task.name)
    run.claim(resume=resume)
    often = {"learning_rate": 1e-3, "max_steps": 12, "validate_every": 4, "save_every": 1}
    fabric = make_fabric(accelerator="cpu", devices=1, nodes=1, precision=precision)
    trainer = Trainer(task, Schedule(**{**often, **schedule}), run, fabric)
    if resume:
        trainer.resume()
    return trainer


def train_tiny(folder: Path, max_steps: int) -> None:
    """Train, or go on where there is a checkpoint: what a killed process runs again."""
    resume = (folder / "checkpoint.pt").exists()
    make_trainer(folder, resume=resume, max_steps=max_steps).fit()


def die_in_the_middle_of_a_save(folder: Path, at_save: int) -> None:
    """Train until half of a checkpoint's bytes are written, then die as SIGKILL makes one die."""
    whole_save, n_saves = torch.save, 0

    def half_save(state: object, path: Path) -> None:
        nonlocal n_saves
        n_saves += 1
        whole_save(state, path)
        if n_saves == at_save:
            os.truncate(path, path.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    torch.save = half_save
    make_trainer(folder, resume=False, max_steps=10**6).fit()
