"""Who may let an agent act, or use an account: one at a time."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncGenerator
from typing import ClassVar

from typing_extensions import override


class AgentLocks(ABC):
    """One holder per agent; who comes while there is one waits."""

    are_shared: ClassVar[bool] = False
    """Whether who holds an agent may be another process."""

    @abstractmethod
    def hold(self, agent_id: str) -> contextlib.AbstractAsyncContextManager[None]:
        """Hold an agent for the length of a block."""

    @abstractmethod
    def hold_here(self, agent_id: str) -> contextlib.AbstractAsyncContextManager[None]:
        """Hold an agent against the tasks of this process alone."""


class LocalAgentLocks(AgentLocks):
    """Locks among the tasks of this process, in the order in which they came.

    An agent that nobody holds costs nothing.
    """

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._users: defaultdict[str, int] = defaultdict(int)

    @override
    @contextlib.asynccontextmanager
    async def hold(self, agent_id: str) -> AsyncGenerator[None]:
        self._users[agent_id] += 1
        try:
            async with self._locks[agent_id]:
                yield
        finally:
            self._users[agent_id] -= 1
            if not self._users[agent_id]:
                del self._users[agent_id], self._locks[agent_id]

    @override
    def hold_here(self, agent_id: str) -> contextlib.AbstractAsyncContextManager[None]:
        return self.hold(agent_id)
