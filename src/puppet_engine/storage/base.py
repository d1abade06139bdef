"""The ports of the storage: what must survive the process, and in which transactions."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from puppet_engine.core.history import EventRecord, HistoryQuery
from puppet_engine.core.ids import EventId, PostId
from puppet_engine.core.minds import KnownMind, Tiding
from puppet_engine.core.models import (
    AgentConfig,
    Event,
    EventDraft,
    Memory,
    Priority,
    TurnOutcome,
)
from puppet_engine.core.schedules import Schedule
from puppet_engine.storage.intent_store import IntentStore


@dataclass(frozen=True, kw_only=True)
class PendingPage:
    """A part of what is pending, of one priority."""

    priority: Priority
    after: tuple[datetime, int] | None = None
    """Only what comes after that (due, sequence)."""
    until: tuple[datetime, int] | None = None
    """Only what comes up to that (due, sequence)."""
    agents: Collection[str | None] = ()
    """Only of these agents; of all, when empty."""
    without: Collection[str | None] = ()
    """Not of these agents."""
    limit: int


class EventStore(ABC):
    """Keeps events, so that none is lost when the process is killed."""

    @abstractmethod
    async def append(self, drafts: Sequence[EventDraft]) -> list[Event]:
        """Keep events that are to happen, number them, and return them. All or none."""

    @abstractmethod
    async def pending(self, page: PendingPage | None = None) -> list[Event]:
        """Return what is not over in the order of (due, sequence): a page of it, or all."""

    @abstractmethod
    async def settle(self, event: Event, *, error: str = "") -> None:
        """Mark an event as over; with an `error`, as a dead letter."""

    @abstractmethod
    async def postpone(self, event: Event, *, error: str) -> bool:
        """Let an event come again, at its new `due_at` and with its new count of failures.

        False when it is over: it stays so.
        """

    @abstractmethod
    async def cancel(self, event_id: str) -> Event | None:
        """Drop an event that has not happened yet, and return it; None when it is over, too."""

    # -------------------------------------------------------------- what has happened

    @abstractmethod
    async def recent(self, *, limit: int, types: Collection[str] = ()) -> list[Event]:
        """Return the events that were over last, oldest first, `limit` at the most.

        Of these `types` only, when there are any. What was cancelled did not happen.
        """

    @abstractmethod
    async def history(self, query: HistoryQuery) -> list[EventRecord]:
        """Return a page of what is over, newest first."""

    @abstractmethod
    async def as_of(
        self, moment: datetime, *, agent_id: str | None, after: int, limit: int
    ) -> list[EventRecord]:
        """Return a page of what was known at a moment and not over, by sequence."""

    @abstractmethod
    async def dead_letters(self, *, before: int | None, limit: int) -> list[EventRecord]:
        """Return a page of what was given up and not replayed since, newest first."""

    @abstractmethod
    async def replay(self, event_id: str, *, due_at: datetime) -> Event:
        """Keep a dead letter's event again as a new one, and return that.

        Raises:
            EventNotFoundError: there is no dead letter of that id.

        """

    @abstractmethod
    async def purge(self, before: datetime, *, limit: int) -> int:
        """Delete events that were over before a moment, `limit` at the most; return how many.

        Dead letters stay: somebody has to replay them first.
        """

    # -------------------------------------------------------------- what happens again

    @abstractmethod
    async def add_schedule(self, schedule: Schedule, first: EventDraft) -> Event:
        """Keep a schedule together with its first occurrence, and return that."""

    @abstractmethod
    async def schedule(self, schedule_id: str) -> Schedule | None:
        """Return a schedule; None when there is none, or it is over."""

    @abstractmethod
    async def schedules(self, *, after: str, limit: int) -> list[Schedule]:
        """Return a page of the schedules that are not over, by id."""

    @abstractmethod
    async def plan_next(
        self, event: Event, *, next_at: datetime | None, draft: EventDraft | None
    ) -> Event | None:
        """Keep the occurrence that comes after `event`, or end the schedule; return what was kept.

        Does nothing, and returns None, when the occurrence after `event` is planned already,
        or the schedule is over.
        """

    @abstractmethod
    async def end_schedule(self, schedule_id: str) -> EventId | None:
        """End a schedule; return the id of the occurrence planned last.

        None when there is no such schedule, or it is over.
        """


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An agent that comes to life here, for the first time or again."""

    config: AgentConfig
    handle: str = ""
    """What it is called on networks; no two agents share one. Empty for none."""
    is_guest: bool = False
    """Whether it was created while others lived, and no file is read for it at each start."""
    first_memories: Sequence[Memory] = ()
    first_events: Sequence[EventDraft] = ()
    routine: Sequence[EventDraft] = ()


class Ledger(ABC):
    """Where what agents do becomes fact. Each method is one transaction: all of it, or nothing."""

    @property
    @abstractmethod
    def intents(self) -> IntentStore:
        """What becomes of the intents that turns have brought."""

    @abstractmethod
    async def enrol(self, arrival: Arrival) -> list[Event]:
        """Take up an agent, and return the events that were kept.

        A new agent gets the memories and events of its first day.
        One that is known already gets its configuration renewed,
        and of its routine what it has no pending event of.
        """

    @abstractmethod
    async def enrol_new(self, arrivals: Sequence[Arrival]) -> list[Event]:
        """Take up many agents that nobody knows, all of them or none; return their events.

        Raises:
            AgentExistsError: an id or a handle is taken.

        """

    @abstractmethod
    async def guests(self, *, limit: int) -> list[str]:
        """Return the first ids of agents that arrived as guests: only the ledger knows them."""

    @abstractmethod
    async def guest(self, agent_id: str) -> AgentConfig | None:
        """Return an agent that arrived as a guest; None when there is none of that id."""

    @abstractmethod
    async def cursor(self, agent_id: str) -> PostId | None:
        """Return the newest mention the agent has seen; None before the first."""

    @abstractmethod
    async def mind(self, agent_id: str, *, about: str | None = None) -> KnownMind:
        """Return what is kept of an agent's mind, with the last tidings that it may hear of.

        Of its relationships the one to whom the turn is `about`, a handle in lower case;
        without one, those to whom it knows best.
        """

    @abstractmethod
    async def is_open(self, event: Event) -> bool:
        """Return whether an event is not over yet: nobody has settled it."""

    @abstractmethod
    async def tell(self, event: Event, tiding: Tiding) -> None:
        """Settle an event that is a tiding, and keep that for the event's agent, or for all.

        In a database an event that is over already is not told again.
        """

    @abstractmethod
    async def commit(
        self, agent_id: str, event: Event | None, outcome: TurnOutcome, *, error: str = ""
    ) -> list[Event]:
        """Settle an event with all that its turn brought, and return the events that were kept.

        In a database a turn whose event is over already keeps nothing: it was taken before.
        """
