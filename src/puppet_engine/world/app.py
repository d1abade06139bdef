"""The one application that holds every server of the rehearsal world."""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI


def create_world_app(routers: Iterable[APIRouter]) -> FastAPI:
    """Return an application that serves `routers`, each under the paths of the real service."""
    app = FastAPI(title="Rehearsal world", docs_url=None, redoc_url=None, openapi_url=None)
    for router in routers:
        app.include_router(router)
    return app
