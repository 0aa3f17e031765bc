"""All that stands before the application, in the order in which a request meets it."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from app.network.bodies import BodyLimits, LimitBodies
from app.network.headers import SecureHeaders
from app.network.hosts import HostPolicy, RefuseForeignWrites, RequireKnownHost
from app.network.password import RequirePassword
from app.network.uploads import Uploads


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """Who may use the server, and how much of it; the defaults are for one's own machine."""

    uploads: Uploads
    hosts: tuple[str, ...] = ()  # names of this server besides the local ones
    origins: tuple[str, ...] = ()  # sites whose pages may use the API; "*" is all of them
    auth: tuple[str, str] | None = None  # user and password, asked of everybody
    bodies: BodyLimits = field(default_factory=BodyLimits)


def guard(server: FastAPI, options: NetworkOptions) -> None:
    """Put the checks before a server. The last one added here is the first one met."""
    policy = HostPolicy(options.hosts)
    server.add_middleware(LimitBodies, limits=options.bodies, uploads=options.uploads)
    if options.auth is not None:
        user, password = options.auth
        server.add_middleware(RequirePassword, user=user, password=password)
    server.add_middleware(RefuseForeignWrites, policy=policy, origins=options.origins)
    # Also where nobody is allowed: Gradio would else allow everybody on public hosts.
    server.add_middleware(
        CORSMiddleware,
        allow_origins=options.origins,
        allow_methods=("GET", "POST"),
        allow_headers=("*",),
        expose_headers=("*",),
    )
    server.add_middleware(RequireKnownHost, policy=policy)
    server.add_middleware(SecureHeaders)
