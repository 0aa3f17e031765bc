"""From symbol ids to sound: Tacotron 2, WaveGlow and the chain around them."""

import os
import sys
from typing import TYPE_CHECKING, Any

# Numpy's products are small here, and more threads make them slower: they would also keep torch's
# waiting. The variable is read when numpy is first imported; a program that did so before is told.
if "OPENBLAS_NUM_THREADS" not in os.environ:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if "numpy" in sys.modules:
        from threadpoolctl import ThreadpoolController

        ThreadpoolController().select(internal_api="openblas").limit(limits=1)

if TYPE_CHECKING:
    from pipeline.options import SpeechOptions
    from pipeline.speech import Speech
    from pipeline.synthesizer import Synthesizer

__all__ = ["Speech", "SpeechOptions", "Synthesizer"]


def __getattr__(name: str) -> Any:
    """Import torch only when somebody speaks: `--help` has no use for it."""
    if name == "Speech":
        from pipeline.speech import Speech

        return Speech
    if name == "SpeechOptions":
        from pipeline.options import SpeechOptions

        return SpeechOptions
    if name == "Synthesizer":
        from pipeline.synthesizer import Synthesizer

        return Synthesizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
