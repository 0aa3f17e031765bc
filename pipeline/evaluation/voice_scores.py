"""All scores of a voice on recorded speech, as a table and as JSON."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from pipeline.data.corpora import Clip
from pipeline.evaluation import likeness
from pipeline.evaluation.comparison import (
    Average,
    ClipScores,
    System,
    averages,
    compare,
    group_size,
    recorded_system,
    vocoder_system,
)
from pipeline.evaluation.griffin_lim import GriffinLim, GriffinLimConfig
from pipeline.evaluation.metrics import tonal_artefact
from pipeline.evaluation.naturalness import Naturalness, naturalness
from pipeline.evaluation.recognition import Intelligibility, intelligibility, recognize
from pipeline.evaluation.steadiness import (
    LONGEST,
    Steadiness,
    check_steadiness,
    sentences_of_all_lengths,
)
from pipeline.evaluation.word_timings import timing_deviations
from pipeline.mel import AudioConfig
from pipeline.synthesizer import Synthesizer
from pipeline.tables import align_columns
from pipeline.torch_engine import TorchEngine
from pipeline.waveglow import WaveGlowVocoder

LABELS = {
    "nll": "negative log-likelihood (nats a sample)",
    "mel_distance": "mel distance (nepers)",
    "mel_distance_at_best_gain": "mel distance at best gain (nepers)",
    "gain_db": "best gain (dB)",
    "mcd_db": "mel cepstral distortion (dB)",
    "pesq": "PESQ, wide band (1 to 4.64)",
    "stoi": "STOI (0 to 1)",
    "f0_cents": "pitch error (cents)",
    "voicing_error": "voicing error (share of frames)",
    "tonal_db": "tonal artefact at the group rate (dB)",
    "dnsmos_p808": "DNSMOS P.808 (1 to 5)",
    "dnsmos_overall": "DNSMOS P.835, overall (1 to 5)",
    "dnsmos_signal": "DNSMOS P.835, signal (1 to 5)",
    "dnsmos_noise": "DNSMOS P.835, background (1 to 5)",
    "modulation": "modulation of log mels above 4 Hz",
    "pitch_hz": "mean pitch (Hz)",
    "pitch_semitones": "standard deviation of pitch (semitones)",
    "likeness": "likeness to the speaker's other recordings (cosine)",
    "likeness_to_others": "likeness to other speakers (cosine)",
}
SHARES = {  # of which it is said how much of the recordings' a voice reaches
    "dnsmos_p808": "DNSMOS P.808",
    "likeness": "likeness",
    "pitch_semitones": "spread of pitch",
}
NATURALNESS_SYSTEMS = ("recorded", "vocoded", "synthesized")


@dataclass(frozen=True, kw_only=True)
class VoiceScores:
    """What a voice reached on some clips; systems are ways to make their audio."""

    clips: tuple[str, ...]
    scores: dict[str, list[ClipScores]]  # by system, one for each clip
    recognition: dict[str, Intelligibility]  # by system; none without transcripts
    deviation: dict[str, np.ndarray]  # by system [M]: of each log-mel channel over time, in nepers
    steadiness: Steadiness | None  # likewise
    word_seconds: float | None  # median distance of word times from those of forced alignment
    real_time_factor: float | None  # seconds to synthesize one second, all clips together


class _Listener:
    """Keeps what is heard in the audio of each system, clip by clip."""

    def __init__(self, config: AudioConfig, texts: Sequence[str]) -> None:
        self._config = config
        self._texts = texts  # all of them, or none
        self._words: dict[str, list[str]] = defaultdict(list)
        self._natural: dict[str, list[Naturalness]] = defaultdict(list)
        self._prints: dict[str, list[np.ndarray]] = defaultdict(list)

    def listen(self, _: Clip, system: str, audio: np.ndarray) -> None:
        """Hear the next clip of a system, audio [S]."""
        if self._texts:
            self._words[system].append(recognize(audio, self._config.sample_rate))
        if system in NATURALNESS_SYSTEMS:
            self._natural[system].append(naturalness(audio, self._config))
            if likeness.is_installed():
                voice_print = likeness.voice_print(audio, self._config.sample_rate)
                self._prints[system].append(voice_print)

    def recognition(self) -> dict[str, Intelligibility]:
        """Return what a recognizer understood, by system."""
        return {system: intelligibility(each, self._texts) for system, each in self._words.items()}

    def deviation(self) -> dict[str, np.ndarray]:
        """Return the mean deviation [M] of log mels over time, by system."""
        return {
            system: np.mean([one.deviation for one in each], axis=0)
            for system, each in self._natural.items()
        }

    def add_to(
        self, scores: Mapping[str, Sequence[ClipScores]], others: Sequence[np.ndarray]
    ) -> None:
        """Add naturalness and likeness to the scores of each clip, by system."""
        for system, each in self._natural.items():
            for of_clip, one in zip(scores[system], each, strict=True):
                of_clip.update(one.scores)
        for system, prints in self._prints.items():
            cosines = likeness.likeness_to_speaker(prints, self._prints["recorded"])
            for of_clip, cosine, one_print in zip(scores[system], cosines, prints, strict=True):
                of_clip["likeness"] = cosine
                of_clip["likeness_to_others"] = likeness.mean_likeness(one_print, others)


def score_voice(
    engine: TorchEngine,
    clips: Sequence[Clip],
    *,
    sigma: float,
    denoise: float,
    seed: int,
    n_sentences: int = 0,
    others: Sequence[np.ndarray] = (),
) -> VoiceScores:
    """Score a voice on recordings and, where all have texts, have a recognizer listen to it.

    Args:
        engine: The voice.
        clips: Recordings; with English texts, the texts are synthesized too.
        sigma: Noise of the vocoder.
        denoise: Strength of the denoiser.
        seed: Of the noise.
        n_sentences: Sentences of all lengths, made of the texts, for the predictor to get through.
        others: Voice prints of other speakers, to see how unlike them the voice is.
    """
    texts = [clip.text for clip in clips] if all(clip.text for clip in clips) else []
    tts, config, n_group = Synthesizer(engine), engine.voice.audio, group_size(engine.vocoder)
    listener = _Listener(config, texts)
    systems = compared_systems(engine, sigma=sigma, denoise=denoise, seed=seed)
    scores = compare(clips, systems, config, n_group=n_group, listen=listener.listen)
    speeches = []
    if texts:
        for clip in tqdm(clips, desc="synthesis", unit="clip", dynamic_ncols=True):
            speech = tts.speak(clip.text, sigma=sigma, denoise=denoise, seed=seed)
            listener.listen(clip, "synthesized", speech.audio)
            speeches.append(speech)
        scores["synthesized"] = [
            {"tonal_db": tonal_artefact(speech.audio, config.sample_rate, n_group=n_group)}
            for speech in speeches
        ]
    listener.add_to(scores, others)
    seconds = sum(speech.seconds for speech in speeches)
    deviations = timing_deviations(speeches) if speeches else np.empty(0)
    sentences = sentences_of_all_lengths(texts, n_sentences) if texts else []
    return VoiceScores(
        clips=tuple(clip.name for clip in clips),
        scores=scores,
        deviation=listener.deviation(),
        recognition=listener.recognition(),
        steadiness=check_steadiness(engine, sentences, seed=seed) if sentences else None,
        word_seconds=float(np.median(np.abs(deviations))) if deviations.size else None,
        real_time_factor=sum(s.taken_seconds for s in speeches) / seconds if seconds else None,
    )


def compared_systems(
    engine: TorchEngine, *, sigma: float, denoise: float, seed: int
) -> dict[str, System]:
    """Return what a voice's vocoder is compared with, its flow without mel matching among it."""
    vocoded = vocoder_system(engine.vocoder, sigma=sigma, denoise=denoise, seed=seed)
    systems = {"recorded": recorded_system(), "vocoded": vocoded}
    if vocoded.waveglow and vocoded.waveglow.config.matching_rounds:
        flow = WaveGlowVocoder(vocoded.waveglow, matching_rounds=0)
        alone = vocoder_system(flow, sigma=sigma, denoise=denoise, seed=seed)
        systems["flow alone"] = System(vocode=alone.vocode)  # its likelihood is the vocoder's
    griffin_lim = GriffinLim(GriffinLimConfig(audio=engine.voice.audio))
    return systems | {"griffin-lim": vocoder_system(griffin_lim, sigma=sigma, denoise=denoise)}


