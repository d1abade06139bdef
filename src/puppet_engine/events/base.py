"""The ports of the event engine."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence

from puppet_engine.core.models import Event, EventDraft

Listener = Callable[[Event], Awaitable[None]]
"""Is told of events once they are over. What it raises harms nobody but itself."""


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
    async def postpone(self, event: Event, *, error: str) -> None:
        """Let an event come again, at its new `due_at` and with its new count of failures."""

    @abstractmethod
    async def cancel(self, event_id: str) -> bool:
        """Drop an event that has not happened yet; False when it is over or unknown."""

    @abstractmethod
    async def recent(self, *, limit: int) -> list[Event]:
        """Return the events that were over last, oldest first, `limit` at the most."""


class Consumer(ABC):
    """Takes the events that happen to agents, and settles each in a transaction of its own."""

    @abstractmethod
    def takes(self, event: Event) -> bool:
        """Say whether the event is the consumer's to settle."""

    @abstractmethod
    async def consume(self, event: Event) -> None:
        """Do what the event asks for. The event is settled when this returns."""
