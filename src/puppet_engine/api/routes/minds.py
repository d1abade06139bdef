"""What agents feel, and how they stand with others."""

from typing import Annotated

from fastapi import APIRouter, Query

from puppet_engine.api.dependencies import AgentDirectory, InnerView
from puppet_engine.api.schemas import Limit, RelationshipPage, Success
from puppet_engine.core.inner_views import MoodView


def mind_routes(agents: AgentDirectory, minds: InnerView) -> APIRouter:
    """Return the routes of moods and relationships."""
    router = APIRouter(prefix="/agents/{agent_id}", tags=["minds"])

    @router.get("/mood")
    async def read_mood(
        agent_id: str,
        limit: Limit = 50,
        before: Annotated[int | None, Query(ge=0, description="Those before that number.")] = None,
    ) -> Success[MoodView]:
        """Return the mood of this moment, and what has moved the agent, newest first."""
        agent = await agents.find_agent(agent_id)
        return Success(data=await minds.mood(agent.config, before=before, limit=limit))

    @router.get("/relationships")
    async def list_relationships(
        agent_id: str,
        limit: Limit = 50,
        after: Annotated[str, Query(max_length=255, description="Those after a handle.")] = "",
    ) -> Success[RelationshipPage]:
        """Return how the agent stands with others at this moment, by their handles."""
        agent = await agents.find_agent(agent_id)
        page = await minds.relationships(agent.config, after=after, limit=limit)
        return Success(data=RelationshipPage(relationships=page))

    return router
