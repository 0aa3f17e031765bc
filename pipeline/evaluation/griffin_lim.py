"""Speech from a mel without a neural vocoder: the line that a vocoder has to beat."""

from __future__ import annotations

import numpy as np

from pipeline.mel import AudioConfig, mel_filterbank

N_ITERATIONS = 60


def griffin_lim(mel: np.ndarray, config: AudioConfig, *, seed: int = 0) -> np.ndarray:
    """Return audio [hop_length * T] whose mel is near to a log mel [M, T].

    Magnitudes come from the mel by non-negative least squares, phases from the fast algorithm.

    Args:
        mel: [M, T] natural log.
        config: What the mel is made of.
        seed: Of the first phases.

    Source: Griffin and Lim 1984; Perraudin et al. 2013, with momentum; both as in librosa.
    """
    import librosa

    mel = np.pad(mel, ((0, 0), (0, 1)), mode="edge")  # T + 1 centred frames span T hops
    magnitude = librosa.util.nnls(mel_filterbank(config), np.exp(mel))  # [K, T + 1]
    audio = librosa.griffinlim(
        magnitude,
        n_iter=N_ITERATIONS,
        hop_length=config.hop_length,
        win_length=config.n_fft,
        n_fft=config.n_fft,
        pad_mode="reflect",
        random_state=seed,
    )
    return np.asarray(audio, dtype=np.float32)
