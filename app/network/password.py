"""A password before everything that the server does: the page, its files and the API."""

from __future__ import annotations

import base64
import ipaddress
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.network.refusal import refusal

OPEN_PATHS = frozenset({"/health", "/ready"})  # monitoring has no password
FREE_TRIES = 5  # wrong passwords in a row that cost nothing
MAX_PAUSE_SECONDS = 60.0
MAX_ADDRESSES = 10_000


class RequirePassword:
    """Answers requests that carry the password, and all others with 401.

    Browsers ask for it (HTTP Basic); programs send Basic too, or the password as bearer token,
    which is what OpenAI's clients make of their `api_key`. An address that sends wrong ones must
    wait between tries, longer each time.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        user: str,
        password: str,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._accepted = {"basic": basic.encode(), "bearer": password.encode()}
        self._wrong = WrongPasswords(now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 to a request without the password, 429 to one that tries too often."""
        if scope["type"] == "lifespan" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("authorization", "")
        address = _network_of(scope)
        pause_seconds = self._wrong.pause_seconds(address) if given else 0.0
        if pause_seconds > 0:
            answer = refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"Too many wrong passwords came from here. Wait {pause_seconds:.0f} seconds.",
                {"retry-after": str(math.ceil(pause_seconds))},
            )
        elif self._is_right(given):
            self._wrong.forget(address)
            await self._app(scope, receive, send)
            return
        else:
            if given:
                self._wrong.add(address)
            answer = refusal(
                HTTPStatus.UNAUTHORIZED,
                "User and password are needed, or the password as API key.",
                {"www-authenticate": 'Basic realm="tacoglow", charset="UTF-8"'},
            )
        await answer(scope, receive, send)

    def _is_right(self, given: str) -> bool:
        scheme, _, value = given.partition(" ")
        accepted = self._accepted.get(scheme.lower())
        return accepted is not None and secrets.compare_digest(
            value.strip().encode("latin-1"), accepted
        )


class WrongPasswords:
    """How often each address was wrong in a row, and until when it must wait.

    Memory is bounded: of very many addresses, those that were quiet longest are forgotten.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._tries: OrderedDict[str, tuple[int, float]] = OrderedDict()  # count, time of next

    def __len__(self) -> int:
        return len(self._tries)

    def pause_seconds(self, address: str) -> float:
        """Return how long an address must wait before its next try."""
        _, next_try = self._tries.get(address, (0, 0.0))
        return max(0.0, next_try - self._now())

    def add(self, address: str) -> None:
        """Remember a wrong password: from the sixth on, each doubles the pause."""
        count = self._tries.get(address, (0, 0.0))[0] + 1
        doublings = min(count - FREE_TRIES, 10)
        pause = min(2.0**doublings, MAX_PAUSE_SECONDS) if doublings > 0 else 0.0
        self._tries[address] = (count, self._now() + pause)
        self._tries.move_to_end(address)
        while len(self._tries) > MAX_ADDRESSES:
            self._tries.popitem(last=False)

    def forget(self, address: str) -> None:
        """Start anew after the right password."""
        self._tries.pop(address, None)


def _network_of(scope: Scope) -> str:
    """Return the client's address; of IPv6 the first half, which is what one household has."""
    host: str = (scope.get("client") or ("",))[0]
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address.packed[:8] + bytes(8), 64)))
