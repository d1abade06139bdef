"""How often one account may call one endpoint."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

WINDOW: Final = timedelta(minutes=15)

LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "POST /2/tweets": 100,
        "DELETE /2/tweets/{post_id}": 50,
        "GET /2/tweets/{post_id}": 900,
        "GET /2/tweets": 5000,
        "GET /2/tweets/search/recent": 300,
        "GET /2/users/me": 75,
        "GET /2/users/{user_id}": 900,
        "GET /2/users/by/username/{username}": 900,
        "GET /2/users/{user_id}/mentions": 300,
        "GET /2/users/{user_id}/tweets": 900,
    }
)
"""Calls of one account in 15 minutes, by endpoint."""


class Allowance(NamedTuple):
    """What is left to one account at one endpoint, this call taken off."""

    limit: int
    remaining: int
    resets_at: datetime

    @property
    def is_exceeded(self) -> bool:
        return self.remaining < 0

    def headers(self) -> dict[str, str]:
        """Return the headers in which X tells it; the reset is in seconds since 1970."""
        return {
            "x-rate-limit-limit": str(self.limit),
            "x-rate-limit-remaining": str(max(0, self.remaining)),
            "x-rate-limit-reset": str(math.ceil(self.resets_at.timestamp())),
        }


class RateLimiter:
    """Counts calls in windows, each of which begins at a first call."""

    def __init__(self, limits: Mapping[str, int] = LIMITS) -> None:
        self._limits = limits
        self._windows: dict[tuple[int, str], Allowance] = {}

    def take(self, account_id: int, endpoint: str, *, now: datetime) -> Allowance:
        """Count a call and return what is left."""
        window = self._windows.get((account_id, endpoint))
        if window is None or now >= window.resets_at:
            limit = self._limits[endpoint]
            window = Allowance(limit, limit, now + WINDOW)
        window = window._replace(remaining=window.remaining - 1)
        self._windows[account_id, endpoint] = window
        return window
