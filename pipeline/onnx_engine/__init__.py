"""Speaking without torch: a voice that was converted to ONNX, in onnxruntime and numpy."""

from pipeline.onnx_engine.exported_voice import ExportedVoice
from pipeline.onnx_engine.synthesizer import OnnxSynthesizer

__all__ = ["ExportedVoice", "OnnxSynthesizer"]
