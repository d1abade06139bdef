"""The agents: who they are, a new one, a post now."""

from http import HTTPStatus

from fastapi import APIRouter

from puppet_engine.api.dependencies import AgentDirectory
from puppet_engine.api.schemas import (
    AgentCreated,
    AgentList,
    AgentOut,
    PostCreated,
    PostRequest,
    Success,
)
from puppet_engine.core.models import AgentConfig


def agent_routes(agents: AgentDirectory) -> APIRouter:
    """Return the routes of the agents."""
    router = APIRouter(prefix="/agents", tags=["agents"])

    @router.get("")
    async def list_agents() -> Success[AgentList]:
        listed = sorted(agents.agents.values(), key=lambda agent: agent.id)
        return Success(data=AgentList(agents=[AgentOut.of(agent) for agent in listed]))

    @router.get("/{agent_id}")
    async def show_agent(agent_id: str) -> Success[AgentOut]:
        return Success(data=AgentOut.of(await agents.find_agent(agent_id)))

    @router.post("", status_code=HTTPStatus.CREATED)
    async def create_agent(config: AgentConfig) -> Success[AgentCreated]:
        return Success(data=AgentCreated(agent_id=await agents.create_agent(config)))

    @router.post("/{agent_id}/posts", status_code=HTTPStatus.CREATED)
    async def trigger_post(
        agent_id: str, request: PostRequest | None = None
    ) -> Success[PostCreated]:
        context = request.context if request is not None else {}
        return Success(data=PostCreated(post_id=await agents.trigger_post(agent_id, context)))

    return router
