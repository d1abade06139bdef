"""What the API and the dashboard need of the engine, and nothing more."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from puppet_engine.core.breaker import BreakerReading
from puppet_engine.core.decisions import StoredDecision
from puppet_engine.core.facts import Fact
from puppet_engine.core.history import EventRecord, HistoryQuery
from puppet_engine.core.inner_views import MoodView
from puppet_engine.core.models import AgentConfig, Event, Intent, StoredMemory
from puppet_engine.core.relationships import Relationship
from puppet_engine.core.schedules import Schedule
from puppet_engine.llm.budget_desk import BudgetReport
from puppet_engine.storage.quarantine import HeldMemory


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
            DecisionTidiedAwayError: what it led to is kept, and it is not any more.
            DecisionNotFoundError: neither is.

        """


class InnerView(Protocol):
    """What agents feel, for whom, what they know, and what is kept apart from that."""

    async def mood(self, config: AgentConfig, /, *, before: int | None, limit: int) -> MoodView:
        """Return what an agent feels, and a page of what moved it, newest first."""

    async def relationships(
        self, config: AgentConfig, /, *, after: str, limit: int
    ) -> list[Relationship]:
        """Return a page of how an agent stands with others, by their handles."""

    async def facts(
        self,
        agent_id: str,
        subject: str | None,
        /,
        *,
        as_of: datetime | None,
        known_at: datetime | None,
    ) -> list[Fact]:
        """Return what an agent knows of somebody, or of all."""

    async def quarantined(self, agent_id: str, /, *, limit: int) -> list[HeldMemory]:
        """Return what is kept apart, newest first."""

    async def release(self, agent_id: str, quarantined_id: str, /) -> str:
        """Let it become a memory, and return its id; raises QuarantinedNotFoundError."""

    async def reject(self, agent_id: str, quarantined_id: str, /) -> None:
        """Delete it; raises QuarantinedNotFoundError."""


class OutboxView(Protocol):
    """What is on its way out, and how the networks do."""

    async def unfinished(self, *, limit: int) -> list[Intent]:
        """Return open intents, oldest first, `limit` at the most."""

    def networks(self) -> list[BreakerReading]:
        """Return how each network does that was asked."""


class BudgetView(Protocol):
    """What language models were used for."""

    async def report(self, *, days: int = 1, agent_id: str | None = None) -> BudgetReport:
        """Return what was used today, and in the `days` that end with it."""


class ReadableClock(Protocol):
    """Tells the time."""

    def now(self) -> datetime: ...


@runtime_checkable
class SettableClock(Protocol):
    """Tells the time, and runs as fast as it is told to."""

    factor: float
    """Virtual seconds per real second; more than 0."""

    def now(self) -> datetime: ...
