"""NeMo's modules with the weights of ours, where NeMo is installed."""

from __future__ import annotations

import importlib.util
from typing import Any

from pipeline.pretrained.conversion import to_nemo
from pipeline.tacotron2 import Tacotron2
from pipeline.waveglow import WaveGlow


def has_nemo() -> bool:
    """Say whether NeMo is installed."""
    return importlib.util.find_spec("nemo") is not None


def nemo_model(model: WaveGlow | Tacotron2) -> Any:
    """Return NeMo's model with the weights of ours, on the same device, in eval mode."""
    from nemo.collections.tts.models import Tacotron2Model, WaveGlowModel
    from nemo.utils import logging
    from omegaconf import OmegaConf

    logging.setLevel(logging.ERROR)
    config, weights = to_nemo(model, "The benchmark's model")
    kind = WaveGlowModel if isinstance(model, WaveGlow) else Tacotron2Model
    theirs = kind(OmegaConf.create(config))
    theirs.load_state_dict(weights)
    return theirs.to(next(model.parameters()).device).eval()
