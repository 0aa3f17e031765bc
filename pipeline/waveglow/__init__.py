"""WaveGlow (arXiv:1811.00002): log-mel frames to audio."""

from pipeline.waveglow.config import WaveGlowConfig
from pipeline.waveglow.model import WaveGlow

__all__ = ["WaveGlow", "WaveGlowConfig"]
