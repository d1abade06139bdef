"""A web server inside a test's own event loop."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncGenerator

import httpx2
import pytest
from fastapi import APIRouter, FastAPI

from puppet_engine.core.errors import NotRunningError
from puppet_engine.world.app import create_world_app
from puppet_engine.world.server import LoopbackServer


def app(*, arrived: asyncio.Event | None = None) -> FastAPI:
    router = APIRouter()
    never = asyncio.Event()

    @router.get("/hello")
    async def hello() -> str:
        return "hello"

    @router.get("/hang")
    async def hang() -> None:
        if arrived is not None:
            arrived.set()
        await never.wait()

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError("broken on purpose")

    return create_world_app([router])


async def test_it_serves_on_loopback_until_it_is_stopped() -> None:
    server = LoopbackServer(app())
    base_url = await server.start()

    async with httpx2.AsyncClient(base_url=base_url) as browser:
        answer = await browser.get("/hello")
        await server.stop()

        assert answer.json() == "hello"
        assert base_url.startswith("http://127.0.0.1:")
        with pytest.raises(httpx2.ConnectError):
            await browser.get("/hello")


async def test_it_comes_back_at_the_same_port_for_clients_that_kept_their_connection() -> None:
    server = LoopbackServer(app())
    base_url = await server.start()
    async with httpx2.AsyncClient(base_url=base_url) as browser:
        await browser.get("/hello")
        await server.stop()
        again = LoopbackServer(app(), port=int(base_url.rpartition(":")[2]))

        assert await again.start() == base_url
        assert (await browser.get("/hello")).status_code == 200
        await again.stop()


async def test_a_stop_does_not_wait_for_a_request_that_hangs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    arrived = asyncio.Event()
    server = LoopbackServer(app(arrived=arrived), grace_seconds=0.01)
    base_url = await server.start()
    async with httpx2.AsyncClient(base_url=base_url) as browser:
        with caplog.at_level(logging.INFO):
            hanging = asyncio.create_task(browser.get("/hang"))
            await arrived.wait()

            await asyncio.wait_for(server.stop(), timeout=5)

            with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
                await hanging
    assert [one for one in caplog.record_tuples if not one[0].startswith("http")] == []


async def test_answers_are_not_held_back_to_be_sent_together() -> None:
    server = LoopbackServer(app())
    async with httpx2.AsyncClient(base_url=await server.start()) as browser:
        await browser.get("/hello")
        assert server._server is not None
        (connection,) = server._server.server_state.connections
        accepted = connection.transport.get_extra_info("socket")

        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    await server.stop()


async def test_stopping_twice_or_before_the_start_does_nothing() -> None:
    server = LoopbackServer(app())
    await server.stop()
    await server.start()

    await server.stop()
    await server.stop()


async def test_a_server_that_runs_cannot_be_started_again() -> None:
    server = LoopbackServer(app())
    await server.start()

    with pytest.raises(NotRunningError, match="stop it first"):
        await server.start()

    await server.stop()


async def test_a_taken_port_is_an_error_of_the_system() -> None:
    server = LoopbackServer(app())
    base_url = await server.start()

    with pytest.raises(OSError, match="in use"):
        await LoopbackServer(app(), port=int(base_url.rpartition(":")[2])).start()

    await server.stop()


async def test_signals_stay_with_whoever_had_them() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    server = LoopbackServer(app())

    await server.start()
    during = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    await server.stop()

    assert during == before


async def test_requests_are_not_logged_but_crashes_are(caplog: pytest.LogCaptureFixture) -> None:
    server = LoopbackServer(app())
    with caplog.at_level(logging.INFO):
        async with httpx2.AsyncClient(base_url=await server.start()) as browser:
            await browser.get("/hello")
            quiet = [one for one in caplog.record_tuples if not one[0].startswith("http")]
            crashed = await browser.get("/broken")
    await server.stop()

    assert quiet == []
    assert crashed.status_code == 500
    assert "Exception in ASGI application" in caplog.text


async def test_an_application_that_cannot_start_up_is_an_error() -> None:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        raise RuntimeError("no database")
        yield

    with pytest.raises(NotRunningError, match="lifespan failed"):
        await LoopbackServer(FastAPI(lifespan=lifespan)).start()


async def test_the_lifespan_of_the_application_is_run() -> None:
    steps = []

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        steps.append("up")
        yield
        steps.append("down")

    server = LoopbackServer(FastAPI(lifespan=lifespan))
    await server.start()
    await server.stop()

    assert steps == ["up", "down"]


async def test_servers_that_share_a_port_share_the_work_and_the_last_one_has_it_all() -> None:
    first = LoopbackServer(app(), is_shared=True)
    url = await first.start()
    second = LoopbackServer(app(), port=int(url.rpartition(":")[2]), is_shared=True)

    assert await second.start() == url

    await first.stop()
    async with httpx2.AsyncClient() as client:
        answers = [await client.get(f"{url}/hello") for _ in range(4)]
    assert [answer.json() for answer in answers] == ["hello"] * 4
    await second.stop()


async def test_one_client_that_keeps_its_connections_is_served_by_all_who_share_a_port() -> None:
    asked: list[str] = []

    def named(name: str) -> FastAPI:
        application = FastAPI()

        @application.get("/hello")
        async def hello() -> str:
            asked.append(name)
            return name

        return application

    first = LoopbackServer(named("first"), is_shared=True)
    url = await first.start()
    second = LoopbackServer(named("second"), port=int(url.rpartition(":")[2]), is_shared=True)
    await second.start()

    async with httpx2.AsyncClient() as client:
        for _ in range(64):
            await client.get(f"{url}/hello")

    assert set(asked) == {"first", "second"}
    await first.stop()
    await second.stop()
