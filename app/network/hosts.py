"""Which names this server goes by, and from whose pages it takes writes.

A page of any site can make its visitor's browser ask this server. Where the site's name is made to
lead here (DNS rebinding), the browser takes the answers for the site's own: the Host header tells.
Where a form or script of the site posts here, the browser says so in the Origin header.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.network.refusal import refusal

HOST = re.compile(r"(?P<name>\[[0-9a-f:.%]+\]|[^\s:/@\[\]]+)(?P<port>:\d+)?", re.IGNORECASE)
READS = frozenset({"GET", "HEAD", "OPTIONS"})
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class HostPolicy:
    """The names of this server."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        own = socket.gethostname().lower()
        self._allowed = {name.lower() for name in allowed}
        self._names = {"localhost", own, f"{own.removesuffix('.local')}.local", *self._allowed}

    def accepts_host(self, host: str, server_ip: str) -> bool:
        """Whether a Host header names this server.

        Args:
            host: The header, with or without a port.
            server_ip: The address of this machine at which the request came in.
        """
        match = HOST.fullmatch(host)
        if match is None:
            return False
        if host.lower() in self._allowed:
            return True
        name = match["name"].lower().strip("[]").rstrip(".")
        address = _address(name)
        if name in self._names or address is None:
            return name in self._names
        is_local = address.is_loopback or address.is_unspecified  # 0.0.0.0 leads here too
        return is_local or address == _address(server_ip)

    def accepts_origin(self, origin: str, host: str) -> bool:
        """Whether a page of this origin is this server's own.

        Args:
            origin: The header, such as `https://voice.example`.
            host: The Host header of the same request, which has been accepted.
        """
        scheme, separator, site = origin.lower().partition("://")
        if not separator or scheme not in DEFAULT_PORTS:
            return False  # "null", which sandboxed frames and files send
        port = DEFAULT_PORTS[scheme]
        return site in self._allowed or site.removesuffix(port) == host.lower().removesuffix(port)


class RequireKnownHost:
    """Refuses requests that name another server than this one."""

    def __init__(self, app: ASGIApp, *, policy: HostPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 where the Host header is foreign."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "")
        server_ip = (scope.get("server") or ("",))[0]
        if self._policy.accepts_host(host, server_ip):
            await self._app(scope, receive, send)
            return
        answer = refusal(
            HTTPStatus.FORBIDDEN,
            f"This server does not go by the name {host!r}. Its operator can allow a name with "
            "--allow-host.",
        )
        await answer(scope, receive, send)


class RefuseForeignWrites:
    """Refuses what a page of another site makes a browser send; reading is left to CORS."""

    def __init__(self, app: ASGIApp, *, policy: HostPolicy, origins: Iterable[str]) -> None:
        self._app = app
        self._policy = policy
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 to a write with a foreign Origin header."""
        if scope["type"] == "lifespan" or self._is_let_in(scope):
            await self._app(scope, receive, send)
            return
        answer = refusal(
            HTTPStatus.FORBIDDEN,
            f"Pages of {Headers(scope=scope)['origin']!r} may not send to this server. Its "
            "operator can allow them with --cors.",
        )
        await answer(scope, receive, send)

    def _is_let_in(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None or scope.get("method") in READS:
            return True  # a websocket has no method, and writes
        if origin in self._origins or "*" in self._origins:
            return True
        return self._policy.accepts_origin(origin, headers.get("host", ""))


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address literal, IPv4 in IPv6 as IPv4; None for a name."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
