"""What the API and the dashboard need of the engine, and nothing more."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from puppet_engine.core.decisions import StoredDecision
from puppet_engine.core.history import EventRecord, HistoryQuery
from puppet_engine.core.models import AgentConfig, Event, Intent, StoredMemory
from puppet_engine.core.schedules import Schedule
from puppet_engine.outbox.breaker import BreakerReading


class AgentView(Protocol):
    """An agent, as those outside see it."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def handle(self) -> str: ...
    @property
    def config(self) -> AgentConfig: ...
    @property
    def is_active(self) -> bool: ...


class AgentDirectory(Protocol):
    """Knows the agents, and speaks to them.

    All but `create_agent` raise AgentNotFoundError for an agent that is not there.
    """

    @property
    def agents(self) -> Mapping[str, AgentView]:
        """Those in memory: of a multitude, the ones that are busy."""

    async def find_agent(self, agent_id: str, /) -> AgentView: ...

    async def create_agent(self, config: AgentConfig, /) -> str:
        """Create an agent and return its id.

        Raises:
            AgentExistsError: the id is taken.
            ConfigurationError: no agent can be made of this.

        """

    async def trigger_post(self, agent_id: str, context: dict[str, Any] | None = None, /) -> str:
        """Let an agent post now, and return the post's id."""

    async def add_memory(self, agent_id: str, content: str, kind: str, /) -> str:
        """Give an agent a memory, and return the memory's id."""

    async def get_memories(self, agent_id: str, /, *, limit: int) -> Iterable[StoredMemory]:
        """Return what an agent remembers, newest first."""


class LifeFeed(Protocol):
    """What has happened, and what is happening.

    `recent` and `watch` give events in the same order, and an event is in `recent`
    before it is in any view. So who opens a view first and asks for `recent` then loses nothing.
    """

    async def recent(self, *, limit: int) -> list[Event]:
        """Return the last events, oldest first, `limit` at the most."""

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Open a live view of every event from now on. It ends when the feed does."""


class EventDesk(Protocol):
    """What operators ask of the events: what was, what is planned, what failed."""

    async def history(self, query: HistoryQuery, /) -> list[EventRecord]:
        """Return a page of what is over, newest first."""

    async def as_of(
        self, moment: datetime, /, *, agent_id: str | None, after: int, limit: int
    ) -> list[EventRecord]:
        """Return a page of what was pending at a moment, by sequence."""

    async def dead_letters(self, *, before: int | None, limit: int) -> list[EventRecord]:
        """Return a page of the events that were given up, newest first."""

    async def replay(self, event_id: str, /) -> Event:
        """Let a dead letter's event happen again; raises `EventNotFoundError`."""

    async def schedules(self, *, after: str, limit: int) -> list[Schedule]:
        """Return a page of what happens again and again, by id."""

    async def cancel(self, id: str, /) -> bool:  # noqa: A002 - of an event or of a schedule
        """Drop an event that is ahead, or end a schedule; False when there is none."""


class DecisionBook(Protocol):
    """Why agents did what they did."""

    async def of_agent(
        self, agent_id: str, /, *, before: int | None, limit: int
    ) -> list[StoredDecision]:
        """Return a page of an agent's decisions, newest first."""

    async def why(self, of: str, /) -> StoredDecision:
        """Return the decision that led to a post, an intent or out of an event, by its id.

        Raises:
            DecisionNotFoundError: none is kept.

        """


class OutboxView(Protocol):
    """What is on its way out, and how the networks do."""

    async def unfinished(self, *, limit: int) -> list[Intent]:
        """Return open intents, oldest first, `limit` at the most."""

    def networks(self) -> list[BreakerReading]:
        """Return how each network does that was asked."""


class ReadableClock(Protocol):
    """Tells the time."""

    def now(self) -> datetime: ...


@runtime_checkable
class SettableClock(Protocol):
    """Tells the time, and runs as fast as it is told to."""

    factor: float
    """Virtual seconds per real second; more than 0."""

    def now(self) -> datetime: ...
