"""The API server: the parts of the engine behind HTTP."""

from collections.abc import Collection

from fastapi import FastAPI

from puppet_engine.api.body_limit import BodyLimit
from puppet_engine.api.dependencies import (
    AgentDirectory,
    BudgetView,
    DecisionBook,
    EventDesk,
    InnerView,
    LifeFeed,
    OutboxView,
    ReadableClock,
)
from puppet_engine.api.errors import install_error_handlers
from puppet_engine.api.guard import Guard
from puppet_engine.api.routes.agents import agent_routes
from puppet_engine.api.routes.budget import budget_routes
from puppet_engine.api.routes.clock import clock_routes
from puppet_engine.api.routes.decisions import decision_routes
from puppet_engine.api.routes.desk import desk_routes
from puppet_engine.api.routes.events import event_routes
from puppet_engine.api.routes.health import health_routes
from puppet_engine.api.routes.knowledge import knowledge_routes
from puppet_engine.api.routes.memory import memory_routes
from puppet_engine.api.routes.minds import mind_routes
from puppet_engine.api.routes.outbox import outbox_routes
from puppet_engine.api.stream import Pace
from puppet_engine.memory.base import MemoryStore


class APIServer:
    """Builds the ASGI application, `app`. What serves it, and where, is not its business.

    The routes of the events and their desk, of the clock, the outbox, the decisions, the
    budget and the minds (moods, people, facts, quarantine) are there when these are.
    Requests are refused whose host is neither loopback nor one of `allowed_hosts`.
    """

    def __init__(  # noqa: PLR0913 - the parts behind the routes, handed in once
        self,
        agent_manager: AgentDirectory,
        memory_store: MemoryStore,
        *,
        feed: LifeFeed | None = None,
        desk: EventDesk | None = None,
        clock: ReadableClock | None = None,
        outbox: OutboxView | None = None,
        decisions: DecisionBook | None = None,
        budget: BudgetView | None = None,
        minds: InnerView | None = None,
        allowed_hosts: Collection[str] = (),
    ) -> None:
        # The usual pages of documentation would load scripts from strangers.
        app = FastAPI(title="Puppet Engine", docs_url=None, redoc_url=None)
        app.add_middleware(BodyLimit)
        app.add_middleware(Guard, allowed_hosts=allowed_hosts)
        install_error_handlers(app)
        app.include_router(health_routes())
        app.include_router(agent_routes(agent_manager))
        app.include_router(memory_routes(agent_manager, memory_store))
        if feed is not None:
            app.include_router(event_routes(feed, pace=Pace()))
        if desk is not None:
            app.include_router(desk_routes(desk))
        if outbox is not None:
            app.include_router(outbox_routes(outbox))
        if decisions is not None:
            app.include_router(decision_routes(agent_manager, decisions))
        if budget is not None:
            app.include_router(budget_routes(budget, agent_manager))
        if minds is not None:
            app.include_router(mind_routes(agent_manager, minds))
            app.include_router(knowledge_routes(agent_manager, minds))
        if clock is not None:
            app.include_router(clock_routes(clock))
        self.app = app
