"""What stands around an engine: the world its cast lives in, and where that is kept."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from puppet_engine.agents.agent import Agent
from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.models import AgentConfig
from puppet_engine.core.settings import Settings
from puppet_engine.llm.base import LLMProvider
from puppet_engine.networks import x
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.networks.wire import SharedWire
from puppet_engine.personas.bios import bio_of
from puppet_engine.solana.trader import Trader
from puppet_engine.storage.gateway import Storage
from puppet_engine.style.honesty import discloses
from puppet_engine.world.desk import open_rehearsal_wallet, sign_up
from puppet_engine.world.rehearsal import RehearsalWorld, StoredJournal, World, WorldAt

SQLITE: Final = "sqlite:///"
IN_MEMORY: Final = f"{SQLITE}:memory:"

OpenStorage = Callable[[str], Awaitable[Storage]]
"""Opens the storage at a URL, and sees to it that it is closed."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What stands around an engine that is simulated, and outlives it."""

    cast: Sequence[AgentConfig]
    world: RehearsalWorld
    """Runs already, and goes on when the engine has ended."""
    transport: httpx2.AsyncBaseTransport
    """Carries every request to the world's networks."""
    brain: LLMProvider
    """The world's language model, which answers everybody."""
    open_storage: Callable[..., Storage] = Storage
    """Makes the storage of the agents, as `Storage` is made."""


class Surroundings:
    """The world around an engine, and the way to it."""

    def __init__(
        self, world: World, *, wire: httpx2.AsyncBaseTransport, settings: Settings, clock: Clock
    ) -> None:
        self.world = world
        self._wire = wire
        self._settings = settings
        self._clock = clock

    async def open_account(self, agent: Agent) -> SocialNetwork:
        """Return an agent's account on the world's X, opened now if it has none."""
        account = await sign_up(
            self.world.url,
            handle=agent.handle,
            name=agent.name,
            bio=bio_of(agent.config, self._settings.disclosure),
            transport=self._wire,
        )
        return x.create(account, self._clock, transport=self._wire)

    async def open_wallet(self, agent: Agent) -> Trader:
        """Return an agent's wallet on the world's chain."""
        world = self.world
        return await open_rehearsal_wallet(world.url, world.rpc_url, agent.config, self._clock)


async def surround(
    parts: contextlib.AsyncExitStack,
    settings: Settings,
    *,
    clock: Clock,
    stage: Stage | None,
    open_storage: OpenStorage,
) -> Surroundings:
    """Enter the stage's world, or the one that the settings name, or one of our own.

    What is opened for that is closed with `parts`.

    Raises:
        ConfigurationError: what profiles are to disclose discloses nothing.

    """
    if not discloses(settings.disclosure):
        raise ConfigurationError(
            f"PUPPET_DISCLOSURE {settings.disclosure!r} does not say that a program speaks: "
            "write something like 'An AI persona, run by a program.'"
        )
    if stage is not None:
        return Surroundings(stage.world, wire=stage.transport, settings=settings, clock=clock)
    world = await _world(parts, settings, clock, open_storage)
    wire = SharedWire()
    parts.push_async_callback(wire.hang_up)
    return Surroundings(world, wire=wire, settings=settings, clock=clock)


async def _world(
    parts: contextlib.AsyncExitStack, settings: Settings, clock: Clock, open_storage: OpenStorage
) -> World:
    if settings.world_url is not None:
        return WorldAt(settings.world_url)
    storage = await open_storage(world_url(settings))
    world = RehearsalWorld(
        journal=StoredJournal(storage, "x"),
        clock=clock,
        seed=settings.seed,
        port=settings.world_port,
    )
    await world.start()
    parts.push_async_callback(world.stop)
    return world


def world_url(settings: Settings) -> str:
    """Return where the world is kept: beside the agents' own file, for neither is whole alone.

    The world of agents that live in memory does too; that of agents on a server is in `var/`.
    """
    agents = settings.database_url
    if agents == IN_MEMORY or settings.world_database_url is not None:
        return settings.world_database_url or IN_MEMORY
    if not agents.startswith(SQLITE):
        return f"{SQLITE}var/world.db"
    file = Path(agents.removeprefix(SQLITE))
    return f"{SQLITE}{file.with_name(f'{file.stem}-world{file.suffix}')}"
