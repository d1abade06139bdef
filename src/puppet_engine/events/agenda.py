"""What is ahead: timers, and the due events that wait for their turn.

Of a store that holds more than memory should, only the beginning is held here.
Three rules say which events those are, of each priority and each lane:

- all up to the *horizon* of the priority; everything, where there is none;
- of a lane that has a *mark*, none after it, lest one agent fill the memory;
- whatever is under way is not held any more, and does not come again until it is postponed.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush, nsmallest
from itertools import count
from typing import Final

from puppet_engine.core.models import Event, Priority
from puppet_engine.events.turnstile import Entry, Lane, Mark, Turnstile
from puppet_engine.storage.base import PendingPage

REMEMBERED: Final = 4_096
"""How many dropped events are remembered, lest a page that was read before brings them back."""


class Agenda:
    """The events ahead, all of them or, with a `window`, so many of each priority."""

    def __init__(self, *, window: int | None = None) -> None:
        self.window = window
        self._lane_bound = None if window is None else max(window // 16, 4)
        self._due = Turnstile()
        self._timers: list[Entry] = []
        self._litter = 0
        self._entries = count()
        self._known: dict[str, Event | Lane] = {}
        """By id: the event while it is ahead, its lane while it is under way."""
        self._dropped: dict[str, None] = {}
        self._held = [0 for _ in Priority]
        self._horizons: list[Mark | None] = [None for _ in Priority]
        self._is_partial = [False for _ in Priority]
        self._marked: dict[Lane, None] = {}
        self._passed_by: list[Event] | None = None
        self.rows_waiting = 0
        """How many due events are known to be rows only."""

    def __len__(self) -> int:
        return len(self._known)

    @property
    def waiting(self) -> int:
        """How many events are due and not taken, as far as is known."""
        return len(self._due) + self.rows_waiting

    def is_under_way(self, event_id: str) -> bool:
        return isinstance(self._known.get(event_id), Lane)

    # -------------------------------------------------------------- to and fro

    def add(self, events: Iterable[Event], *, now: datetime) -> None:
        """Put events in their places; one that is there or under way stays as it is."""
        for event in events:
            if event.id not in self._known and event.id not in self._dropped:
                self._add(event, now)
        if self.window is not None and len(self._timers) > 8 * self.window:
            self._cut_timers(self.window)

    def _add(self, event: Event, now: datetime) -> None:
        if self._is_partial[event.priority]:
            horizon = self._horizons[event.priority]
            if horizon is None or (event.due_at, event.sequence) > horizon:
                self._pass_by(event, now)
                return
        entry = (event.due_at, event.sequence, next(self._entries), event)
        if event.due_at > now:
            heappush(self._timers, entry)
        elif not self._line_up(entry, now):
            return
        self._known[event.id] = event
        self._held[event.priority] += 1

    def _line_up(self, entry: Entry, now: datetime) -> bool:
        """Let a due event wait in its lane; False when the lane is not held so far."""
        event = entry[3]
        lane = self._due.lane(event)
        if self._lane_bound is not None:
            if lane.mark is None and len(lane) >= self._lane_bound:
                lane.mark = lane.last()
                self._marked[lane] = None
            if lane.mark is not None and entry[:2] > lane.mark:
                self._pass_by(event, now)
                return False
        self._due.add(lane, entry)
        return True

    def _pass_by(self, event: Event, now: datetime) -> None:
        if event.due_at <= now:
            self.rows_waiting += 1
        if self._passed_by is not None:
            self._passed_by.append(event)

    def ripen(self, now: datetime) -> None:
        """Let the timers that are due wait for their turn."""
        timers = self._timers
        while timers and timers[0][0] <= now:
            entry = heappop(timers)
            event = entry[3]
            if self._known.get(event.id) is event and not self._line_up(entry, now):
                self._forget(event)

    def next(self) -> Event | None:
        """Return who is next of those that are due, or None; it is under way from now on."""
        while (found := self._due.next()) is not None:
            event, lane = found
            # A dropped event leaves its entry behind, even when it comes again later.
            if self._known.get(event.id) is event:
                self._known[event.id] = lane
                self._held[event.priority] -= 1
                return event
            self._due.release(lane)
        return None

    def release(self, event: Event) -> None:
        """Let the next event of an agent come: this one is under way no more."""
        lane = self._known.pop(event.id)
        if isinstance(lane, Lane):
            self._due.release(lane)

    def drop(self, event_id: str) -> None:
        """Take an event off; it does not come back."""
        event = self._known.get(event_id)
        if isinstance(event, Event):
            self._forget(event)
            self._litter += 1
            if self._litter > max(len(self._timers) // 2, 64):
                self._sweep()
        self._dropped[event_id] = None
        if len(self._dropped) > REMEMBERED:
            del self._dropped[next(iter(self._dropped))]

    def _forget(self, event: Event) -> None:
        del self._known[event.id]
        self._held[event.priority] -= 1

    # -------------------------------------------------------------- what is due when

    @property
    def has_timers(self) -> bool:
        return bool(self._timers)

    @property
    def has_due(self) -> bool:
        """Whether events wait for their turn, some perhaps of busy agents."""
        return len(self._due) > 0

    @property
    def has_free(self) -> bool:
        """Whether the next of those that wait may come at once: its agent is not busy."""
        return self._due.has_free

    def next_due_at(self) -> datetime | None:
        """Return when the next timer is due."""
        timers = self._timers
        while timers and self._known.get(timers[0][3].id) is not timers[0][3]:
            heappop(timers)
        return timers[0][0] if timers else None

    # -------------------------------------------------------------- rows

    def begin_partial(self) -> None:
        """Hold nothing of what the store has; `gap` tells then what to read."""
        self._is_partial = [True for _ in Priority]

    def gap(self) -> PendingPage | None:
        """Return what should be read from the store next."""
        if self.window is None or self._lane_bound is None:
            return None
        for lane in self._marked:
            if len(lane) <= self._lane_bound // 2:
                return PendingPage(
                    priority=lane.priority,
                    after=lane.mark,
                    until=self._horizons[lane.priority],
                    agents=(lane.agent.id,),
                    limit=self._lane_bound,
                )
        for priority in Priority:
            if self._is_partial[priority] and self._held[priority] < self.window // 2:
                return PendingPage(
                    priority=priority,
                    after=self._horizons[priority],
                    without=[lane.agent.id for lane in self._marked if lane.priority is priority],
                    limit=self.window // 4,
                )
        return None

    def begin_reading(self) -> None:
        """Remember from now on what is not held: the page that is read may not have it."""
        self._passed_by = []

    def fill(self, asked: PendingPage, page: Sequence[Event], *, now: datetime) -> None:
        """Take in a page of the store, which holds less than was asked for if it is the last."""
        is_last = len(page) < asked.limit
        if asked.agents:
            self._move_mark(asked, page, is_last=is_last)
        else:
            self._is_partial[asked.priority] = not is_last
            last = None if is_last else (page[-1].due_at, page[-1].sequence)
            self._horizons[asked.priority] = last
        passed_by, self._passed_by = self._passed_by or [], None
        due = sum(event.due_at <= now for event in (*page, *passed_by))
        self.rows_waiting = max(0, self.rows_waiting - due)
        self.add(page, now=now)
        self.add(passed_by, now=now)
        if not any(self._is_partial) and not self._marked:
            self.rows_waiting = 0

    def _move_mark(self, asked: PendingPage, page: Sequence[Event], *, is_last: bool) -> None:
        (agent_id,) = asked.agents
        lane = self._due.find_lane(agent_id, asked.priority)
        if lane is None:
            return
        if is_last:
            lane.mark = None
            self._marked.pop(lane, None)
            self._due.tidy(lane)
        else:
            lane.mark = (page[-1].due_at, page[-1].sequence)

    def _cut_timers(self, window: int) -> None:
        """Forget the last timers of the priorities that have more than a window of them."""
        self._sweep()
        for priority in Priority:
            own = [entry for entry in self._timers if entry[3].priority is priority]
            if len(own) > window:
                last = nsmallest(window, own)[-1][:2]
                for entry in own:
                    if entry[:2] > last:
                        self._forget(entry[3])
                self._horizons[priority], self._is_partial[priority] = last, True
        self._sweep()

    def _sweep(self) -> None:
        """Clear away the entries that dropped timers left behind."""
        self._timers = [e for e in self._timers if self._known.get(e[3].id) is e[3]]
        heapify(self._timers)
        self._litter = 0
