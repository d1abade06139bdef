"""Who is next of those that are due: one at a time per agent, everybody in turn, nobody last.

Each priority has a queue of agents, and each agent a lane of events in it.
The queue moves round: an agent that has taken an event goes to its end.
The most urgent queue goes first, but each time another is passed over it grows older,
and a queue that is `PATIENCE` old goes before all younger ones.

So in a queue of n agents an event that is the first of its lane
waits for n * (PATIENCE + 3) others at the most, however many those agents have.
"""

from collections import deque
from datetime import datetime
from heapq import heappop, heappush
from typing import Final

from puppet_engine.core.models import Event, Priority

PATIENCE: Final = 16
"""How often a priority is passed over before it comes first."""

Entry = tuple[datetime, int, int, Event]
"""When it is due, its sequence, a number that is no other's, and the event."""

Mark = tuple[datetime, int]
"""A place in the order of one lane."""


class Lane:
    """The due events of one agent and one priority, by (due, sequence)."""

    __slots__ = ("agent", "is_queued", "late", "level", "mark", "priority", "run")

    def __init__(self, agent: "_Agent", priority: Priority, level: "_Level") -> None:
        self.agent = agent
        self.priority = priority
        self.level = level
        self.run: deque[Entry] = deque()
        """Those that came in their order, which nearly all do."""
        self.late: list[Entry] = []
        """A heap of those that came after one that is later than they are."""
        self.is_queued = False
        self.mark: Mark | None = None
        """Up to where the lane is held here, when the rest of it are rows."""

    def __len__(self) -> int:
        return len(self.run) + len(self.late)

    def push(self, entry: Entry) -> None:
        if self.run and entry < self.run[-1]:
            heappush(self.late, entry)
        else:
            self.run.append(entry)

    def pop(self) -> Event:
        if self.late and (not self.run or self.late[0] < self.run[0]):
            return heappop(self.late)[3]
        return self.run.popleft()[3]

    def last(self) -> Mark:
        """Return the place of the last event held; there must be one."""
        return max((*list(self.run)[-1:], *self.late))[:2]


class _Agent:
    __slots__ = ("id", "is_busy", "lanes", "parked")

    def __init__(self, agent_id: str | None) -> None:
        self.id = agent_id
        self.lanes: dict[Priority, Lane] = {}
        self.is_busy = False
        self.parked: list[Lane] = []
        """Lanes whose turn came while the agent was busy."""


class _Level:
    __slots__ = ("age", "queue")

    def __init__(self) -> None:
        self.queue: deque[Lane] = deque()
        self.age = 0


class Turnstile:
    """Lets the events that are due through, one by one."""

    def __init__(self) -> None:
        self._agents: dict[str | None, _Agent] = {}
        self._levels = [_Level() for _ in Priority]
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def lane(self, event: Event) -> Lane:
        """Return the lane of an event, a new one if need be."""
        agent = self._agents.get(event.agent_id)
        if agent is None:
            agent = self._agents[event.agent_id] = _Agent(event.agent_id)
        lane = agent.lanes.get(event.priority)
        if lane is None:
            lane = agent.lanes[event.priority] = Lane(
                agent, event.priority, self._levels[event.priority]
            )
        return lane

    def find_lane(self, agent_id: str | None, priority: Priority) -> Lane | None:
        """Return a lane if there is one."""
        agent = self._agents.get(agent_id)
        return None if agent is None else agent.lanes.get(priority)

    def add(self, lane: Lane, entry: Entry) -> None:
        """Let an event wait in its lane."""
        lane.push(entry)
        self._waiting += 1
        if not lane.is_queued:
            lane.is_queued = True
            lane.level.queue.append(lane)

    @property
    def has_free(self) -> bool:
        """Whether somebody waits whose agent is not busy."""
        for level in self._levels:
            while level.queue:
                lane = level.queue[0]
                if not lane.agent.is_busy:
                    return True
                lane.agent.parked.append(level.queue.popleft())
        return False

    def next(self) -> tuple[Event, Lane] | None:
        """Return who is next, and its lane; its agent is busy until the lane is released."""
        while (level := self._choose()) is not None:
            lane = level.queue.popleft()
            agent = lane.agent
            if agent.is_busy:
                agent.parked.append(lane)
                continue
            level.age = 0
            self._waiting -= 1
            event = lane.pop()
            if agent.id is not None:
                agent.is_busy = True
            else:
                # What happens to nobody does not wait for anybody.
                self._requeue(lane)
            return event, lane
        return None

    def release(self, lane: Lane) -> None:
        """Let the next event of a lane's agent come."""
        agent = lane.agent
        if agent.id is None:
            return
        agent.is_busy = False
        if agent.parked:
            for parked in reversed(agent.parked):
                # Its turn had come, so it does not go to the end again.
                parked.level.queue.appendleft(parked)
            agent.parked.clear()
        self._requeue(lane)

    def _requeue(self, lane: Lane) -> None:
        if lane.run or lane.late:
            lane.level.queue.append(lane)
        else:
            lane.is_queued = False
            self.tidy(lane)

    def tidy(self, lane: Lane) -> None:
        """Forget a lane in which nothing waits, here or as rows, and an agent without one."""
        if lane.is_queued or lane.mark is not None or lane:
            return
        agent = lane.agent
        agent.lanes.pop(lane.priority, None)
        if not agent.lanes and not agent.is_busy:
            self._agents.pop(agent.id, None)

    def _choose(self) -> _Level | None:
        first = oldest = None
        for level in self._levels:
            if not level.queue:
                continue
            if first is None:
                first = level
                continue
            level.age += 1
            if level.age > PATIENCE and (oldest is None or level.age > oldest.age):
                oldest = level
        return oldest or first
