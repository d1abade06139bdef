"""Why agents did what they did."""

from typing import Annotated

from fastapi import APIRouter, Query

from puppet_engine.api.dependencies import AgentDirectory, DecisionBook
from puppet_engine.api.schemas import DecisionOut, DecisionPage, Limit, Success


def decision_routes(agents: AgentDirectory, decisions: DecisionBook) -> APIRouter:
    """Return the routes of the decisions."""
    router = APIRouter(tags=["decisions"])

    @router.get("/agents/{agent_id}/decisions")
    async def list_decisions(
        agent_id: str,
        limit: Limit = 50,
        before: Annotated[int | None, Query(ge=0, description="Those before that number.")] = None,
    ) -> Success[DecisionPage]:
        agent = await agents.find_agent(agent_id)
        page = await decisions.of_agent(agent.id, before=before, limit=limit)
        return Success(data=DecisionPage(decisions=page))

    @router.get("/decisions/{of}")
    async def show_decision(of: str) -> Success[DecisionOut]:
        """Return why there is a post or an intent, or what an event has led to, by its id."""
        return Success(data=DecisionOut(decision=await decisions.why(of)))

    return router
