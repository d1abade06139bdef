"""The time of the agents, and how fast it passes."""

from http import HTTPStatus

from fastapi import APIRouter, HTTPException

from puppet_engine.api.dependencies import ReadableClock, SettableClock
from puppet_engine.api.schemas import ClockIn, ClockState, Success


def clock_routes(clock: ReadableClock) -> APIRouter:
    """Return the routes of the clock."""
    router = APIRouter(prefix="/clock", tags=["clock"])

    @router.get("")
    async def read_clock() -> Success[ClockState]:
        return Success(data=_state(clock))

    @router.put("")
    async def set_clock(wanted: ClockIn) -> Success[ClockState]:
        if not isinstance(clock, SettableClock):
            raise HTTPException(
                HTTPStatus.CONFLICT, "the agents live in real time; it has one speed"
            )
        clock.factor = wanted.factor
        return Success(data=_state(clock))

    return router


def _state(clock: ReadableClock) -> ClockState:
    factor = clock.factor if isinstance(clock, SettableClock) else None
    return ClockState(now=clock.now(), factor=factor)
