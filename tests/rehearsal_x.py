"""The world's X for tests: in this process, or behind a real socket."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import httpx2
from fastapi import FastAPI
from oauthlib.oauth1 import Client as Signer

from puppet_engine.core.clock import Clock, SystemClock, VirtualClock
from puppet_engine.twitter.client import CREDENTIALS, TwitterClient
from puppet_engine.world.app import create_world_app
from puppet_engine.world.server import LoopbackServer
from puppet_engine.world.x.journal import InMemoryJournal, Journal
from puppet_engine.world.x.routes import create_x_router
from puppet_engine.world.x.site import XSite

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
BIO = "This is an automated account."
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
            wanted = {"handle": handle, "name": handle.title(), "description": BIO}
            response = await browser.post("/world/x/accounts", json=wanted)
        keys: dict[str, str] = response.raise_for_status().json()
        return keys

    async def call(
        self,
        method: str,
        path: str,
        keys: Mapping[str, str],
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
    ) -> httpx2.Response:
        """Send one signed request and return the bare answer."""
        query = f"?{urlencode(params, quote_via=quote)}" if params else ""
        url = f"{self.base_url}{path}{query}"
        async with self.browser() as browser:
            return await browser.request(method, url, json=body, headers=sign(url, method, keys))

    async def client(self, handle: str, **changed_keys: str) -> TwitterClient:
        keys = await self.keys(handle) | changed_keys
        client = TwitterClient(
            keys, clock=self.clock, transport=self.transport(), base_url=self.base_url
        )
        self.clients.append(client)
        return client


def sign(url: str, method: str, keys: Mapping[str, str], **changes: str) -> dict[str, str]:
    """Return the headers that prove who calls; `changes` are arguments of oauthlib's client."""
    signer = Signer(*(keys[name] for name in CREDENTIALS), **changes)
    _, headers, _ = signer.sign(url, method)  # type: ignore[arg-type]
    return dict(headers)


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
