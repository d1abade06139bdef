"""The port to what agents remember."""

from abc import ABC, abstractmethod

from puppet_engine.core.models import Memory, StoredMemory
from puppet_engine.memory.forgetting import LettingGo
from puppet_engine.memory.recollection import Recollection


class MemoryStore(ABC):
    """Keeps the memories of any number of agents, each agent's apart from the others'."""

    @abstractmethod
    async def initialize(self) -> None:
        """Open the store. Calling it again does nothing."""

    @abstractmethod
    async def close(self) -> None:
        """Close the store. Calling it again does nothing."""

    @abstractmethod
    async def add_memory(self, agent_id: str, memory: Memory) -> str:
        """Keep a memory for ever, and return its id. It is committed when this returns."""

    @abstractmethod
    async def get_memories(self, agent_id: str, *, limit: int = 50) -> list[StoredMemory]:
        """Return an agent's memories, newest first, `limit` at the most."""

    @abstractmethod
    async def search_memories(
        self, agent_id: str, query: str, *, limit: int = 10
    ) -> list[StoredMemory]:
        """Return what comes to an agent's mind at `query`, best first, `limit` at the most.

        Something always comes to mind: fewer than `limit` are returned only to an agent
        that has fewer memories.
        """

    @abstractmethod
    async def recollect(
        self, agent_id: str, query: str, *, question: str | None = None, limit: int = 10
    ) -> Recollection:
        """Return what comes to an agent's mind, how sure it may be, and what disagrees in it.

        `question` is what it is to answer, where `query` holds more than that.
        """

    @abstractmethod
    async def delete_memory(self, agent_id: str, memory_id: str) -> None:
        """Forget one memory.

        Raises:
            MemoryNotFoundError: the agent has no memory of that id.

        """

    async def letting_go(self, agent_id: str) -> LettingGo:  # noqa: ARG002
        """Return what an agent must forget to have room for more; of a store without end, nothing.

        Nothing is forgotten by that: a turn makes it fact.
        """
        return LettingGo()
