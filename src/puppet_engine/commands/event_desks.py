"""Where commands find events: in the database of a stopped engine, or at the API of a live one."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx2
from typing_extensions import override

from puppet_engine.core.clock import SystemClock, VirtualClock
from puppet_engine.core.decisions import StoredDecision
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.ids import random_id
from puppet_engine.storage.decisions import StoredDecisions
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ownership import sole_owner

PATIENCE_SECONDS: Final = 30

SQLITE: Final = "sqlite:///"


class Desk(ABC):
    """What the commands ask; records are as the API tells them."""

    @abstractmethod
    async def dead_letters(self, *, before: int | None, limit: int) -> list[dict[str, Any]]: ...

    @abstractmethod
    async def replay(self, event_id: str) -> str:
        """Return the id of the new event. Raises `EventNotFoundError` or its answer."""

    @abstractmethod
    async def why(self, of: str) -> StoredDecision:
        """Return the decision of an id. Raises `DecisionNotFoundError` or its answer."""


@contextlib.asynccontextmanager
async def open_desk(database_url: str, api: str | None) -> AsyncGenerator[Desk]:
    """Open the API at `api`, or without one the database.

    Raises:
        ConfigurationError: there is no database, or nothing answers at `api`.

    """
    if api is not None:
        async with httpx2.AsyncClient(base_url=api, timeout=PATIENCE_SECONDS) as client:
            yield LiveDesk(client)
        return
    require_database(database_url)
    clock = VirtualClock(SystemClock().now())
    storage = Storage(database_url, clock=clock, ids=random_id)
    await storage.open()
    try:
        # The agents' time stands where the engine stopped; what is replayed is due there.
        clock.set(await StoredEvents(storage).latest_moment() or clock.now())
        yield StoppedDesk(storage, database_url)
    finally:
        await storage.close()


def require_database(database_url: str) -> None:
    """Do nothing, unless an SQLite file is not there. Raises `ConfigurationError`."""
    file = Path(database_url.removeprefix(SQLITE))
    if database_url.startswith(SQLITE) and not file.is_file():
        raise ConfigurationError(
            f"there is no database {file}: name one with --database, "
            "or an engine that runs with --api"
        )


class StoppedDesk(Desk):
    """The rows of an engine that does not run; they can be read while one does."""

    def __init__(self, storage: Storage, database_url: str) -> None:
        self._storage = storage
        self._events = StoredEvents(storage)
        self._database_url = database_url

    @override
    async def dead_letters(self, *, before: int | None, limit: int) -> list[dict[str, Any]]:
        letters = await self._events.dead_letters(before=before, limit=limit)
        return [letter.model_dump(mode="json") for letter in letters]

    @override
    async def replay(self, event_id: str) -> str:
        # A live engine would not see what is replayed under its feet: it owns the database.
        since, lost = SystemClock().now(), self._storage.forbid_writing
        async with sole_owner(self._database_url, since=since, on_loss=lost):
            return (await self._events.replay(event_id, due_at=self._storage.clock.now())).id

    @override
    async def why(self, of: str) -> StoredDecision:
        return await StoredDecisions(self._storage).why(of)


class LiveDesk(Desk):
    """The API of an engine that runs."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    @override
    async def dead_letters(self, *, before: int | None, limit: int) -> list[dict[str, Any]]:
        asked = {"limit": limit} | ({} if before is None else {"before": before})
        data = await self._ask("GET", "/events/dead-letters", params=asked)
        records: list[dict[str, Any]] = data["records"]
        return records

    @override
    async def replay(self, event_id: str) -> str:
        data = await self._ask("POST", f"/events/dead-letters/{event_id}/replay")
        return str(data["event"]["id"])

    @override
    async def why(self, of: str) -> StoredDecision:
        data = await self._ask("GET", f"/decisions/{quote(of, safe='')}")
        return StoredDecision.model_validate(data["decision"])

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, path, **more)
            body = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise ConfigurationError(
                f"no engine answers at {self._client.base_url} ({error}): "
                "start one with `puppets run`, or name its database with --database"
            ) from error
        if answer.is_error:
            problem = body.get("error", {}).get("message") or body
            raise ConfigurationError(f"the engine refused: {problem}")
        data: dict[str, Any] = body["data"]
        return data
