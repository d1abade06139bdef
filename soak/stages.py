"""Where a soak takes place: on a file, or on PostgreSQL and Restate."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from scripts.restate_server import running
from scripts.world_scale import postgresql

from puppet_engine.core.settings import Settings
from puppet_engine.storage.agent_locks import libpq_url

BACKENDS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What to live with, and how to count connections to the database."""

    settings: Settings
    connections: Callable[[], int]


@contextlib.contextmanager
def on_a_file(folder: Path, speed: float) -> Iterator[Stage]:
    """Live in one process on an SQLite file."""
    process = psutil.Process()

    def open_files() -> int:
        return sum(file.path.endswith(".db") for file in process.open_files())

    settings = Settings(database_url=f"sqlite:///{folder}/soak.db", speed=speed)
    yield Stage(settings=settings, connections=open_files)


@contextlib.contextmanager
def on_many_machines(folder: Path, speed: float) -> Iterator[Stage]:
    """Live as one of many workers, on a PostgreSQL and a Restate of our own."""
    with postgresql(folder / "postgresql") as url, running(folder / "restate") as restate:
        settings = Settings(
            engine="restate",
            database_url=url,
            world_database_url=f"sqlite:///{folder}/world.db",
            restate_ingress_url=restate.ingress_url,
            restate_admin_url=restate.admin_url,
            worker_port=0,
            speed=speed,
        )
        with psycopg.connect(libpq_url(url), autocommit=True) as ours:

            def backends() -> int:
                ((count,),) = ours.execute(BACKENDS)
                return int(count)

            yield Stage(settings=settings, connections=backends)


STAGES = {"embedded": on_a_file, "restate": on_many_machines}
