"""Keeps web pages of strangers out of an API that listens on loopback."""

from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from puppet_engine.api.errors import failure
from puppet_engine.api.schemas import Problem
from timber.loopback import OWN_NAMES, READING, is_own_host, is_same_origin


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
