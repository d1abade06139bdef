"""The ports of the storage: what must survive the process, and in which transactions."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from puppet_engine.core.ids import PostId
from puppet_engine.core.models import (
    AgentConfig,
    Effect,
    Event,
    EventDraft,
    Intent,
    IntentKind,
    Memory,
    TurnOutcome,
)


class EventStore(ABC):
    """Keeps events, so that none is lost when the process is killed."""

    @abstractmethod
    async def append(self, drafts: Sequence[EventDraft]) -> list[Event]:
        """Keep events that are to happen, number them, and return them. All or none."""

    @abstractmethod
    async def pending(self) -> list[Event]:
        """Return every event that is not over, in the order of their sequence."""

    @abstractmethod
    async def settle(self, event: Event, *, error: str = "") -> None:
        """Mark an event as over; with an `error`, as one that could not be handled."""

    @abstractmethod
    async def postpone(self, event: Event, *, error: str) -> bool:
        """Let an event come again, at its new `due_at` and with its new count of failures.

        False when it is over: it stays so.
        """

    @abstractmethod
    async def cancel(self, event_id: str) -> bool:
        """Drop an event that has not happened yet; False when it is over or unknown."""

    @abstractmethod
    async def recent(self, *, limit: int, types: Collection[str] = ()) -> list[Event]:
        """Return the events that were over last, oldest first, `limit` at the most.

        Of these `types` only, when there are any.
        """


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An agent that comes to life here, for the first time or again."""

    config: AgentConfig
    is_guest: bool = False
    """Whether it was created while others lived, and no file is read for it at each start."""
    first_memories: Sequence[Memory] = ()
    first_events: Sequence[EventDraft] = ()
    routine: Sequence[EventDraft] = ()


class Ledger(ABC):
    """Where what agents do becomes fact. Each method is one transaction: all of it, or nothing."""

    @abstractmethod
    async def enrol(self, arrival: Arrival) -> list[Event]:
        """Take up an agent, and return the events that were kept.

        A new agent gets the memories and events of its first day.
        One that is known already gets its configuration renewed,
        and of its routine what it has no pending event of.
        """

    @abstractmethod
    async def guests(self) -> list[AgentConfig]:
        """Return the agents that arrived as guests: nobody but the ledger knows them."""

    @abstractmethod
    async def cursor(self, agent_id: str) -> PostId | None:
        """Return the newest mention the agent has seen; None before the first."""

    @abstractmethod
    async def commit(
        self, agent_id: str, event: Event | None, outcome: TurnOutcome, *, error: str = ""
    ) -> list[Event]:
        """Settle an event with all that its turn brought, and return the events that were kept.

        In a database a turn whose event is over already keeps nothing: it was taken before.
        """

    @abstractmethod
    async def open_intents(self, agent_id: str) -> list[Intent]:
        """Return an agent's intents that are neither done nor refused, oldest first."""

    @abstractmethod
    async def journals(
        self, agent_id: str, kind: IntentKind, *, since: datetime
    ) -> list[Mapping[str, Any]]:
        """Return what was noted before each attempt at intents of a kind, made since `since`.

        An intent that was released counts with what was noted for it last.
        """

    @abstractmethod
    async def begin(self, intent: Intent, journal: Mapping[str, Any]) -> Intent:
        """Note that an intent is about to be carried out, and by what it can be looked up."""

    @abstractmethod
    async def release(self, intent: Intent) -> Intent:
        """Note that an attempt is known to have done nothing; the intent is pending again."""

    @abstractmethod
    async def complete(self, intent: Intent, effect: Effect) -> list[Event]:
        """Mark an intent as done, with its memory, and return the events that were kept."""

    @abstractmethod
    async def refuse(self, intent: Intent, reason: str, event: EventDraft) -> list[Event]:
        """Mark an intent as refused for good, and return the events that were kept."""
