"""Who sends a request, proved by an OAuth 1.0a signature (RFC 5849, HMAC-SHA1)."""

import hmac
from collections import deque
from functools import lru_cache
from typing import Final

from fastapi import Request
from oauthlib.oauth1.rfc5849 import Client as Keys, signature

from puppet_engine.core.clock import Clock
from puppet_engine.world.x.accounts import Account, AccountBook
from puppet_engine.world.x.problems import unauthorized

_TOLERANCE_SECONDS: Final = 300
_REMEMBERED: Final = 4096
"""For so many accounts and addresses the library does its work once."""


class SignatureVerifier:
    """Checks signatures, and that no signed request comes twice.

    `wall_clock` is the machine's own: clients stamp their requests by it, whatever
    the time is in the world.
    """

    def __init__(self, *, accounts: AccountBook, wall_clock: Clock) -> None:
        self._accounts = accounts
        self._wall_clock = wall_clock
        self._seen: set[tuple[str, int, str]] = set()
        self._seen_in_order: deque[tuple[int, tuple[str, int, str]]] = deque()

    def verify(self, request: Request) -> Account:
        """Return the account that signed `request`; raise a problem of status 401 if none did."""
        signed = _signed_parameters(request)
        protocol = dict(signed)
        account = self._accounts.with_token(protocol.get("oauth_token", ""))
        if account is None or protocol.get("oauth_consumer_key") != account.api_key:
            raise unauthorized()
        if protocol.get("oauth_signature_method") != "HMAC-SHA1":
            raise unauthorized()
        stamp = self._check_stamp(protocol.get("oauth_timestamp", ""))
        given = protocol.get("oauth_signature", "")
        if not hmac.compare_digest(_expected(request, signed, account).encode(), given.encode()):
            raise unauthorized()
        self._remember((account.access_token, stamp, protocol.get("oauth_nonce", "")))
        return account

    def _check_stamp(self, text: str) -> int:
        if not text.isascii() or not text.isdigit():
            raise unauthorized()
        stamp = int(text)
        if abs(self._now() - stamp) > _TOLERANCE_SECONDS:
            raise unauthorized()
        return stamp

    def _remember(self, use: tuple[str, int, str]) -> None:
        # Only proven requests get here, so that nobody can use up another's nonces.
        now = self._now()
        while self._seen_in_order and self._seen_in_order[0][0] < now:
            self._seen.discard(self._seen_in_order.popleft()[1])
        if not use[2] or use in self._seen:
            raise unauthorized()
        self._seen.add(use)
        # A stamp may lie in the future by the tolerance, and stay valid that much longer.
        self._seen_in_order.append((now + 2 * _TOLERANCE_SECONDS, use))

    def _now(self) -> int:
        return int(self._wall_clock.now().timestamp())


def _signed_parameters(request: Request) -> list[tuple[str, str]]:
    header = request.headers.get("authorization", "")
    if not header.startswith("OAuth "):
        raise unauthorized()
    try:
        return signature.collect_parameters(
            uri_query=request.url.query,
            headers={"Authorization": header},
            exclude_oauth_signature=False,
        )
    except ValueError as error:
        raise unauthorized() from error


def _expected(request: Request, signed: list[tuple[str, str]], account: Account) -> str:
    normalized = signature.normalize_parameters(
        [pair for pair in signed if pair[0] != "oauth_signature"]  # type: ignore[arg-type]
    )
    base = signature.signature_base_string(
        request.method,  # type: ignore[arg-type]
        # The query is none of it, so that there are few of them.
        _base_uri(f"{request.url.scheme}://{request.url.netloc}{request.url.path}"),
        normalized,
    )
    expected: str = signature.sign_hmac_sha1_with_client(base, _keys(account))
    return expected


_base_uri = lru_cache(maxsize=_REMEMBERED)(signature.base_string_uri)


@lru_cache(maxsize=_REMEMBERED)
def _keys(account: Account) -> Keys:
    return Keys(
        account.api_key,
        client_secret=account.api_secret,
        resource_owner_key=account.access_token,
        resource_owner_secret=account.access_token_secret,
    )
