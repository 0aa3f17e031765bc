"""Several ways to make audio from the same mels, scored on the same clips."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from tqdm import tqdm

from pipeline.audio import read_audio
from pipeline.data.corpora import Clip
from pipeline.errors import PipelineError
from pipeline.evaluation.metrics import score
from pipeline.mel import AudioConfig, log_mel
from pipeline.vocoder import Vocoder
from pipeline.waveglow import WaveGlow, WaveGlowVocoder


@dataclass(frozen=True, kw_only=True)
class System:
    """One way to make audio."""

    vocode: Callable[[np.ndarray, np.ndarray], np.ndarray]  # of [S] recorded and [M, T] log mel
    waveglow: WaveGlow | None = None  # whose likelihood of the recording is scored too


ClipScores = dict[str, float]
"""The scores of one clip by name; nan where there is none."""


@dataclass(frozen=True, kw_only=True)
class Average:
    """The mean of a score over clips, and how far the mean itself may be off."""

    mean: float
    standard_error: float
    n_clips: int


def average(values: Sequence[float]) -> Average:
    """Return the mean over the clips that have the score."""
    known = np.array([value for value in values if not math.isnan(value)])
    if not len(known):
        return Average(mean=math.nan, standard_error=math.nan, n_clips=0)
    error = known.std(ddof=1) / math.sqrt(len(known)) if len(known) > 1 else math.nan
    return Average(mean=float(known.mean()), standard_error=float(error), n_clips=len(known))


def averages(scores: Sequence[ClipScores]) -> dict[str, Average]:
    """Return the average of each score."""
    names = dict.fromkeys(name for clip in scores for name in clip)
    return {name: average([clip.get(name, math.nan) for clip in scores]) for name in names}


def read_whole_frames(clip: Clip, config: AudioConfig) -> np.ndarray:
    """Return a clip's audio, cut to whole hops."""
    audio = read_audio(clip.path, config.sample_rate)
    if len(audio) < config.n_fft:
        raise PipelineError(
            f"{clip.path} has {len(audio)} samples; expected {config.n_fft} or more"
        )
    return audio[: len(audio) // config.hop_length * config.hop_length]


def mel_of(audio: np.ndarray, config: AudioConfig) -> np.ndarray:
    """Return the log mel [M, T] of audio [hop_length * T]."""
    return log_mel(torch.from_numpy(audio)[None], config)[0, :, :-1].numpy()


def recorded_system() -> System:
    """Return the recording itself: what no vocoder can do better."""
    return System(vocode=lambda recorded, _: recorded)


def vocoder_system(vocoder: Vocoder, *, sigma: float, denoise: float, seed: int = 0) -> System:
    """Return a vocoder as the synthesizer uses it, with the same noise for each clip."""

    def vocode(_: np.ndarray, mel: np.ndarray) -> np.ndarray:
        batch, generator = torch.from_numpy(mel)[None], torch.Generator().manual_seed(seed)
        audio = vocoder.vocode(batch, sigma=sigma, denoise=denoise, generator=generator)
        return np.asarray(audio[0].clamp(-1.0, 1.0).cpu().numpy())

    return System(vocode=vocode, waveglow=waveglow_of(vocoder))


def waveglow_of(vocoder: Vocoder) -> WaveGlow | None:
    """Return the WaveGlow in a vocoder: only it has a likelihood and groups of samples."""
    return vocoder.waveglow if isinstance(vocoder, WaveGlowVocoder) else None


def group_size(vocoder: Vocoder) -> int | None:
    """Return how many samples a vocoder makes as one vector; None where it has no groups."""
    waveglow = waveglow_of(vocoder)
    return waveglow.config.n_group if waveglow else None


@torch.no_grad()
def negative_log_likelihood(waveglow: WaveGlow, recorded: np.ndarray, mel: np.ndarray) -> float:
    """Return how unlikely a model that hears no pulses finds a recording, in nats a sample.

    Args:
        waveglow: The model.
        recorded: [hop_length * T].
        mel: [M, T] of it.
    """
    device = next(waveglow.parameters()).device
    frames, audio = (torch.from_numpy(values)[None].to(device) for values in (mel, recorded))
    loss = waveglow(frames, audio, pulses=torch.zeros_like(audio)).loss
    return float(loss.item() + 0.5 * math.log(2.0 * math.pi))


def compare(
    clips: Sequence[Clip],
    systems: Mapping[str, System],
    config: AudioConfig,
    *,
    n_group: int | None,
    predict: Callable[[Clip, np.ndarray], np.ndarray] = lambda _, mel: mel,
    listen: Callable[[Clip, str, np.ndarray], None] = lambda *_: None,
) -> dict[str, list[ClipScores]]:
    """Score systems on the mels of recordings.

    Args:
        clips: Recordings.
        systems: What to compare, by name.
        config: Settings of the mels.
        n_group: Samples a group, where tonal artefacts are looked for; None for no groups.
        predict: Makes the mel [M, T] that systems are given of a clip and its recorded mel.
        listen: Is given each clip, system and audio.

    Returns:
        For each system the scores of each clip, in order.

    Raises:
        PipelineError: A recording cannot be read, or is too short to have a mel.
    """
    scores: dict[str, list[ClipScores]] = {name: [] for name in systems}
    for clip in tqdm(clips, desc="scores", unit="clip", dynamic_ncols=True):
        recorded = read_whole_frames(clip, config)
        mel = predict(clip, mel_of(recorded, config))
        for name, system in systems.items():
            produced = system.vocode(recorded, mel)
            of_clip = asdict(score(recorded, produced, config, n_group=n_group))
            if system.waveglow is not None:
                of_clip["nll"] = negative_log_likelihood(system.waveglow, recorded, mel)
            scores[name].append(of_clip)
            listen(clip, name, produced)
    return scores
