"""The connections of many accounts, in one pool."""

from typing import Final

import httpx2
from typing_extensions import override

MOST_CONNECTIONS: Final = 256
"""How many requests are under way at once; more wait for one to end."""

KEPT: Final = 32
"""How many idle connections stay open."""


class SharedWire(httpx2.AsyncBaseTransport):
    """Carries the requests of many clients, and outlives them: `hang_up` closes it, they do not.

    A pool for each account would keep a socket open for each that has ever spoken.
    """

    def __init__(self) -> None:
        limits = httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=KEPT)
        self._pool = httpx2.AsyncHTTPTransport(limits=limits, trust_env=False)

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._pool.handle_async_request(request)

    @override
    async def aclose(self) -> None:
        """Do nothing: other accounts go on."""

    async def hang_up(self) -> None:
        """Close all connections."""
        await self._pool.aclose()
