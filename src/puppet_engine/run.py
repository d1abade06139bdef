"""The engine as a program: it lives until it is told to end."""

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
from pathlib import Path
from typing import Final

from rich.console import Console

from puppet_engine.api.server import APIServer
from puppet_engine.core.clock import Clock, PacedClock, VirtualClock
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.settings import Settings
from puppet_engine.dashboard.routes import Dashboard
from puppet_engine.events.chronicle import Chronicle
from puppet_engine.main import App, create_app
from puppet_engine.reload import PersonaWatch
from puppet_engine.world.server import LoopbackServer

_M_ARENA_MAX: Final = -8
"""Of glibc's `malloc.h`."""


async def run(settings: Settings, *, console: Console) -> None:
    """Start a cast and its page, and keep them going until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: personas or settings cannot be used, or the port is taken.

    """
    share_one_heap()
    app = create_app(settings)
    stop = asyncio.Event()
    _stop_at_signals(stop)
    async with contextlib.AsyncExitStack() as parts:
        await app.startup()
        parts.push_async_callback(app.shutdown)
        spare_what_stays()
        await _watch_personas(app, parts)
        url = await _open_page(app, parts)
        greet(app, url, console)
        await _until(stop, app)
        console.print("Ending: the turns under way are finished first. Ctrl-C again: at once.")
    console.print("Ended. Start again, and everybody goes on where they stopped.")


async def work(settings: Settings, *, console: Console) -> None:
    """Take turns of agents that others let live, too, until SIGINT or SIGTERM; without a page.

    Raises:
        ConfigurationError: the settings are not those of many machines, or cannot be used.
        EngineUnavailableError: Restate does not answer.

    """
    if settings.engine != "restate":
        raise ConfigurationError(
            "a worker shares its agents with others: set PUPPET_ENGINE to 'restate'"
        )
    share_one_heap()
    app = create_app(settings)
    stop = asyncio.Event()
    _stop_at_signals(stop)
    await app.startup()
    spare_what_stays()
    try:
        console.print(f"At work for {len(app.agent_manager.agents)} agents. Ctrl-C ends it.")
        await _until(stop, app)
        console.print("Ending: the turns under way are finished first. Ctrl-C again: at once.")
    finally:
        await app.shutdown()


def share_one_heap() -> None:
    """Let all threads take their memory from one heap; to be called before there are any.

    glibc gives each thread a heap of its own, up to eight for each processor. What one thread has
    freed no other can have, so the process grows for days, until each heap has had its worst hour.
    """
    # Other systems have no such function; some have no such way to what is loaded.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def spare_what_stays() -> None:
    """Let no later search for garbage look at what there is now: it would halt every turn.

    For a program that has started all it needs. What is there now and dropped later in a circle
    is never freed.
    """
    gc.collect()
    gc.freeze()


async def _watch_personas(app: App, parts: contextlib.AsyncExitStack) -> None:
    looking = asyncio.create_task(PersonaWatch(app).keep_looking())

    async def end() -> None:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    parts.push_async_callback(end)


def _stop_at_signals(stop: asyncio.Event) -> None:
    """End in good order at the first signal, and at once at the second: nothing is lost by it."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end)


async def _open_page(app: App, parts: contextlib.AsyncExitStack) -> str:
    agents, feed = app.agent_manager, Chronicle(app.event_engine)
    api = APIServer(
        agents,
        app.memory_store,
        feed=feed,
        desk=app.event_engine,
        clock=app.clock,
        outbox=agents.outbox,
        decisions=app.decisions,
        budget=app.budget_desk,
        minds=app.inner_desk,
    )
    page = Dashboard(agents=agents, feed=feed, clock=app.clock, decisions=app.decisions)
    page.install(api.app)
    server = LoopbackServer(api.app, port=app.settings.port)
    try:
        url = await server.start()
    except OSError as error:
        raise ConfigurationError(
            f"port {app.settings.port} cannot be had ({error.strerror}): "
            "end what listens there, or choose another with --port"
        ) from error
    parts.push_async_callback(server.stop)
    return url


def greet(app: App, url: str, console: Console) -> None:
    """Say where the page is, who lives, and how to end it."""
    cast = ", ".join(f"@{agent.handle}" for agent in app.agent_manager.agents.values())
    console.print(f"\n  {url}", style="bold", highlight=False)
    console.print(
        f"\n  Alive: {cast or _nobody(app.settings.agents_dir)}.\n"
        f"  {_pace(app.clock)}\n"
        f"  Everything is kept in {app.settings.database_url}. Ctrl-C ends it.\n",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _nobody(folder: Path) -> str:
    """Say that there is no cast, and how to get one."""
    return (
        "nobody yet, for there are no personas. Write one to a file, such as "
        f"{folder / 'moth.json'}:\n\n"
        '      {"id": "moth", "name": "Moth"}\n\n'
        "  and start again; --agents names another folder"
    )


def _pace(clock: Clock) -> str:
    if isinstance(clock, VirtualClock):
        return f"Time passes {clock.factor:g} times as fast as yours; the page can change that."
    pace = clock.pace if isinstance(clock, PacedClock) else 1
    return f"Time passes {pace:g} times as fast as yours, on every machine."


async def _until(stop: asyncio.Event, app: App) -> None:
    """Wait until the program is to end; raise what ended the engine, if anything did."""
    stopped = asyncio.ensure_future(stop.wait())
    ended = asyncio.ensure_future(app.event_engine.join())
    try:
        await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            ended.result()
    finally:
        stopped.cancel()
        ended.cancel()
        await asyncio.gather(stopped, ended, return_exceptions=True)
