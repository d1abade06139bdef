"""The world's X for tests: in this process, or behind a real socket."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2
from fastapi import FastAPI

from puppet_engine.core.clock import Clock, SystemClock, VirtualClock
from puppet_engine.twitter.client import TwitterClient
from puppet_engine.world.app import create_world_app
from puppet_engine.world.server import LoopbackServer
from puppet_engine.world.x.journal import InMemoryJournal, Journal
from puppet_engine.world.x.routes import create_x_router
from puppet_engine.world.x.site import XSite

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
IN_PROCESS = "http://x.test"


@dataclass
class Stage:
    """A site, the way to it, and clients for accounts on it."""

    site: XSite
    app: FastAPI
    clock: VirtualClock
    base_url: str = IN_PROCESS
    clients: list[TwitterClient] = field(default_factory=list)

    def transport(self) -> httpx2.AsyncBaseTransport | None:
        return httpx2.ASGITransport(self.app) if self.base_url == IN_PROCESS else None

    def browser(self) -> httpx2.AsyncClient:
        """Return a client that signs nothing."""
        return httpx2.AsyncClient(base_url=self.base_url, transport=self.transport())

    async def keys(self, handle: str) -> dict[str, str]:
        async with self.browser() as browser:
            wanted = {"handle": handle, "name": handle.title()}
            response = await browser.post("/world/x/accounts", json=wanted)
        keys: dict[str, str] = response.raise_for_status().json()
        return keys

    async def client(self, handle: str, **changed_keys: str) -> TwitterClient:
        keys = await self.keys(handle) | changed_keys
        client = TwitterClient(
            keys, clock=self.clock, transport=self.transport(), base_url=self.base_url
        )
        self.clients.append(client)
        return client


@asynccontextmanager
async def opened_stage(
    *,
    behind_socket: bool = False,
    journal: Journal | None = None,
    wall_clock: Clock | None = None,
) -> AsyncGenerator[Stage]:
    """Open a site, serve it, and close all that was opened on it."""
    clock = VirtualClock(START)
    site = XSite(clock=clock, seed=7, journal=journal or InMemoryJournal())
    await site.open()
    app = create_world_app([create_x_router(site, wall_clock=wall_clock or SystemClock())])
    stage = Stage(site=site, app=app, clock=clock)
    server = LoopbackServer(app)
    if behind_socket:
        stage.base_url = await server.start()
    try:
        yield stage
    finally:
        for client in stage.clients:
            await client.aclose()
        await server.stop()
