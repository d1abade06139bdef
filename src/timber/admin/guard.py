"""Keeps web pages of strangers, and scripts that are not the site's own, out of the site."""

import secrets
from collections.abc import Callable
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from timber.loopback import READING, is_own_host, is_same_origin

LARGEST_FORM: Final = 10 * 2**20
"""Bytes; a longer request is refused unread."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# The widgets set the style of single elements, hence its 'unsafe-inline'.
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


class Guard:
    """ASGI middleware that refuses foreign hosts and origins, and sends strict headers.

    The templates find the nonce of a response in `request.state.nonce`.
    """

    def __init__(
        self, app: ASGIApp, *, new_nonce: Callable[[], str] = lambda: secrets.token_urlsafe(16)
    ) -> None:
        self._app = app
        self._new_nonce = new_nonce

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = self._new_nonce()
        state: dict[str, Any] = scope.setdefault("state", {})
        state["nonce"] = nonce

        async def send_strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                _harden(MutableHeaders(scope=message), nonce=nonce, path=scope["path"])
            await send(message)

        refused = _refusal(Headers(scope=scope), method=scope["method"])
        await (refused or self._app)(scope, receive, send_strictly)


def _refusal(headers: Headers, *, method: str) -> PlainTextResponse | None:
    host = headers.get("host", "")
    if not is_own_host(host):
        return PlainTextResponse(f"the host {host!r} is not served here\n", 403)
    if method not in READING and not is_same_origin(headers, host=host):
        return PlainTextResponse("a page of another origin may not change anything here\n", 403)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > LARGEST_FORM:
        return PlainTextResponse("this form is too large\n", 413)
    return None


def _harden(headers: MutableHeaders, *, nonce: str, path: str) -> None:
    for name, value in _HEADERS.items():
        headers[name] = value
    headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
    if path.startswith("/static/"):
        headers["Cache-Control"] = "private, max-age=86400"
    cookies = headers.getlist("set-cookie")
    if cookies:
        del headers["set-cookie"]
    for cookie in cookies:
        headers.append("set-cookie", cookie.replace("SameSite=lax", "SameSite=strict"))
