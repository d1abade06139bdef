"""The dashboard's place in the server: the page, its stream, its clock, its files."""

import contextlib
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, FastAPI, Header, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from pydantic import TypeAdapter, ValidationError
from starlette.staticfiles import StaticFiles

from puppet_engine.api.dependencies import (
    AgentDirectory,
    DecisionBook,
    LifeFeed,
    ReadableClock,
    SettableClock,
)
from puppet_engine.api.schemas import FASTEST, Factor, SequenceNumber
from puppet_engine.api.stream import EventStream, Pace
from puppet_engine.dashboard.life import Life
from puppet_engine.dashboard.pages import HERE
from puppet_engine.dashboard.tally import Tally

PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    # Not `no-referrer`: with it, browsers hide the origin of our own form from us.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

PACE: Final = Pace(idle_seconds=1)
"""The page's clock goes on when nothing happens."""

FACTOR: Final[TypeAdapter[float]] = TypeAdapter(Factor)


class Dashboard:
    """The page on which people watch the agents, and set how fast their time passes."""

    def __init__(
        self,
        *,
        agents: AgentDirectory,
        feed: LifeFeed,
        clock: ReadableClock,
        decisions: DecisionBook | None = None,
        pace: Pace = PACE,
    ) -> None:
        self._decisions = decisions
        self._clock = clock
        self._tally = Tally(feed)
        self._life = Life(
            agents=agents,
            feed=feed,
            clock=clock,
            tally=self._tally,
            pace=pace,
            explains=decisions is not None,
        )

    def install(self, app: FastAPI) -> None:
        """Add the page to an application, in whose lifespan it counts posts and memories."""
        router = APIRouter(include_in_schema=False, lifespan=self._lifespan)
        router.add_api_route("/", self._show, response_class=HTMLResponse)
        router.add_api_route("/live", self._stream, response_class=StreamingResponse)
        router.add_api_route("/dashboard/clock", self._set_clock, methods=["POST"])
        if self._decisions is not None:
            router.add_api_route("/why/{of}", self._explain, response_class=HTMLResponse)
        app.include_router(router)
        app.mount("/static", StaticFiles(directory=HERE / "static"))

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: object) -> AsyncGenerator[None]:
        async with self._tally.counting():
            yield

    async def _show(self) -> HTMLResponse:
        return HTMLResponse(await self._life.page(), headers=PAGE_HEADERS)

    async def _explain(self, of: str) -> HTMLResponse:
        if self._decisions is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "no decisions are kept here")
        return HTMLResponse(
            self._life.explained(await self._decisions.why(of)), headers=PAGE_HEADERS
        )

    async def _stream(
        self,
        after: SequenceNumber = 0,
        last_event_id: Annotated[SequenceNumber | None, Header()] = None,
    ) -> EventStream:
        start = last_event_id if last_event_id is not None else after
        return EventStream(self._life.frames(after=start))

    async def _set_clock(self, request: Request) -> RedirectResponse:
        if not isinstance(self._clock, SettableClock):
            raise HTTPException(HTTPStatus.CONFLICT, "the agents live in real time")
        form = parse_qs((await request.body()).decode(errors="replace"))
        try:
            self._clock.factor = FACTOR.validate_python(form.get("factor", [""])[-1])
        except ValidationError as error:
            raise HTTPException(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"factor: give a number above 0, {FASTEST} at most",
            ) from error
        return RedirectResponse("/", status_code=HTTPStatus.SEE_OTHER)
