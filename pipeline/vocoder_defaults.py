"""Sigma and denoising strength where nobody gives them, by where a vocoder's weights come from."""

from __future__ import annotations

from typing import NamedTuple


class VocoderDefaults(NamedTuple):
    """What a vocoder is asked for as long as no scores say better."""

    sigma: float  # standard deviation of its noise
    denoise: float  # share of its bias that is taken away


TRAINED = VocoderDefaults(sigma=0.7, denoise=0.0)  # here: samples are trained at this sigma
PUBLISHED = VocoderDefaults(sigma=0.666, denoise=0.01)  # as NVIDIA's examples speak
UNKNOWN = VocoderDefaults(sigma=0.6, denoise=0.0)  # of no voice; as NVIDIA's inference script
