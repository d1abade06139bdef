"""Keeps web pages out of an API that listens on loopback.

Nothing but this machine can connect, but a browser on it runs pages of strangers.
A page may have its own name resolve to 127.0.0.1, so the name in `Host` must be one of ours;
it may send a form to us blindly, so a change must not come from a foreign `Origin`.
"""

import ipaddress
from collections.abc import Collection
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from puppet_engine.api.errors import failure
from puppet_engine.api.schemas import Problem

OWN_NAMES: Final = frozenset({"localhost", "testserver"})
"""Names that no stranger's page can have; the second is the test client's."""

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """ASGI middleware that refuses foreign hosts, and changes from foreign origins, with 403."""

    def __init__(self, app: ASGIApp, *, allowed_hosts: Collection[str] = ()) -> None:
        self._app = app
        self._allowed = OWN_NAMES | {host.lower() for host in allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            problem = self._problem(Headers(scope=scope), method=scope["method"])
            if problem is not None:
                await failure(HTTPStatus.FORBIDDEN, problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _problem(self, headers: Headers, *, method: str) -> Problem | None:
        host = headers.get("host", "")
        if not is_own_host(host, allowed=self._allowed):
            message = f"the host {host!r} is not served; add its name to the allowed hosts"
            return Problem(type="ForeignHost", message=message)
        if method not in READING and not is_same_origin(headers, host=host):
            message = "a page of another origin may not change anything here"
            return Problem(type="ForeignOrigin", message=message)
        return None


def is_own_host(host: str, *, allowed: Collection[str]) -> bool:
    """Say whether a `Host` header names loopback or an allowed name, with or without a port."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if not name or "@" in host:
        return False
    return name in allowed or _is_loopback(name)


def is_same_origin(headers: Headers, *, host: str) -> bool:
    """Say whether a request comes from a page of `host`, or from no page at all."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    return origin is None or origin.lower().partition("://")[2] == host.lower()


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
