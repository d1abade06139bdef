"""Tweepy's client over our own HTTP: signed for the URL really called, errors translated.

Stock tweepy signs for a fixed host, waits five minutes for an answer, hides the rate headers
and breaks on an HTML error page. Only its `request` is replaced: tweepy still knows the
endpoints and their parameters.
"""

import asyncio
import logging
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx2
from oauthlib.oauth1 import Client as Signer
from tweepy.asynchronous import AsyncClient  # type: ignore[import-untyped]
from typing_extensions import override

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import (
    NetworkRefusedError,
    NetworkUnavailableError,
    RateLimitedError,
)

# What it says at DEBUG holds keys and signatures.
logging.getLogger("oauthlib.oauth1").setLevel(logging.INFO)

NETWORK: Final = "X"
_WINDOW: Final = timedelta(minutes=15)
_LONGEST_PAUSE: Final = 24 * 60 * 60
"""In seconds: a number beyond it is no moment that anybody means."""
_RATE_HEADERS: Final = ("limit", "remaining", "reset")
_NUMBER: Final = re.compile(r"(?<=/)\d{2,}")


class JsonAnswer:
    """A good answer, in the form in which tweepy reads one."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body

    async def json(self) -> Mapping[str, Any]:
        return self._body


class SigningClient(AsyncClient):  # type: ignore[misc, no-any-unimported]
    """Tweepy's AsyncClient for one account, over httpx2. Nothing is ever sent twice."""

    def __init__(
        self,
        *,
        signer: Signer,
        clock: Clock,
        base_url: str,
        timeout_seconds: float,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(return_type=dict)
        self.rate_limits: dict[str, dict[str, int]] = {}
        """The last rate headers, by `GET /2/tweets/:id`; `reset` is in seconds since 1970."""
        self._signer = signer
        self._clock = clock
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        # No timeout of its own: httpx counts each step apart, we count the whole call.
        self._http = httpx2.AsyncClient(
            transport=transport, timeout=None, trust_env=False, verify=_certificates()
        )

    @override
    async def request(
        self,
        method: str,
        route: str,
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        user_auth: bool = True,
    ) -> JsonAnswer:
        """Send one request, signed for the account whatever `user_auth` says.

        Raises:
            NetworkRefusedError: X said no; `RateLimitedError` when it said not now.
            NetworkUnavailableError: no answer, or none that can be read.

        """
        call = f"{method} {_NUMBER.sub(':id', route)}"
        query = urlencode(params or {}, quote_via=quote)
        url = f"{self._base_url}{route}" + (f"?{query}" if query else "")
        # A JSON body is not part of what is signed.
        _, headers, _ = self._signer.sign(url, method)  # type: ignore[arg-type]
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._http.request(method, url, json=json, headers=headers)
        except (httpx2.TransportError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise NetworkUnavailableError(
                f"{NETWORK} gave no answer to {call}: {reason}"
            ) from error
        self._keep_rate_limit(call, response.headers)
        if not response.is_success:
            raise self._refusal(call, response)
        return JsonAnswer(_read_json(call, response))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _keep_rate_limit(self, call: str, headers: httpx2.Headers) -> None:
        found = {name: headers.get(f"x-rate-limit-{name}", "") for name in _RATE_HEADERS}
        self.rate_limits[call] = {
            name: int(value) for name, value in found.items() if value.isdecimal()
        }

    def _refusal(self, call: str, response: httpx2.Response) -> Exception:
        status = response.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return RateLimitedError(NETWORK, resets_at=self._reset(call, response.headers))
        if not 400 <= status < 500 or status == HTTPStatus.REQUEST_TIMEOUT:  # noqa: PLR2004
            retry_at = read_retry_after(response.headers, now=self._clock.now())
            return NetworkUnavailableError(
                f"{NETWORK} answered {status} to {call}", retry_at=retry_at
            )
        return NetworkRefusedError(f"{NETWORK} refused {call} with {status}: {_reason(response)}")

    def _reset(self, call: str, headers: Mapping[str, str]) -> datetime:
        now = self._clock.now()
        reset = self.rate_limits[call].get("reset")
        if reset is None:
            return read_retry_after(headers, now=now) or now + _WINDOW
        return datetime.fromtimestamp(reset, UTC)


def read_retry_after(headers: Mapping[str, str], *, now: datetime) -> datetime | None:
    """Return the moment that `Retry-After` names (RFC 9110, 10.2.3); None when it names none."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return now + timedelta(seconds=min(int(value), _LONGEST_PAUSE))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@cache
def _certificates() -> ssl.SSLContext:
    """Return the certificates we trust: read once, not 25 ms long for each of many accounts."""
    return httpx2.create_ssl_context(trust_env=False)


def _read_json(call: str, response: httpx2.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError as error:
        raise NetworkUnavailableError(
            f"{NETWORK} answered {response.status_code} to {call}, but not in JSON"
        ) from error
    if not isinstance(body, dict):
        raise NetworkUnavailableError(f"{NETWORK} answered {call} with {type(body).__name__}")
    return body


def _reason(response: httpx2.Response) -> str:
    """Return why X refused: the `detail` of its problem, or the old form's `message`s."""
    try:
        problem = response.json()
    except ValueError:
        return response.reason_phrase
    if not isinstance(problem, dict):
        return response.reason_phrase
    errors = [error for error in problem.get("errors") or () if isinstance(error, dict)]
    said = [str(problem.get("detail") or ""), *(str(one.get("message") or "") for one in errors)]
    return " ".join(filter(None, said)) or response.reason_phrase
