"""The rehearsal world as a whole: one server on this machine that speaks for all the others."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import httpx2
from typing_extensions import override

from puppet_engine.core.clock import Clock, SystemClock
from puppet_engine.core.errors import NotRunningError
from puppet_engine.llm.base import LLMProvider
from puppet_engine.storage import journals
from puppet_engine.storage.gateway import Storage
from puppet_engine.world.app import create_world_app
from puppet_engine.world.brain.provider import BrainProvider
from puppet_engine.world.brain.routes import create_brain_router
from puppet_engine.world.chain.router import Chain
from puppet_engine.world.chain.tokens import tokens_router
from puppet_engine.world.server import LoopbackServer
from puppet_engine.world.x.journal import Journal, JournalEntry
from puppet_engine.world.x.routes import create_x_router
from puppet_engine.world.x.site import XSite

NOWHERE: Final = "http://world.invalid"
"""Where a world is that has no sockets: a name that no resolver may ever know (RFC 6761)."""


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


class RehearsalWorld(World):
    """X, a language model and a chain, each on the wire as the real one is.

    What was said is kept in `journal`; the chain begins anew with each process.
    """

    def __init__(self, *, journal: Journal, clock: Clock, seed: int, port: int = 0) -> None:
        self.site: Final = XSite(clock=clock, seed=seed, journal=journal)
        """Its X as it is, for those who watch a world and do not live in it."""
        self._seed = seed
        chain = Chain(clock=clock, seed=seed)
        routers = [
            create_x_router(self.site, wall_clock=SystemClock()),
            create_brain_router(seed=seed, clock=clock),
            chain.router,
            tokens_router(chain.market),
        ]
        self._app = create_world_app(routers)
        self._server = LoopbackServer(self._app, port=port)
        self._url: str | None = None

    async def start(self) -> None:
        """Recall what was said, and open the doors on a free port of the loopback interface."""
        await self.site.open()
        self._url = await self._server.start()

    async def start_in_process(self) -> httpx2.AsyncBaseTransport:
        """Do as `start`, without a socket: return what carries requests to it instead.

        The same clients speak to the same servers through it, in the same bytes.
        """
        await self.site.open()
        self._url = NOWHERE
        return httpx2.ASGITransport(self._app)

    def brain_in_process(self, *, own_seed: int) -> LLMProvider:
        """Return its language model for an engine of that seed in the same process."""
        return BrainProvider(seed=self._seed, own_seed=own_seed)

    async def stop(self) -> None:
        """Close the doors. Calling it again does nothing."""
        await self._server.stop()
        self._url = None

    @property
    @override
    def url(self) -> str:
        """Where X and Jupiter are.

        Raises:
            NotRunningError: the world is not running.

        """
        if self._url is None:
            raise NotRunningError("the rehearsal world", "await start() first")
        return self._url

    @property
    @override
    def llm_url(self) -> str:
        """The `base_url` of its language model."""
        return f"{self.url}/v1"

    @property
    @override
    def rpc_url(self) -> str:
        """The JSON-RPC address of its chain."""
        return f"{self.url}/rpc"
