"""How a process joins the others that let the same agents live."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Final

from starlette.types import ASGIApp

from puppet_engine.core.agent_locks import AgentLocks
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.ids import random_id
from puppet_engine.core.settings import Settings
from puppet_engine.events.engine import EventEngine
from puppet_engine.events.restate_client import RestateClient
from puppet_engine.events.restate_engine import RestateEngine, Shared
from puppet_engine.events.retention import Kept
from puppet_engine.storage.agent_locks import SharedAgentLocks
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.intents import StoredIntents
from puppet_engine.storage.notices import Notices
from puppet_engine.storage.wakeups import Wakeups
from puppet_engine.world.server import LOOPBACK, LoopbackServer

GRACE_SECONDS: Final = 60
"""How long turns under way may take to their end when a worker ends in good order."""


async def join_workers(
    parts: contextlib.AsyncExitStack, settings: Settings, storage: Storage, events: StoredEvents
) -> tuple[EventEngine, AgentLocks]:
    """Return an engine that shares its events with other workers, and the locks of their agents.

    Raises:
        ConfigurationError: the database cannot be shared,
            or the workers would obey everybody on the network.

    """
    if not settings.database_url.startswith("postgresql"):
        raise ConfigurationError(
            "many machines share a PostgreSQL: set PUPPET_DATABASE_URL to one, "
            "or PUPPET_ENGINE to 'embedded'"
        )
    if settings.worker_host != LOOPBACK and settings.restate_identity_key is None:
        raise ConfigurationError(
            f"a worker that listens on {settings.worker_host} would obey whoever reaches it: "
            "set PUPPET_RESTATE_IDENTITY_KEY to the public key of your Restate"
        )
    restate = RestateClient(
        ingress_url=settings.restate_ingress_url, admin_url=settings.restate_admin_url
    )
    parts.push_async_callback(restate.aclose)
    locks = SharedAgentLocks(settings.database_url)
    parts.push_async_callback(locks.close)

    @contextlib.asynccontextmanager
    async def serve(app: ASGIApp) -> AsyncGenerator[str]:
        server = LoopbackServer(
            app,
            host=settings.worker_host,
            port=settings.worker_port,
            is_shared=True,
            grace_seconds=GRACE_SECONDS,
        )
        url = await server.start()
        try:
            yield settings.worker_url or url
        finally:
            await server.stop()

    shared = Shared(
        wakeups=Wakeups(storage),
        notices=Notices(storage, settings.database_url, sender=random_id()),
        restate=restate,
        serve=serve,
        identity_key=settings.restate_identity_key,
    )
    engine = RestateEngine(
        store=events,
        clock=storage.clock,
        shared=shared,
        ids=storage.ids,
        seed=settings.seed,
        most_waiting=settings.most_waiting_events,
        retention=settings.event_retention,
        also_kept=(Kept(StoredIntents(storage), settings.said_retention),),
        concurrency=settings.concurrency,
    )
    return engine, locks
