"""The ports of the event engine."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from puppet_engine.core.history import EventRecord, HistoryQuery
from puppet_engine.core.models import Event, EventDraft, EventTemplate
from puppet_engine.core.schedules import Recurrence, Schedule

Listener = Callable[[Event], Awaitable[None]]
"""Is told of events once they are over. What it raises harms nobody but itself."""


class Consumer(ABC):
    """Takes the events that happen to agents, and settles each in a transaction of its own."""

    @abstractmethod
    def takes(self, event: Event) -> bool:
        """Say whether the event is the consumer's to settle."""

    @abstractmethod
    async def consume(self, event: Event) -> bool:
        """Do what the event asks for, settle it, and return True.

        False leaves it pending, for a process in which it can happen.
        """

    @abstractmethod
    async def abandon(self, event: Event, *, error: str) -> None:
        """Settle an event that failed too often, and keep the agent's routine going."""

    async def recover(self, agent_id: str) -> None:
        """Finish what a process may have left half done that died in an agent's turn."""


class Engine(ABC):
    """Lets things happen when they are due, and remembers that they did.

    *Order.* Of what is due, one agent's events of one priority are taken strictly in the order
    of (`due_at`, `sequence`), one at a time per agent.
    Which agent and which priority come next is the implementation's, within two promises:
    no priority waits for ever, and an agent with many events does not hold up another.

    *Durability.* An event is kept when the method that gave it returns,
    and stays pending until it is settled, whatever happens to the process.
    An event whose process died may come again; that it has no effect twice is the consumer's work.
    """

    # -------------------------------------------------------------- life

    @property
    @abstractmethod
    def is_running(self) -> bool:
        """Whether events are being taken."""

    @abstractmethod
    async def load(self) -> None:
        """Take up what was pending when the last process ended. `start` does it by itself."""

    @abstractmethod
    async def start(self) -> None:
        """Begin to take events. Calling it again does nothing."""

    @abstractmethod
    async def stop(self) -> None:
        """Finish the turns under way, then stop; what is not taken yet stays pending."""

    @abstractmethod
    async def join(self) -> None:
        """Wait until the engine ends, and raise what ended it.

        Raises:
            NotRunningError: the engine was not started.

        """

    # -------------------------------------------------------------- what is to happen

    @abstractmethod
    def consume_with(self, consumer: Consumer) -> None:
        """Name the one who settles what happens to agents; the engine settles the rest."""

    @abstractmethod
    async def publish(self, *drafts: EventDraft) -> list[Event]:
        """Keep events, all or none, and let them happen when they are due.

        Raises:
            BacklogFullError: too much waits already; nothing was kept.

        """

    @abstractmethod
    def accept(self, events: Sequence[Event]) -> None:
        """Let events happen that a transaction of somebody else's has already kept."""

    async def schedule_at(self, moment: datetime, template: EventTemplate) -> Event:
        """Let something happen once, at a moment. Raises as `publish` does."""
        draft = EventDraft.model_validate({**template.model_dump(), "due_at": moment})
        (event,) = await self.publish(draft)
        return event

    @abstractmethod
    async def schedule_after(self, delay: timedelta, template: EventTemplate) -> Event:
        """Let something happen once, so long from now. Raises as `publish` does."""

    @abstractmethod
    async def schedule_every(self, recurrence: Recurrence, template: EventTemplate) -> Schedule:
        """Let something happen again and again; kept until it is cancelled or over.

        Moments that pass while nothing takes events are made up for by one occurrence.

        Raises:
            ConfigurationError: the rule cannot be read, or never comes true.

        """

    @abstractmethod
    async def schedules(self, *, after: str = "", limit: int = 100) -> list[Schedule]:
        """Return the schedules that are not over, by id, those after the id `after`."""

    @abstractmethod
    async def cancel(self, id: str) -> bool:  # noqa: A002 - of an event or of a schedule
        """Drop an event that has not happened yet, or end a schedule with what it has pending.

        False when it is over, under way or unknown. A schedule can be ended
        while an occurrence is under way; that one is finished.
        When one occurrence is dropped its schedule goes on with the next.
        """

    @abstractmethod
    async def settle(self, event: Event) -> None:
        """Mark an event as over, for a consumer that keeps no transactions of its own."""

    # -------------------------------------------------------------- what happens

    @abstractmethod
    def subscribe(self, event_type: str, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every event of a type (`*` for all) once it is over.

        Each listener is told in order, one event at a time, and nobody waits for it.
        When it is so far behind that its bounded buffer is full, it misses what comes,
        and the log says how much. Returns the function that ends the subscription.
        """

    @abstractmethod
    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Open a live view: every event that is over from now on, in order.

        The iterator raises `FellBehindError` when who watches is too slow for its bounded buffer.
        """

    # -------------------------------------------------------------- what has happened

    @abstractmethod
    async def recent(self, *, limit: int, types: Collection[str] = ()) -> list[Event]:
        """Return the events that were over last, oldest first; of some `types` only, if any."""

    @abstractmethod
    async def history(self, query: HistoryQuery) -> list[EventRecord]:
        """Return a page of what is over, newest first, as far back as it is retained."""

    @abstractmethod
    async def as_of(
        self, moment: datetime, *, agent_id: str | None = None, after: int = 0, limit: int = 100
    ) -> list[EventRecord]:
        """Return a page of what was known at a moment and not yet over then.

        In the order of their sequence, those after the sequence `after`.
        What has happened since is told with each. Events whose record is no longer
        retained are missing.
        """

    # -------------------------------------------------------------- what failed

    @abstractmethod
    async def dead_letters(
        self, *, before: int | None = None, limit: int = 100
    ) -> list[EventRecord]:
        """Return a page of the events that were given up, newest first, with the reason.

        Those given up before the place `before`: the `settled_as` of the last page's last.
        """

    @abstractmethod
    async def replay(self, event_id: str) -> Event:
        """Let what a dead letter is about happen again, now, as a new event; return that.

        Raises:
            EventNotFoundError: there is no dead letter of that id.

        """
