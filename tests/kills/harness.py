"""Starts lives, kills them, and starts them again, while the world they live in goes on."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from os import kill
from pathlib import Path

from tests.kills.audit import Published
from tests.kills.life import Orders, SharedClock, line_of

from puppet_engine.core.ids import random_id
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.journals import load
from puppet_engine.world.rehearsal import RehearsalWorld, StoredJournal

ROOT = Path(__file__).parents[2]


@dataclass
class Lives:
    """One life after the other, on the same file, in the same world."""

    _orders: Orders
    _forks: Process
    _world: Storage

    async def die_young(self, seconds: float) -> None:
        """Be killed from outside so many seconds after birth, most likely at the start."""
        pid = await self._begin(self._orders)
        await asyncio.sleep(seconds)
        kill(pid, signal.SIGKILL)
        assert await self._exit_code() == -signal.SIGKILL

    async def die_after(self, seconds: float) -> None:
        """Live, and be killed from outside after so many seconds of taking turns."""
        pid = await self._begin(self._orders)
        await self._told("alive")
        await asyncio.sleep(seconds)
        kill(pid, signal.SIGKILL)
        assert await self._exit_code() == -signal.SIGKILL

    async def die_at(self, point: str, passage: int) -> None:
        """Live until a failpoint is passed so often, and be killed there."""
        await self._begin(replace(self._orders, fatal_point=point, fatal_passage=passage))
        assert await self._exit_code() == -signal.SIGKILL, (
            f"{point} was not passed {passage} times"
        )

    async def live(self, seconds: float) -> None:
        """Live for so many seconds, and end in good order."""
        await self._begin(replace(self._orders, until=time.monotonic() + seconds))
        assert await self._exit_code() == 0

    async def published(self) -> list[Published]:
        """Return every post that the world has."""
        entries = await load(self._world, "x")
        handles = {record["id"]: record["handle"] for kind, record in entries if kind == "account"}
        return [
            Published(
                post_id=str(record["id"]), handle=handles[record["author_id"]], text=record["text"]
            )
            for kind, record in entries
            if kind == "post"
        ]

    async def _begin(self, orders: Orders) -> int:
        assert self._forks.stdin is not None
        self._forks.stdin.write(line_of(orders).encode())
        return await self._told("process")

    async def _exit_code(self) -> int:
        return await asyncio.wait_for(self._told("exit"), 60)

    async def _told(self, wanted: str) -> int:
        """Return the number that is told under a name; what else is told does not matter."""
        assert self._forks.stdout is not None
        while True:
            told, number = (await self._forks.stdout.readline()).decode().split()
            if told == wanted:
                return int(number)
            assert told != "exit", "the life has ended by itself"


@asynccontextmanager
async def lives(folder: Path) -> AsyncGenerator[Lives]:
    """Open a world, and let lives be lived in it, each a process of its own."""
    began = time.monotonic()
    clock = SharedClock(began)
    storage = Storage(f"sqlite:///{folder}/world.db", clock=clock, ids=random_id)
    await storage.open()
    world = RehearsalWorld(journal=StoredJournal(storage, "x"), clock=clock, seed=1)
    await world.start()
    forks = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.kills.life",
        stdin=PIPE,
        stdout=PIPE,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    )
    orders = Orders(database=str(folder / "life.db"), world=world.url, began=began)
    try:
        yield Lives(orders, forks, storage)
    finally:
        forks.kill()
        await forks.wait()
        await world.stop()
        await storage.close()
