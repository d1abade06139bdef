"""Starts lives, kills them, and starts them again, while the world they live in goes on."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any, Literal

from kills.audit import KINDS, Audit, audit
from kills.evidence import Published, of_file
from kills.life import Orders, SharedClock, line_of
from kills.moments import Moment
from puppet_engine.core.failpoints import Failpoint
from puppet_engine.core.ids import random_id
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.journals import load
from puppet_engine.world.rehearsal import RehearsalWorld, StoredJournal

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 60
REHEARSAL_SECONDS = 1.5
SETTLING_SECONDS = 4
"""What is enough for looking up whatever the last kill left unknown."""


@dataclass(frozen=True, kw_only=True)
class Death:
    """How one life ended, and what it left half done."""

    start_seconds: float
    """From its birth until it took turns, or died."""
    busy_seconds: float
    """From then until it was killed."""
    moment: Moment
    turns: int
    """How many it had made fact."""
    effects: int
    """How many posts the world took from it."""
    unsent: int
    """Intents that were committed, and not begun."""
    unknown: int
    """Intents that were begun, and whose outcome was not noted."""
    unnoted: int
    """Posts that the world has, and the file does not know of."""

    def phases(self) -> list[str]:
        """Return what the kill fell into."""
        found = self.moment.phases()
        if self.unknown:
            found = [*found, "sending, outcome not noted"]
        if self.unnoted:
            found = [*found, "public, not noted"]
        return [phase for phase in found if phase != "idle"] if len(found) > 1 else found


@dataclass(frozen=True)
class _Rows:
    """What the files say between two lives."""

    turns: int
    unsent: int
    unknown: int
    done: int
    posts: int


class Lives:
    """One life after the other, on the same file, in the same world."""

    def __init__(self, orders: Orders, forks: Process, world: Storage, world_file: Path) -> None:
        self._orders = orders
        self._forks = forks
        self._world = world
        self._world_file = world_file
        self._before = _Rows(0, 0, 0, 0, 0)
        self._heard: dict[str, float] = {}
        """When a life has told what."""

    @property
    def database(self) -> Path:
        """The file on which all live."""
        return Path(self._orders.database)

    async def rehearse(self, orders: Orders) -> None:
        """Let the parent of all live for a moment somewhere else, so that births are quick."""
        await self._write(replace(orders, rehearsal_seconds=REHEARSAL_SECONDS))
        await self._exit()

    async def die_young(self, seconds: float) -> Death:
        """Be killed from outside so many seconds after birth, most likely at the start."""
        born, pid = await self._begin(self._orders)
        await asyncio.sleep(seconds)
        return await self._kill(pid, born, born + seconds)

    async def die_after(self, seconds: float, *, of: Literal["alive", "busy"] = "busy") -> Death:
        """Live, and be killed from outside so many seconds after the first turn.

        Or after being `alive`, and about to take it.
        """
        born, pid = await self._begin(self._orders)
        await self._told(of)
        alive = time.monotonic()
        await asyncio.sleep(seconds)
        return await self._kill(pid, born, alive)

    async def die_at(self, point: Failpoint, passage: int) -> Death:
        """Live until a failpoint is passed so often, and be killed there."""
        orders = replace(self._orders, fatal_point=point, fatal_passage=passage)
        born, _ = await self._begin(orders)
        code, moment = await self._exit()
        alive = min(self._heard.get("busy", inf), time.monotonic())
        assert code == -signal.SIGKILL, f"{point} was not passed {passage} times"
        return self._death(moment, born, alive)

    async def live(self, seconds: float) -> None:
        """Live for so many seconds, and end in good order."""
        await self._begin(replace(self._orders, until=time.monotonic() + seconds))
        code, _ = await self._exit()
        assert code == 0, f"a life ended with {code}"

    async def settle(self) -> Audit:
        """Live until nothing is unknown any more, end in good order, and be judged."""
        await self.live(SETTLING_SECONDS)
        self._before = self._rows()
        return audit(of_file(self.database, await self.published()))

    async def published(self) -> list[Published]:
        """Return every post that the world has."""
        entries = await load(self._world, "x")
        handles = {record["id"]: record["handle"] for kind, record in entries if kind == "account"}
        return [
            Published(
                post_id=str(record["id"]),
                handle=handles[record["author_id"]],
                text=record["text"],
                mentions=record["mentions"],
            )
            for kind, record in entries
            if kind == "post"
        ]

    # -------------------------------------------------------------- deaths

    async def _kill(self, pid: int, born: float, alive: float) -> Death:
        os.kill(pid, signal.SIGKILL)
        code, moment = await self._exit()
        assert code == -signal.SIGKILL, f"a life that was killed ended with {code}"
        return self._death(moment, born, alive)

    def _death(self, moment: Moment, born: float, alive: float) -> Death:
        died, before, now = time.monotonic(), self._before, self._rows()
        self._before = now
        return Death(
            start_seconds=alive - born,
            busy_seconds=died - alive,
            moment=moment,
            turns=now.turns - before.turns,
            effects=now.posts - before.posts,
            unsent=now.unsent,
            unknown=now.unknown,
            unnoted=now.posts - now.done,
        )

    def _rows(self) -> _Rows:
        # Only looked at: what a kill has left in the log is for the next life to recover.
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as life:
            ((turns,),) = life.execute(
                f"SELECT count(*) FROM events WHERE settled_as IS NOT NULL AND type IN ({KINDS})"
            )
            states = dict(life.execute("SELECT state, count(*) FROM intents GROUP BY state"))
        with closing(sqlite3.connect(f"file:{self._world_file}?mode=ro", uri=True)) as world:
            ((posts,),) = world.execute(
                "SELECT count(*) FROM journal_entries WHERE journal = 'x' AND kind = 'post'"
            )
        return _Rows(
            turns=turns,
            unsent=states.get("pending", 0),
            unknown=states.get("sending", 0),
            done=states.get("done", 0),
            posts=posts,
        )

    # -------------------------------------------------------------- the parent of all

    async def _begin(self, orders: Orders) -> tuple[float, int]:
        born = time.monotonic()
        self._heard.clear()
        await self._write(orders)
        return born, int((await self._told("process"))["number"])

    async def _write(self, orders: Orders) -> None:
        assert self._forks.stdin is not None
        self._forks.stdin.write(line_of(orders).encode())

    async def _exit(self) -> tuple[int, Moment]:
        told = await asyncio.wait_for(self._told("exit"), PATIENCE_SECONDS)
        return told["number"], Moment(**told["moment"])

    async def _told(self, wanted: str) -> dict[str, Any]:
        """Return what is told under a name; what else is told does not matter."""
        assert self._forks.stdout is not None
        while True:
            line = await self._forks.stdout.readline()
            assert line, "the parent of all lives has ended; what it said last stands above"
            told: dict[str, Any] = json.loads(line)
            self._heard[told["what"]] = time.monotonic()
            if told["what"] == wanted:
                return told
            assert told["what"] != "exit", "the life has ended by itself"


@asynccontextmanager
async def lives(folder: Path, *, module: str = "kills.life") -> AsyncGenerator[Lives]:
    """Open a world, and let lives be lived in it, each a process of its own."""
    began = time.monotonic()
    clock = SharedClock(began)
    async with AsyncExitStack() as parts:
        storage, world = await _world(parts, f"sqlite:///{folder}/world.db", clock)
        forks = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, stdin=PIPE, stdout=PIPE, cwd=ROOT, env=_environment()
        )
        parts.push_async_callback(forks.wait)
        parts.callback(forks.kill)
        orders = Orders(database=str(folder / "life.db"), world=world.url, began=began)
        found = Lives(orders, forks, storage, folder / "world.db")
        async with AsyncExitStack() as aside:
            _, elsewhere = await _world(aside, "sqlite:///:memory:", clock)
            await found.rehearse(
                replace(
                    orders,
                    database=str(folder / "rehearsal.db"),
                    world=elsewhere.url,
                )
            )
        yield found


async def _world(
    parts: AsyncExitStack, url: str, clock: SharedClock
) -> tuple[Storage, RehearsalWorld]:
    storage = Storage(url, clock=clock, ids=random_id)
    await storage.open()
    parts.push_async_callback(storage.close)
    world = RehearsalWorld(journal=StoredJournal(storage, "x"), clock=clock, seed=1)
    await world.start()
    parts.push_async_callback(world.stop)
    return storage, world


def _environment() -> dict[str, str]:
    kept = {"PATH", "HOME", "XDG_DATA_HOME", "LANG", "TMPDIR"}
    basic = {name: value for name, value in os.environ.items() if name in kept}  # noqa: TID251 - of a child
    return {**basic, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
