"""Likeness of voices: laws of the verifier's use, on random weights; its own are not needed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pipeline.errors import PipelineError
from pipeline.evaluation import likeness
from pipeline.evaluation.comparison import Average
from pipeline.evaluation.likeness import likeness_to_speaker, mean_likeness, voice_print
from pipeline.evaluation.recognition import Intelligibility
from pipeline.evaluation.voice_scores import shares_line
from tests.tiny_training import AUDIO, voiced

RATE = AUDIO.sample_rate


@pytest.fixture(autouse=True)
def random_verifier(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    verifier = likeness.SpeakerVerifier().eval()
    monkeypatch.setattr(likeness, "load_verifier", lambda: verifier)


def test_a_voice_print_has_length_one_and_does_not_know_the_level() -> None:
    audio = voiced(3.0)
    one = voice_print(audio, RATE)
    assert one.shape == (256,)
    assert np.linalg.norm(one) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(voice_print(0.2 * audio, RATE), one, atol=1e-5)


def test_silence_around_speech_changes_nothing() -> None:
    audio = voiced(3.0)
    quiet = np.zeros(RATE // 50 * 60, dtype=np.float32)
    padded = voice_print(np.concatenate([quiet, audio, quiet]), RATE)
    assert padded @ voice_print(audio, RATE) > 0.999


def test_a_short_utterance_is_repeated_until_it_fills_a_window() -> None:
    assert np.isfinite(voice_print(voiced(0.4), RATE)).all()


def test_a_clip_is_compared_with_the_recordings_of_other_clips() -> None:
    recorded = [np.eye(3)[i] for i in range(3)]
    assert likeness_to_speaker(recorded, recorded) == [0.0, 0.0, 0.0]
    spoken = [recorded[1], recorded[1], recorded[0]]
    assert likeness_to_speaker(spoken, recorded) == [0.5, 0.0, 0.5]
    assert np.isnan(mean_likeness(recorded[0], []))


def test_without_the_weights_it_is_said_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(likeness, "PACKAGE", "no_such_package")
    assert not likeness.is_installed()
    with pytest.raises(PipelineError, match="pip install --no-deps no_such_package"):
        likeness.load_verifier.__wrapped__()


def test_the_table_says_what_is_reached_of_the_recordings() -> None:
    def column(**means: float) -> dict[str, Average]:
        return {name: Average(mean=m, standard_error=0.1, n_clips=4) for name, m in means.items()}

    columns = {
        "recorded": column(dnsmos_p808=4.0, likeness=0.8, pitch_semitones=4.0, pitch_hz=100.0),
        "synthesized": column(dnsmos_p808=3.6, likeness=0.6, pitch_semitones=3.0, pitch_hz=200.0),
    }
    heard = {
        system: Intelligibility(word_error_rate=rate, n_identified=4, n_clips=4)
        for system, rate in (("recorded", 0.1), ("synthesized", 0.15))
    }
    assert shares_line(columns, heard) == (
        "synthesized over recorded: word error rate 1.500, DNSMOS P.808 0.900, likeness 0.750, "
        "spread of pitch 0.750; mean pitch +12.00 semitones"
    )
