"""What language models were used for, and what is left."""

from typing import Annotated

from fastapi import APIRouter, Query

from puppet_engine.api.dependencies import AgentDirectory, BudgetView
from puppet_engine.api.schemas import Success
from puppet_engine.llm.budget_desk import BudgetReport

Days = Annotated[int, Query(ge=1, le=400)]


def budget_routes(budget: BudgetView, agents: AgentDirectory) -> APIRouter:
    """Return the routes of what models cost."""
    router = APIRouter(tags=["budget"])

    @router.get("/budget")
    async def read_budget(days: Days = 1) -> Success[BudgetReport]:
        """Return what all agents have used today, and in the last days, today included."""
        return Success(data=await budget.report(days=days))

    @router.get("/agents/{agent_id}/budget")
    async def read_budget_of(agent_id: str, days: Days = 1) -> Success[BudgetReport]:
        """Return the same of one agent."""
        agent = await agents.find_agent(agent_id)
        return Success(data=await budget.report(days=days, agent_id=agent.id))

    return router
