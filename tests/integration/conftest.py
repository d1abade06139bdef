"""Real servers, started for the tests and stopped after them; nothing is left behind."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


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
