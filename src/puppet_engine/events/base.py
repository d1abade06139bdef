"""The ports of the event engine."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from puppet_engine.core.models import Event

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
