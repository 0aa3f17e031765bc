"""The API on a Ray cluster: `serve run deploy.ray_serve:speech`, with ray[serve] installed.

Each replica holds the models and a queue of its own, and Ray sends requests to the less busy one.
The page keeps what it has spoken in its replica's memory, so with more than one use the API alone.
"""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import FastAPI
from ray import serve

MAX_REPLICAS = int(os.environ.get("TACOGLOW_MAX_REPLICAS", "8"))
HOSTS = tuple(filter(None, os.environ.get("TACOGLOW_HOSTS", "").split(",")))


def build_application() -> FastAPI:
    """Return a replica's application; it is built where the replica runs."""
    import torch

    from app.metrics import MeasuredSpeechService
    from app.network.guard import NetworkOptions
    from app.network.uploads import Uploads
    from app.server import build_server
    from app.voice_store import VoiceStore

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    store = VoiceStore(os.environ.get("TACOGLOW_VOICE", "kathleen"))
    no_uploads = Uploads(Path("uploads"), max_bytes=0)
    return build_server(
        MeasuredSpeechService(store),
        finetune_jobs=None,
        network=NetworkOptions(uploads=no_uploads, hosts=HOSTS),
    )


speech = serve.deployment(
    serve.ingress(build_application)(),
    name="speech",
    ray_actor_options={"num_cpus": 2},
    max_ongoing_requests=16,
    graceful_shutdown_timeout_s=30.0,
    autoscaling_config={
        "min_replicas": 1,
        "max_replicas": MAX_REPLICAS,
        "target_ongoing_requests": 2,
    },
).bind()
