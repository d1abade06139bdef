"""Workers that start at the same moment keep one version of a persona, and all of them start."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import AgentConfig
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.persona_versions import PersonaVersions


async def test_workers_that_start_together_keep_a_persona_once(postgresql_url: str) -> None:
    ada = AgentConfig(id="ada", name="Ada")
    clock = VirtualClock(datetime(2026, 1, 5, tzinfo=UTC))
    async with AsyncExitStack() as parts:
        storages = [Storage(postgresql_url, clock=clock, ids=random_id) for _ in range(4)]
        for storage in storages:
            await storage.open()
            parts.push_async_callback(storage.close)

        kept = await asyncio.gather(
            *(PersonaVersions(one).keep(ada, reason="it starts") for one in storages)
        )

        assert {version.number for version in kept} == {1}
        assert len(await PersonaVersions(storages[0]).all("ada")) == 1
