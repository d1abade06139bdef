"""What is to happen next: a queue in the order of (due, agent, sequence)."""

import heapq
from collections.abc import Iterable, Set as AbstractSet
from datetime import datetime
from itertools import count

from puppet_engine.core.models import Event


class Agenda:
    """The events ahead. An agent that is busy lets the others go first."""

    def __init__(self) -> None:
        self._queue: list[tuple[datetime, str, int, int, Event]] = []
        self._entries = count()
        self._known: dict[str, Event] = {}

    def __len__(self) -> int:
        return len(self._known)

    def add(self, events: Iterable[Event]) -> None:
        """Put events in their places; one that is there already stays where it is."""
        for event in events:
            if event.id not in self._known:
                self._known[event.id] = event
                order = (event.due_at, event.agent_id or "", event.sequence)
                heapq.heappush(self._queue, (*order, next(self._entries), event))

    def drop(self, event_id: str) -> None:
        """Take an event off; nothing happens when it is not there."""
        self._known.pop(event_id, None)

    def next(self, *, busy: AbstractSet[str] = frozenset()) -> Event | None:
        """Return the first event of an agent that is not busy; it stays on the agenda."""
        passed = []
        found = None
        while self._queue and found is None:
            entry = heapq.heappop(self._queue)
            event = entry[-1]
            # A dropped event leaves its entry behind, even when it comes again later.
            if self._known.get(event.id) is not event:
                continue
            passed.append(entry)
            if event.agent_id not in busy:
                found = event
        for entry in passed:
            heapq.heappush(self._queue, entry)
        return found
