"""Events in this process's memory: for tests, and for engines whose life need not outlast them."""

from collections import deque
from collections.abc import Collection, Sequence
from itertools import count

from typing_extensions import override

from puppet_engine.core.ids import EventId, IdFactory, random_id
from puppet_engine.core.models import Event, EventDraft
from puppet_engine.storage.base import EventStore


class InMemoryEventStore(EventStore):
    """Forgets everything with the process, and all but the last `history` events before."""

    def __init__(self, *, ids: IdFactory = random_id, history: int = 1_000) -> None:
        self._ids = ids
        self._numbers = count(1)
        self._pending: dict[str, Event] = {}
        self._over: deque[Event] = deque(maxlen=history)

    @override
    async def append(self, drafts: Sequence[EventDraft]) -> list[Event]:
        events = [
            Event(**draft.model_dump(), id=EventId(self._ids()), sequence=next(self._numbers))
            for draft in drafts
        ]
        self._pending.update((event.id, event) for event in events)
        return events

    @override
    async def pending(self) -> list[Event]:
        return sorted(self._pending.values(), key=lambda event: event.sequence)

    @override
    async def settle(self, event: Event, *, error: str = "") -> None:
        self._pending.pop(event.id, None)
        self._over.append(event)

    @override
    async def postpone(self, event: Event, *, error: str) -> bool:
        if any(over.id == event.id for over in self._over):
            return False
        self._pending[event.id] = event
        return True

    @override
    async def cancel(self, event_id: str) -> bool:
        return self._pending.pop(event_id, None) is not None

    @override
    async def recent(self, *, limit: int, types: Collection[str] = ()) -> list[Event]:
        asked = [event for event in self._over if not types or event.type in types]
        return asked[-limit:] if limit else []
