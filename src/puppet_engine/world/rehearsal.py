"""The rehearsal world as a whole: one server on this machine that speaks for all the others."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from typing_extensions import override

from puppet_engine.core.clock import Clock, SystemClock
from puppet_engine.core.errors import NotRunningError
from puppet_engine.storage import journals
from puppet_engine.storage.gateway import Storage
from puppet_engine.world.app import create_world_app
from puppet_engine.world.brain.routes import create_brain_router
from puppet_engine.world.chain.router import Chain
from puppet_engine.world.chain.tokens import tokens_router
from puppet_engine.world.server import LoopbackServer
from puppet_engine.world.x.journal import Journal, JournalEntry
from puppet_engine.world.x.routes import create_x_router
from puppet_engine.world.x.site import XSite


class StoredJournal(Journal):
    """A journal in a database, so that a killed world forgets nothing it acknowledged."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage = storage
        self._name = name

    @override
    async def append(self, kind: str, record: Mapping[str, Any]) -> None:
        await journals.append(self._storage, self._name, kind, dict(record))

    @override
    async def load(self) -> Sequence[JournalEntry]:
        entries = await journals.load(self._storage, self._name)
        return [JournalEntry(kind, record) for kind, record in entries]


class World(Protocol):
    """Where a rehearsal world is."""

    @property
    def url(self) -> str:
        """Where X and Jupiter are."""

    @property
    def llm_url(self) -> str:
        """The `base_url` of its language model."""

    @property
    def rpc_url(self) -> str:
        """The JSON-RPC address of its chain."""


class WorldAt(World):
    """A world that runs elsewhere, in another process or on another machine."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    @property
    @override
    def url(self) -> str:
        return self._url

    @property
    @override
    def llm_url(self) -> str:
        return f"{self._url}/v1"

    @property
    @override
    def rpc_url(self) -> str:
        return f"{self._url}/rpc"


class RehearsalWorld:
    """X, a language model and a chain, each on the wire as the real one is.

    What was said is kept in `storage`; the chain begins anew with each process.
    """

    def __init__(self, *, storage: Storage, clock: Clock, seed: int, port: int = 0) -> None:
        self._site = XSite(clock=clock, seed=seed, journal=StoredJournal(storage, "x"))
        chain = Chain(clock=clock, seed=seed)
        routers = [
            create_x_router(self._site, wall_clock=SystemClock()),
            create_brain_router(seed=seed, clock=clock),
            chain.router,
            tokens_router(chain.market),
        ]
        self._server = LoopbackServer(create_world_app(routers), port=port)
        self._url: str | None = None

    async def start(self) -> None:
        """Recall what was said, and open the doors on a free port of the loopback interface."""
        await self._site.open()
        self._url = await self._server.start()

    async def stop(self) -> None:
        """Close the doors. Calling it again does nothing."""
        await self._server.stop()
        self._url = None

    @property
    def url(self) -> str:
        """Where X and Jupiter are.

        Raises:
            NotRunningError: the world is not running.

        """
        if self._url is None:
            raise NotRunningError("the rehearsal world", "await start() first")
        return self._url

    @property
    def llm_url(self) -> str:
        """The `base_url` of its language model."""
        return f"{self.url}/v1"

    @property
    def rpc_url(self) -> str:
        """The JSON-RPC address of its chain."""
        return f"{self.url}/rpc"
