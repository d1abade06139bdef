"""Which agents are in memory: those with a file always, the others while they have work."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from weakref import WeakValueDictionary

from puppet_engine.agents.agent import Agent

AtHand = Callable[[str], AbstractAsyncContextManager[Agent | None]]
"""Keeps an agent in memory for the length of a block; gives None if nobody knows it."""

Find = Callable[[str], Awaitable[Agent | None]]
"""Makes an agent from its rows; None when nobody knows it."""

Leave = Callable[[Agent], Awaitable[None]]
"""Lets go of all that is held for an agent beside its rows."""


class Residents:
    """The agents in memory. Of those that only rows know, `limit` stay, and those at work."""

    def __init__(self, *, limit: int, find: Find, leave: Leave) -> None:
        self.agents: dict[str, Agent] = {}
        self.are_active = False
        self._by_handle: dict[str, Agent] = {}
        self._limit = limit
        self._find = find
        self._leave = leave
        self._guests: OrderedDict[str, None] = OrderedDict()
        """Those that may leave, the one that has been idle longest first."""
        self._at_work: Counter[str] = Counter()
        self._doors: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def settle_in(self, agent: Agent, *, may_leave: bool) -> None:
        """Take an agent in; one that may not leave stays until the process ends."""
        agent.is_active = self.are_active
        self.agents[agent.id] = agent
        self._by_handle[agent.handle.lower()] = agent
        if may_leave:
            self._guests[agent.id] = None

    def activate(self) -> None:
        """Make all agents active, and those that come later, too."""
        self.are_active = True
        for agent in self.agents.values():
            agent.is_active = True

    def with_handle(self, handle: str) -> Agent | None:
        """Return the agent in memory that goes by a handle, in whatever case it is written."""
        return self._by_handle.get(handle.lower())

    @asynccontextmanager
    async def at_hand(self, agent_id: str) -> AsyncGenerator[Agent | None]:
        """Keep an agent in memory for the length of a block; give None if nobody knows it."""
        self._at_work[agent_id] += 1
        try:
            yield self.agents.get(agent_id) or await self._call_in(agent_id)
        finally:
            self._at_work[agent_id] -= 1
            if not self._at_work[agent_id]:
                del self._at_work[agent_id]
            if agent_id in self._guests:
                self._guests.move_to_end(agent_id)
            if len(self._guests) > self._limit:
                await self.make_room()

    async def make_room(self) -> None:
        """Let the agents leave that have been idle longest, until no more than `limit` stay."""
        idle = (agent_id for agent_id in self._guests if agent_id not in self._at_work)
        surplus = max(0, len(self._guests) - self._limit)
        leaving = [agent_id for agent_id, _ in zip(idle, range(surplus), strict=False)]
        for agent_id in leaving:
            del self._guests[agent_id]
        # Out of sight at once, so that whoever comes meanwhile finds them whole or not at all.
        gone = [self.agents.pop(agent_id) for agent_id in leaving]
        for agent in gone:
            self._by_handle.pop(agent.handle.lower(), None)
        for agent in gone:
            agent.is_active = False
            await self._leave(agent)

    async def _call_in(self, agent_id: str) -> Agent | None:
        async with self._doors.setdefault(agent_id, asyncio.Lock()):
            if agent_id in self.agents:
                return self.agents[agent_id]
            agent = await self._find(agent_id)
            if agent is not None:
                self.settle_in(agent, may_leave=True)
        return agent
