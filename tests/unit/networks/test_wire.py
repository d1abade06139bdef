"""Many accounts share their connections: who has spoken once holds none."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from puppet_engine.networks.wire import KEPT, SharedWire
from puppet_engine.world.server import LoopbackServer

ACCOUNTS = 150


@pytest.fixture
async def url() -> AsyncGenerator[str]:
    app = FastAPI()

    @app.get("/")
    async def answer() -> str:
        return "here"

    server = LoopbackServer(app, port=0)
    yield await server.start()
    await server.stop()


@contextlib.asynccontextmanager
async def account(wire: SharedWire) -> AsyncGenerator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=wire) as client:
        yield client


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_many_accounts_keep_few_connections_open(url: str) -> None:
    wire, before = SharedWire(), open_files()
    async with contextlib.AsyncExitStack() as accounts:
        clients = [await accounts.enter_async_context(account(wire)) for _ in range(ACCOUNTS)]

        answers = await asyncio.gather(*(client.get(url) for client in clients))

        assert {answer.status_code for answer in answers} == {200}
        # Both ends are in this process, and the server closes its own in its own time.
        while open_files() - before > 2 * KEPT:  # noqa: ASYNC110 - it tells nobody when
            await asyncio.sleep(0)
    await wire.hang_up()


async def test_an_account_that_is_closed_leaves_the_others_their_connections(url: str) -> None:
    wire = SharedWire()
    async with account(wire) as one:
        async with account(wire) as other:
            await other.get(url)

        answer = await one.get(url)

    assert answer.json() == "here"
    await wire.hang_up()
