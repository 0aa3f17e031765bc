"""Imported where processes are forked from, so that none of them imports or compiles it anew."""

import pipeline.batch_job.worker
import pipeline.training.fine_tuning
import pipeline.training.recipes
import pipeline.worker_pool  # noqa: F401
from pipeline.evaluation.metrics import pitch
from tests.tiny_training import AUDIO, voiced

pitch(voiced(1.0), AUDIO)
