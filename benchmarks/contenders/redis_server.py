"""A Redis of a contender's own, which keeps nothing on disk."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def redis_in(folder: Path) -> Iterator[Path]:
    """Start a Redis, and give the path of its socket."""
    binary = shutil.which("redis-server")
    if binary is None:
        raise RuntimeError("needs the system package redis-server")
    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", ""]
    with subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL) as redis:  # noqa: S603 - our own command
        while not socket.exists():
            time.sleep(0.01)
        yield socket
        redis.terminate()
