"""Tacotron 2 (arXiv:1712.05884): symbol ids to log-mel frames."""

from pipeline.tacotron2.config import Tacotron2Config
from pipeline.tacotron2.model import Prediction, Tacotron2, TeacherForced, frame_limit

__all__ = ["Prediction", "Tacotron2", "Tacotron2Config", "TeacherForced", "frame_limit"]