def table(result: VoiceScores) -> str:
    """Return the averages with their standard errors, a line a score and a column a system."""
    columns = {system: averages(scores) for system, scores in result.scores.items()}
    rows = [
        [label, *(_cell(column.get(name)) for column in columns.values())]
        for name, label in LABELS.items()
        if any(name in column for column in columns.values())
    ]
    if result.recognition:
        seen = [result.recognition[system] for system in columns]
        rows.append(["word error rate", *(f"{one.word_error_rate:.3f}" for one in seen)])
        rows.append(["prompts identified", *(f"{one.n_identified}/{one.n_clips}" for one in seen)])
    lines = [align_columns([[f"{len(result.clips)} clips", *columns], *rows])]
    if "synthesized" in result.deviation:
        ratio = result.deviation["synthesized"] / result.deviation["recorded"]
        lines.append(
            "deviation of log mels by channel, synthesized over recorded: "
            f"{ratio.mean():.3f} in the mean, {ratio.min():.2f} to {ratio.max():.2f}"
        )
    if result.word_seconds is not None:
        lines.append(
            "times of words, median distance from forced alignment: "
            f"{1_000 * result.word_seconds:.0f} ms"
        )
    if "synthesized" in columns:
        lines.append(shares_line(columns, result.recognition))
    if result.real_time_factor is not None:
        lines.append(f"real-time factor of synthesis: {result.real_time_factor:.3f}")
    if result.steadiness is not None:
        lines.append(steadiness_line(result.steadiness))
    return "\n".join(lines)


