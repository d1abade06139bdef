"""Workers as processes of their own, on one PostgreSQL and one Restate, in one rehearsal world."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import psycopg
from psycopg.rows import DictRow, dict_row
from scripts.restate_server import RestateServer, free_ports

from kills.audit import KINDS
from kills.cast import personas
from kills.evidence import Evidence, Published, of_server
from kills.nursery import Forked, Nursery
from puppet_engine.core.clock import PacedClock, SystemClock
from puppet_engine.core.ids import random_id
from puppet_engine.storage.agent_locks import libpq_url
from puppet_engine.storage.beginnings import common_beginning
from puppet_engine.storage.gateway import Storage
from puppet_engine.world.rehearsal import RehearsalWorld, StoredJournal

ROOT: Final = Path(__file__).parents[1]
PACE: Final = 120
"""How many times as fast as ours time passes; at this one something is always overdue."""
PATIENCE_SECONDS: Final = 60
WORKER: Final = (sys.executable, "-m", "puppet_engine", "worker")

T = TypeVar("T")

POSTS: Final = """
    SELECT post.record->>'id' AS post_id, post.record->>'text' AS text,
        post.record->'mentions' AS mentions, account.record->>'handle' AS handle
    FROM journal_entries post JOIN journal_entries account ON account.kind = 'account'
        AND account.record->>'id' = post.record->>'author_id' AND account.journal = 'x'
    WHERE post.journal = 'x' AND post.kind = 'post'
"""


@dataclass
class Place:
    """Where workers live: what they share, and what can be seen of it."""

    folder: Path
    database_url: str
    restate: RestateServer
    world_url: str
    worker_port: int
    clock: PacedClock
    storage: Storage
    pace: int

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
            "PUPPET_SPEED": str(self.pace),
            "PUPPET_MENTION_POLL_MINUTES": "4",
            # It says something else each time, so that what is said twice is a fault.
            "PUPPET_LLM_PROVIDER": "fake",
            # They live for days in an hour, and talk all the time.
            "PUPPET_MAX_INTENTS_PER_DAY": "1000000",
            "PUPPET_MAX_MICRODOLLARS_PER_DAY": "1000000000000",
        }

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Ask the database."""
        with psycopg.connect(libpq_url(self.database_url), row_factory=dict_row) as connection:
            cursor: psycopg.Cursor[DictRow] = connection.cursor()
            return cursor.execute(query.encode(), values or None).fetchall()

    def one(self, query: str) -> Any:
        """Ask the database for one value."""
        ((value,),) = (row.values() for row in self.rows(query))
        return value

    def turns(self) -> int:
        """Return how many turns are fact."""
        over = "SELECT count(*) FROM events WHERE settled_as IS NOT NULL"
        return int(self.one(f"{over} AND type IN ({KINDS})"))

    def overdue(self, moment: datetime) -> int:
        """Return how many turns were due at a moment, and are not over."""
        pending = "SELECT count(*) FROM events WHERE settled_as IS NULL"
        return int(self.one(f"{pending} AND type IN ({KINDS}) AND due_at <= '{moment}'"))

    def unsettled(self, moment: datetime) -> int:
        """Return how many turns and intents wait that were there at a moment."""
        waiting = "SELECT count(*) FROM intents WHERE state IN ('pending', 'sending')"
        return self.overdue(moment) + int(self.one(f"{waiting} AND created_at <= '{moment}'"))

    def evidence(self) -> Evidence:
        """Return what an audit looks at; when all workers have ended."""
        published = [Published(**post) for post in self.rows(POSTS)]
        return of_server(self.database_url, published)


class Worker:
    """A running `puppets worker`."""

    def __init__(
        self,
        place: Place,
        name: str,
        *,
        command: Sequence[str] = WORKER,
        nursery: Nursery | None = None,
    ) -> None:
        """Start it, or have it forked, which is quicker."""
        self._log = place.folder / f"{name}.log"
        environment = {**plain_environment(), **place.settings()}
        self.process: subprocess.Popen[bytes] | Forked
        with self._log.open("ab") as log:
            self._from = log.tell()
            if nursery is not None:
                self.process = Forked(nursery, cwd=place.folder, env=environment, log=self._log)
                return
            self.process = subprocess.Popen(  # noqa: S603 - our own programs
                command, cwd=place.folder, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def log(self) -> str:
        """Return what it has said."""
        return self._log.read_text()[self._from :]

    def is_at_work(self) -> bool:
        """Say whether it takes turns. Raises when it has ended instead."""
        if self.process.poll() is not None:
            raise AssertionError(f"a worker ended at once:\n{self.log()}")
        return "At work" in self.log()

    def is_dead(self) -> bool:
        """Say whether it has ended, however it did."""
        return self.process.poll() is not None

    def stand_still(self) -> None:
        """Do nothing from now on, not even notice that it is killed."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_if_alive(self) -> None:
        """End it if it has not ended."""
        if not self.is_dead():
            self.kill()

    def end(self) -> int:
        """End it in good order, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE_SECONDS)


@contextlib.asynccontextmanager
async def place(
    folder: Path, database_url: str, restate: RestateServer, *, agents: int, pace: int = PACE
) -> AsyncGenerator[Place]:
    """Open a rehearsal world in this process, which nobody kills, for workers that are killed."""
    cast = folder / "cast"
    cast.mkdir()
    for persona in personas(agents):
        cast.joinpath(f"{persona['id']}.json").write_text(json.dumps(persona))
    clock = PacedClock(SystemClock(), pace=pace)
    storage = Storage(database_url, clock=clock, ids=random_id)
    await storage.open()
    clock.begin_at(*await common_beginning(storage, clock))
    world = RehearsalWorld(journal=StoredJournal(storage, "x"), clock=clock, seed=7)
    await world.start()
    (port,) = free_ports(1)
    try:
        yield Place(folder, database_url, restate, world.url, port, clock, storage, pace)
    finally:
        await world.stop()
        await storage.close()


def until(ask: Callable[[], T | None], what: str) -> T:
    """Return the first answer that is not empty."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE_SECONDS} s in vain for {what}")


def plain_environment() -> dict[str, str]:
    """Return the environment of a newcomer: no key, no setting of ours."""
    # Of `XDG_DATA_HOME`: the keys of a life lie there, and whoever started this has them, too.
    kept = {"PATH", "HOME", "XDG_DATA_HOME", "LANG", "TMPDIR"}
    kept |= {"COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"}
    basic = {name: value for name, value in os.environ.items() if name in kept}  # noqa: TID251 - of a child
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {**basic, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
