"""Restate's two doors: one that takes wake-ups, and one at which workers make themselves known."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx2

from puppet_engine.core.errors import EngineUnavailableError

TIMEOUT_SECONDS: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Wakeup:
    """A promise to be kept: that somebody is woken for an event."""

    agent_id: str
    """Empty for what happens to nobody in particular."""
    sequence: int
    """Of the event."""
    delay_ms: int
    key: str
    """Those of one key are one wake-up."""


class RestateClient:
    """Speaks to one Restate, or to a cluster behind one address."""

    def __init__(
        self,
        *,
        ingress_url: str,
        admin_url: str,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._ingress_url = ingress_url.rstrip("/")
        self._admin_url = admin_url.rstrip("/")
        self._http = httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, transport=transport)

    async def register(self, worker_url: str) -> None:
        """Let Restate call the workers at an address.

        Raises:
            EngineUnavailableError: Restate cannot be reached, or does not reach the workers.

        """
        # HTTP/1.1: a connection for each turn, so that workers that share an address share work.
        deployment = {"uri": worker_url, "use_http_11": True, "force": True}
        await self._post(f"{self._admin_url}/deployments", deployment)

    async def wake(self, wakeups: Sequence[Wakeup]) -> None:
        """Hand wake-ups over. They are Restate's when this returns, and come when they are due.

        Raises:
            EngineUnavailableError: Restate cannot be reached, or knows no workers.

        """
        body = [asdict(wakeup) for wakeup in wakeups]
        await self._post(f"{self._ingress_url}/Wakeups/hand_over", body)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _post(self, url: str, body: Any) -> None:
        try:
            answer = await self._http.post(url, json=body)
        except httpx2.HTTPError as error:
            raise EngineUnavailableError(
                f"Restate does not answer at {url} ({type(error).__name__}): start it, "
                "or set PUPPET_RESTATE_INGRESS_URL and PUPPET_RESTATE_ADMIN_URL"
            ) from error
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise EngineUnavailableError(
                f"Restate refuses at {url}, {answer.status_code}: {answer.text[:500]}"
            )
