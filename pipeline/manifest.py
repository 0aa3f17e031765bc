"""The manifest of a speech: everything needed to make the same audio again, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pipeline.atomic_write import atomic_write
from pipeline.engine import weights_sha256
from pipeline.speech import Sentence, Speech

if TYPE_CHECKING:
    from pipeline.engine import Engine
    from pipeline.synthesizer import Synthesizer


def manifest(speech: Speech, tts: Synthesizer, *, text: str) -> dict[str, Any]:
    """Return what was said, with what, how long it took and how each sentence ended."""
    return {
        "text": text,
        "settings": {"voice": speech.voice, **asdict(speech.options)},
        **equipment(tts.engine),
        "audio_seconds": round(speech.seconds, 4),
        "warnings": list(speech.warnings),
        "sentences": [
            {"start": round(start, 3), **sentence_facts(sentence)}
            for sentence, start in zip(speech.sentences, speech.starts, strict=True)
        ],
        "words": [word.as_json() for word in speech.words],
    }


def equipment(engine: Engine) -> dict[str, Any]:
    """Return with what is spoken: the weights, and where they are computed."""
    return {
        "sha256": weights_sha256(engine),
        "device": str(engine.device),
        "threads": torch.get_num_threads(),
        "precision": engine.precision,
        "sample_rate": engine.voice.audio.sample_rate,
    }


def sentence_facts(sentence: Sentence) -> dict[str, Any]:
    """Return what is known of one sentence."""
    return {
        "written": sentence.written,
        "normalized": sentence.text,
        "symbols": " ".join(sentence.symbols),
        "letters": list(sentence.letters),
        "ending": sentence.ending,
        "frames": sentence.mel.shape[1],
        "pause_frames": sentence.pause_frames,
        "mel_seed": sentence.mel_seed,
        "predict_seconds": round(sentence.predict_seconds, 4),
        "vocode_seconds": round(sentence.vocode_seconds, 4),
    }


def write_manifest(path: Path, speech: Speech, tts: Synthesizer, *, text: str) -> None:
    """Write the manifest, whole or not at all."""
    content = json.dumps(manifest(speech, tts, text=text), indent=2, ensure_ascii=False)
    with atomic_write(path) as part_path:
        part_path.write_text(content + "\n", encoding="utf-8", errors="backslashreplace")
