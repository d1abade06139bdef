"""What agents know of people, and what they were told and do not remember."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from puppet_engine.api.dependencies import AgentDirectory, InnerView
from puppet_engine.api.schemas import (
    FactList,
    FactOut,
    Limit,
    MemoryCreated,
    QuarantineList,
    Success,
)

Offset = Annotated[int, Query(ge=0, description="How many are passed over.")]
Subject = Annotated[str | None, Query(max_length=255, description="A handle or a name.")]


def knowledge_routes(agents: AgentDirectory, minds: InnerView) -> APIRouter:
    """Return the routes of facts and of the quarantine."""
    router = APIRouter(prefix="/memory/{agent_id}", tags=["memory"])

    @router.get("/facts")
    async def list_facts(
        agent_id: str,
        subject: Subject = None,
        as_of: AwareDatetime | None = None,
        known_at: AwareDatetime | None = None,
        offset: Offset = 0,
        limit: Limit = 50,
    ) -> Success[FactList]:
        """Return what was so at a moment, as far as was known at one; both are now if left out."""
        agent = await agents.find_agent(agent_id)
        known = await minds.facts(agent.id, subject, as_of=as_of, known_at=known_at)
        page = known[offset : offset + limit]
        return Success(data=FactList(facts=[FactOut.of(fact) for fact in page]))

    @router.get("/quarantine")
    async def list_quarantine(agent_id: str, limit: Limit = 50) -> Success[QuarantineList]:
        """Return what the agent was told and does not remember, and why, newest first."""
        agent = await agents.find_agent(agent_id)
        held = await minds.quarantined(agent.id, limit=limit)
        return Success(data=QuarantineList(quarantine=held))

    @router.post("/quarantine/{quarantined_id}/release", status_code=HTTPStatus.CREATED)
    async def release(agent_id: str, quarantined_id: str) -> Success[MemoryCreated]:
        """Let it become a memory, trusted as the operator's own words."""
        agent = await agents.find_agent(agent_id)
        memory_id = await minds.release(agent.id, quarantined_id)
        return Success(data=MemoryCreated(memory_id=memory_id))

    @router.delete("/quarantine/{quarantined_id}", status_code=HTTPStatus.NO_CONTENT)
    async def reject(agent_id: str, quarantined_id: str) -> None:
        agent = await agents.find_agent(agent_id)
        await minds.reject(agent.id, quarantined_id)

    return router
