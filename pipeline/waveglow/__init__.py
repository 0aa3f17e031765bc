"""WaveGlow (arXiv:1811.00002): log-mel frames to audio."""

from pipeline.waveglow.config import WaveGlowConfig
from pipeline.waveglow.model import WaveGlow
from pipeline.waveglow.vocoder import WaveGlowVocoder

__all__ = ["WaveGlow", "WaveGlowConfig", "WaveGlowVocoder"]
