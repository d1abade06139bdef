"""Whether the server answers."""

from fastapi import APIRouter

from puppet_engine.api.schemas import Health, Success


def health_routes() -> APIRouter:
    """Return the route that says that the server is there."""
    router = APIRouter(tags=["health"])

    @router.get("/health")
    async def check_health() -> Success[Health]:
        return Success(data=Health())

    return router
