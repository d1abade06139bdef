"""Real servers, started for the tests and stopped after them; nothing is left behind."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.forks import Forks
from tests.lent_timbers import Lender

from timber.common.runtime import Timber


@pytest.fixture(scope="session")
def folder_for_sockets() -> Iterator[Path]:
    """Give a folder whose path is short enough for a socket, and open to a server's own user."""
    folder = Path(tempfile.mkdtemp(prefix="timber-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_url(folder_for_sockets: Path) -> Iterator[str]:
    """Start a Redis on a socket of its own, and give the URL of it."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("needs the system package redis-server")
    socket = folder_for_sockets / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
    # So that whoever looks for what must not be in a dump would find it there.
    options += ["--rdbcompression", "no"]
    with subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL) as process:
        while not socket.exists() and process.poll() is None:
            time.sleep(0.01)
        yield f"unix://{socket}"
        process.terminate()


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Give what runs code in processes of their own."""
    imported = ("psycopg", "pytest", "timber.common.migrations.migrator", "timber.common.runtime")
    with Forks.opened(*imported) as forks:
        yield forks


@pytest.fixture(params=["memory", "file", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database, of each kind in turn.

    It is that of `lent_timber` for tests that ask for one.
    """
    if "lent_timber" in request.fixturenames:
        lender: Lender = request.getfixturevalue("lender")
        return lender.url(request.param)
    match request.param:
        case "memory":
            return "sqlite:///:memory:"
        case "file":
            return f"sqlite:///{tmp_path}/made/here.db"
        case _:
            return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def lent_timber(database_url: str, lender: Lender) -> Timber:
    """Give a Timber with empty tables; the fixture `lender` of the folder says of what models."""
    return lender.timber(database_url)
