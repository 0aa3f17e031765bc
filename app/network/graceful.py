"""A server that finishes what is being spoken before it stops."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import uvicorn


class GracefulServer(uvicorn.Server):
    """uvicorn, with a wait for speech between the signal and the end.

    Pages hold connections that never end by themselves, so uvicorn's own wait, which is for all
    connections, cannot be long.
    """

    def __init__(
        self, config: uvicorn.Config, *, n_speaking: Callable[[], int], grace_seconds: float
    ) -> None:
        super().__init__(config)
        self._n_speaking = n_speaking
        self._grace_seconds = grace_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connection, wait for what is being spoken, stop; a second signal hurries."""
        for server in self.servers:
            server.close()
        deadline = time.monotonic() + self._grace_seconds
        while self._n_speaking() and not self.force_exit and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        await super().shutdown(sockets)
