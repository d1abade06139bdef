"""Workers as processes of their own, on one PostgreSQL and one Restate, in one rehearsal world."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row
from scripts.restate_server import RestateServer
from tests.e2e.puppets import ROOT, command, environment

from puppet_engine.core.clock import PacedClock, SystemClock
from puppet_engine.core.ids import random_id
from puppet_engine.storage.agent_locks import libpq_url
from puppet_engine.storage.beginnings import common_beginning
from puppet_engine.storage.gateway import Storage
from puppet_engine.world.rehearsal import RehearsalWorld, StoredJournal

PACE = 120


def write_cast(folder: Path, *, size: int) -> None:
    """Write personas who talk to their neighbours a lot."""
    folder.mkdir()
    names = [f"agent{number}" for number in range(size)]
    for name, friend in zip(names, [*names[1:], names[0]], strict=True):
        persona = {
            "id": name,
            "name": name.title(),
            "personality": {"interests": ["tea", "rain", "chess", "bread", "trains"]},
            "behavior": {
                "post_frequency": {"min_hours_between_posts": 0.1, "max_hours_between_posts": 0.3},
                "interaction_patterns": {"reply_probability": 0.6, "mention_probability": 0.5},
            },
            "initial_memory": {"relationships": [{"handle": friend}]},
        }
        folder.joinpath(f"{name}.json").write_text(json.dumps(persona))


@dataclass
class Place:
    """Where workers live: what they share, and what can be seen of it."""

    folder: Path
    database_url: str
    restate: RestateServer
    world_url: str
    worker_port: int
    clock: PacedClock

    def settings(self) -> dict[str, str]:
        """Return the environment of every worker."""
        return {
            "PUPPET_ENGINE": "restate",
            "PUPPET_DATABASE_URL": self.database_url,
            "PUPPET_RESTATE_INGRESS_URL": self.restate.ingress_url,
            "PUPPET_RESTATE_ADMIN_URL": self.restate.admin_url,
            "PUPPET_WORKER_PORT": str(self.worker_port),
            "PUPPET_WORLD_URL": self.world_url,
            "PUPPET_AGENTS_DIR": str(self.folder / "cast"),
            "PUPPET_SPEED": str(PACE),
            "PUPPET_MENTION_POLL_MINUTES": "4",
            # They live for days in an hour, and talk all the time.
            "PUPPET_MAX_INTENTS_PER_DAY": "1000000",
            "PUPPET_MAX_MICRODOLLARS_PER_DAY": "1000000000000",
        }

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Ask the database."""
        with psycopg.connect(libpq_url(self.database_url), row_factory=dict_row) as connection:
            cursor: psycopg.Cursor[DictRow] = connection.cursor()
            return cursor.execute(query).fetchall()

    def one(self, query: str) -> Any:
        """Ask the database for one value."""
        ((value,),) = (row.values() for row in self.rows(query))
        return value


class Worker:
    """A running `puppets worker`."""

    def __init__(self, place: Place, name: str, *doom: str) -> None:
        """Start it; with a failpoint and a number as `doom` it kills itself there."""
        doomed = [sys.executable, "-m", "tests.e2e.doomed_worker", *doom]
        self._log = place.folder / f"{name}.log"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                doomed if doom else command("worker"),
                cwd=place.folder,
                env=environment(
                    **place.settings(), PYTHONPATH=os.pathsep.join([str(ROOT / "src"), str(ROOT)])
                ),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def log(self) -> str:
        return self._log.read_text()

    def is_at_work(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"a worker ended at once:\n{self.log()}")
        return "At work" in self.log()

    def is_dead(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_if_alive(self) -> None:
        if self.process.poll() is None:
            self.kill()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@contextlib.asynccontextmanager
async def place(
    folder: Path, database_url: str, restate: RestateServer, *, agents: int
) -> AsyncGenerator[Place]:
    """Open a rehearsal world in this process, which no test kills, for workers that are killed."""
    write_cast(folder / "cast", size=agents)
    clock = PacedClock(SystemClock(), pace=PACE)
    storage = Storage(database_url, clock=clock, ids=random_id)
    await storage.open()
    clock.begin_at(*await common_beginning(storage, clock))
    world = RehearsalWorld(journal=StoredJournal(storage, "x"), clock=clock, seed=7)
    await world.start()
    try:
        yield Place(folder, database_url, restate, world.url, free_port(), clock)
    finally:
        await world.stop()
        await storage.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
