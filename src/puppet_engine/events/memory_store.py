"""Events in this process's memory: for tests, and for engines whose life need not outlast them."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import count, islice
from typing import Final

from typing_extensions import override

from puppet_engine.core.clock import Clock, SystemClock
from puppet_engine.core.errors import EventNotFoundError
from puppet_engine.core.history import EventRecord, Fate, HistoryQuery
from puppet_engine.core.ids import EventId, IdFactory, random_id
from puppet_engine.core.models import Event, EventDraft
from puppet_engine.core.schedules import Schedule
from puppet_engine.storage.base import EventStore, PendingPage

# Looked up once: Python 3.11 takes as long to find a member of an enum as to call a function.
_DONE: Final = Fate.DONE
_DEAD: Final = Fate.DEAD


class _Entry:
    """An event, and what has become of it."""

    __slots__ = ("created_at", "error", "event", "fate", "replayed_as", "settled_as", "settled_at")

    def __init__(self, event: Event, created_at: datetime | None) -> None:
        self.event = event
        self.created_at = created_at
        self.settled_at: datetime | None = None
        self.settled_as: int | None = None
        self.error = ""
        self.fate = Fate.PENDING
        self.replayed_as: EventId | None = None

    def record(self) -> EventRecord:
        return EventRecord(
            event=self.event,
            fate=self.fate,
            created_at=self.created_at or self.event.due_at,
            settled_at=self.settled_at,
            settled_as=self.settled_as,
            error=self.error,
            replayed_as=self.replayed_as,
        )


class InMemoryEventStore(EventStore):
    """Forgets everything with the process, and all but the last `history` events before.

    Dead letters are among those.
    """

    def __init__(
        self, *, clock: Clock | None = None, ids: IdFactory = random_id, history: int = 1_000
    ) -> None:
        self._clock = clock or SystemClock()
        self._ids = ids
        self._history = history
        self._numbers = count(1)
        self._places = count(1)
        self._pending: dict[str, _Entry] = {}
        self._over: dict[str, _Entry] = {}
        self._settled: deque[str] = deque()
        """The ids of `_over` in their order; the beginning of a dictionary is slow to find."""
        self._schedules: dict[str, tuple[Schedule, EventId]] = {}

    @override
    async def append(self, drafts: Sequence[EventDraft]) -> list[Event]:
        now = self._clock.now()
        return [self._keep(draft, now) for draft in drafts]

    def _keep(self, draft: EventDraft, now: datetime) -> Event:
        # What was validated as a draft is not validated again.
        event = Event.model_construct(
            type=draft.type,
            agent_id=draft.agent_id,
            payload=draft.payload,
            priority=draft.priority,
            due_at=draft.due_at,
            id=EventId(self._ids()),
            sequence=next(self._numbers),
        )
        self._pending[event.id] = _Entry(event, now)
        return event

    @override
    async def pending(self, page: PendingPage | None = None) -> list[Event]:
        events = (entry.event for entry in self._pending.values())
        found = sorted(events, key=lambda event: (event.due_at, event.sequence))
        if page is None:
            return found
        return list(islice((event for event in found if _is_on(page, event)), page.limit))

    @override
    async def settle(self, event: Event, *, error: str = "") -> None:
        entry = self._pending.pop(event.id, None)
        if entry is None:
            if event.id in self._over:
                return
            entry = _Entry(event, None)
        self._settle(entry, _DEAD if error else _DONE, error)

    def _settle(self, entry: _Entry, fate: Fate, error: str) -> None:
        entry.fate = fate
        entry.error = error
        entry.settled_at = self._clock.now()
        entry.settled_as = next(self._places)
        event_id = entry.event.id
        self._over[event_id] = entry
        self._settled.append(event_id)
        if len(self._over) > self._history:
            del self._over[self._settled.popleft()]

    @override
    async def postpone(self, event: Event, *, error: str) -> bool:
        if event.id in self._over:
            return False
        entry = self._pending.setdefault(event.id, _Entry(event, self._clock.now()))
        entry.event, entry.error = event, error
        return True

    @override
    async def cancel(self, event_id: str) -> Event | None:
        entry = self._pending.pop(event_id, None)
        if entry is None:
            return None
        self._settle(entry, Fate.CANCELLED, "")
        return entry.event

    # -------------------------------------------------------------- what has happened

    def _newest(self) -> Iterator[_Entry]:
        return reversed(self._over.values())

    @override
    async def recent(self, *, limit: int, types: Collection[str] = ()) -> list[Event]:
        asked = (
            entry.event
            for entry in self._newest()
            if entry.fate is not Fate.CANCELLED and (not types or entry.event.type in types)
        )
        return list(islice(asked, limit))[::-1]

    @override
    async def history(self, query: HistoryQuery) -> list[EventRecord]:
        return _records((e for e in self._newest() if _is_asked(query, e)), query.limit)

    @override
    async def as_of(
        self, moment: datetime, *, agent_id: str | None, after: int, limit: int
    ) -> list[EventRecord]:
        def was_pending(entry: _Entry) -> bool:
            created_at = entry.created_at or entry.event.due_at
            return created_at <= moment and (entry.settled_at or moment) >= moment

        asked = (
            entry
            for entry in (*self._pending.values(), *self._over.values())
            if entry.event.sequence > after
            and (agent_id is None or entry.event.agent_id == agent_id)
            and was_pending(entry)
        )
        return _records(sorted(asked, key=lambda entry: entry.event.sequence), limit)

    @override
    async def dead_letters(self, *, before: int | None, limit: int) -> list[EventRecord]:
        dead = (entry for entry in self._newest() if entry.fate is Fate.DEAD)
        return _records((e for e in dead if before is None or _place(e) < before), limit)

    @override
    async def replay(self, event_id: str, *, due_at: datetime) -> Event:
        entry = self._over.get(event_id)
        if entry is None or entry.fate is not Fate.DEAD:
            raise EventNotFoundError(event_id, "dead letter")
        draft = entry.event.model_copy(update={"due_at": due_at})
        event = self._keep(draft, self._clock.now())
        entry.fate, entry.replayed_as = Fate.REPLAYED, event.id
        return event

    @override
    async def purge(self, before: datetime, *, limit: int) -> int:
        old = [
            event_id
            for event_id, entry in self._over.items()
            if entry.fate is not Fate.DEAD and (entry.settled_at or before) < before
        ]
        for event_id in old[:limit]:
            del self._over[event_id]
        self._settled = deque(self._over)
        return len(old[:limit])

    # -------------------------------------------------------------- what happens again

    @override
    async def add_schedule(self, schedule: Schedule, first: EventDraft) -> Event:
        event = self._occurrence(schedule, first)
        self._schedules[schedule.id] = (schedule, event.id)
        return event

    def _occurrence(self, schedule: Schedule, draft: EventDraft) -> Event:
        event = self._keep(draft, self._clock.now())
        marked = event.model_copy(update={"schedule_id": schedule.id})
        self._pending[event.id].event = marked
        return marked

    @override
    async def schedule(self, schedule_id: str) -> Schedule | None:
        found = self._schedules.get(schedule_id)
        return None if found is None else found[0]

    @override
    async def schedules(self, *, after: str, limit: int) -> list[Schedule]:
        ids = sorted(schedule_id for schedule_id in self._schedules if schedule_id > after)
        return [self._schedules[schedule_id][0] for schedule_id in ids[:limit]]

    @override
    async def plan_next(
        self, event: Event, *, next_at: datetime | None, draft: EventDraft | None
    ) -> Event | None:
        schedule, planned = self._schedules.get(event.schedule_id or "", (None, None))
        if schedule is None or planned != event.id:
            return None
        if draft is None:
            del self._schedules[schedule.id]
            return None
        following = self._occurrence(schedule, draft)
        moved = schedule.model_copy(update={"next_at": next_at})
        self._schedules[schedule.id] = (moved, following.id)
        return following

    @override
    async def end_schedule(self, schedule_id: str) -> EventId | None:
        _, event_id = self._schedules.pop(schedule_id, (None, None))
        return event_id


def _records(entries: Iterable[_Entry], limit: int) -> list[EventRecord]:
    return [entry.record() for entry in islice(entries, limit)]


def _place(entry: _Entry) -> int:
    return entry.settled_as or 0


def _is_asked(query: HistoryQuery, entry: _Entry) -> bool:
    event, settled_at = entry.event, entry.settled_at
    return (
        settled_at is not None
        and (query.agent_id is None or event.agent_id == query.agent_id)
        and (not query.types or event.type in query.types)
        and (query.since is None or settled_at >= query.since)
        and (query.until is None or settled_at <= query.until)
        and (query.before is None or _place(entry) < query.before)
    )


def _is_on(page: PendingPage, event: Event) -> bool:
    place = (event.due_at, event.sequence)
    return (
        event.priority is page.priority
        and (page.after is None or place > page.after)
        and (page.until is None or place <= page.until)
        and (not page.agents or event.agent_id in page.agents)
        and event.agent_id not in page.without
    )
