"""What agents remember."""

from http import HTTPStatus

from fastapi import APIRouter

from puppet_engine.api.dependencies import AgentDirectory
from puppet_engine.api.schemas import (
    Limit,
    MemoryCreated,
    MemoryIn,
    MemoryList,
    MemoryOut,
    Success,
)
from puppet_engine.memory.base import MemoryStore


def memory_routes(agents: AgentDirectory, memories: MemoryStore) -> APIRouter:
    """Return the routes of the memories."""
    router = APIRouter(prefix="/memory/{agent_id}", tags=["memory"])

    @router.get("")
    async def list_memories(
        agent_id: str, query: str | None = None, limit: Limit = 50
    ) -> Success[MemoryList]:
        """Return the newest memories, or with a query what comes to mind at it, best first."""
        if query is None:
            found = await agents.get_memories(agent_id, limit=limit)
        else:
            agent = await agents.find_agent(agent_id)
            found = await memories.search_memories(agent.id, query, limit=limit)
        return Success(data=MemoryList(memories=[MemoryOut.of(memory) for memory in found]))

    @router.post("", status_code=HTTPStatus.CREATED)
    async def add_memory(agent_id: str, memory: MemoryIn) -> Success[MemoryCreated]:
        memory_id = await agents.add_memory(agent_id, memory.content, memory.type.value)
        return Success(data=MemoryCreated(memory_id=memory_id))

    @router.delete("/{memory_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete_memory(agent_id: str, memory_id: str) -> None:
        agent = await agents.find_agent(agent_id)
        await memories.delete_memory(agent.id, memory_id)

    return router
