"""What is on its way out."""

from fastapi import APIRouter

from puppet_engine.api.dependencies import OutboxView
from puppet_engine.api.schemas import IntentOut, Limit, OutboxState, Success


def outbox_routes(outbox: OutboxView) -> APIRouter:
    """Return the routes of the outbox."""
    router = APIRouter(prefix="/outbox", tags=["outbox"])

    @router.get("")
    async def read_outbox(limit: Limit = 100) -> Success[OutboxState]:
        """Return what agents want done outside and is not done, and how the networks do."""
        intents = await outbox.unfinished(limit=limit)
        state = OutboxState(
            intents=[IntentOut.of(intent) for intent in intents], networks=outbox.networks()
        )
        return Success(data=state)

    return router