def shares_line(
    columns: Mapping[str, Mapping[str, Average]], recognition: Mapping[str, Intelligibility]
) -> str:
    """Return in words what the voice reaches of what recordings of its speaker do."""
    ours, theirs = columns["synthesized"], columns["recorded"]
    errors = [recognition[system].word_error_rate for system in ("synthesized", "recorded")]
    shares = {"word error rate": errors[0] / errors[1] if errors[1] else math.nan}
    shares |= {
        label: ours[name].mean / theirs[name].mean
        for name, label in SHARES.items()
        if name in ours and name in theirs
    }
    words = [f"{label} {share:.3f}" for label, share in shares.items() if not math.isnan(share)]
    semitones = 12.0 * math.log2(ours["pitch_hz"].mean / theirs["pitch_hz"].mean)
    return f"synthesized over recorded: {', '.join(words)}; mean pitch {semitones:+.2f} semitones"


def steadiness_line(steadiness: Steadiness) -> str:
    """Return in words how the sentences went."""
    return (
        f"of {steadiness.n_sentences} sentences of 1 to {LONGEST} words "
        f"{steadiness.n_steady} were steady; ended by limit: {steadiness.endings.get('limit', 0)}, "
        f"said something twice: {steadiness.n_backward}, left something out: "
        f"{steadiness.n_skipping}"
    )


def as_json(result: VoiceScores) -> dict[str, Any]:
    """Return averages and single scores as plain values; what does not exist is null."""
    return {
        "clips": list(result.clips),
        "systems": {
            system: {
                "averages": {k: plain(asdict(v)) for k, v in averages(scores).items()},
                "by_clip": [plain(clip) for clip in scores],
            }
            for system, scores in result.scores.items()
        },
        "recognition": {system: asdict(seen) for system, seen in result.recognition.items()},
        "deviation": {system: each.tolist() for system, each in result.deviation.items()},
        "steadiness": None if result.steadiness is None else asdict(result.steadiness),
        "word_seconds": result.word_seconds,
        "real_time_factor": result.real_time_factor,
    }


def plain(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return values with null for nan, which JSON does not know."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def _cell(value: Average | None) -> str:
    if value is None or not value.n_clips:
        return "-"
    if math.isnan(value.standard_error):
        return f"{value.mean:.3f}"
    return f"{value.mean:.3f} ±{value.standard_error:.3f}"
