"""A Restate server on this machine, for tests and for `make world-scale`.

The server is a program that npm brings; its version and the hashes of every file that is fetched
stand in `deploy/restate/package-lock.json`.
"""

import fcntl
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx2

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = ROOT / "deploy" / "restate"
CACHE: Final = ROOT / ".cache" / "restate"
PATIENCE_SECONDS: Final = 60

CONFIGURATION: Final = """\
node-name = "one"
base-dir = {base_dir}
bind-ip = "127.0.0.1"
advertised-host = "127.0.0.1"
bind-port = {node_port}
listen-mode = "tcp"
disable-telemetry = true
default-num-partitions = 4
rocksdb-total-memory-size = "96.0 MiB"
log-disable-ansi-codes = true

[ingress]
bind-port = {ingress_port}

[admin]
bind-port = {admin_port}
disable-web-ui = true

[worker.invoker]
memory-limit = "128.0 MiB"
"""


class RestateServerError(Exception):
    """The server cannot be had, or does not start; the message says why, and the cure."""


class RestateServer:
    """One server, its ports, and the folder that holds all it knows.

    It forgets nothing when it is killed and started again.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        ingress, admin, node = free_ports(3)
        self.ingress_url = f"http://127.0.0.1:{ingress}"
        self.admin_url = f"http://127.0.0.1:{admin}"
        self.log = folder / "restate.log"
        self._program = program
        self._configuration = folder / "restate.toml"
        self._configuration.write_text(
            CONFIGURATION.format(
                base_dir=json.dumps(str(folder / "data")),
                ingress_port=ingress,
                admin_port=admin,
                node_port=node,
            ),
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The number of its process. Raises `RestateServerError` when there is none."""
        if self._process is None:
            raise RestateServerError("the Restate server does not run: start() it first")
        return self._process.pid

    def start(self) -> None:
        """Start it, and return when it takes requests. Raises `RestateServerError`."""
        command = [str(self._program), "--config-file", str(self._configuration), "--no-logo"]
        with self.log.open("ab") as log:
            # A session of its own: a Ctrl-C is for those who use it, and they stop it last.
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        last = time.monotonic() + PATIENCE_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > last:
                self.stop()
                said = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise RestateServerError(
                    f"the Restate server does not start; its log ends:\n{said}"
                )
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        doors = (f"{self.admin_url}/health", f"{self.ingress_url}/restate/health")
        try:
            return all(httpx2.get(door, timeout=5).is_success for door in doors)
        except httpx2.HTTPError:
            return False

    def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self.pid, signal.SIGKILL)
        self._reap()

    def stop(self) -> None:
        """End it in good order; by force when it takes too long."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        self._reap()

    def _reap(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def obtain(cache: Path = CACHE) -> Path:
    """Return the server's program, fetched by npm the first time.

    Raises:
        RestateServerError: npm is missing, or could not fetch it.

    """
    wanted = json.loads(PACKAGE.joinpath("package.json").read_text(encoding="utf-8"))
    version = str(wanted["dependencies"]["@restatedev/restate-server"])
    home = cache / version
    program = home / "node_modules" / "@restatedev" / _package() / "bin" / "restate-server"
    home.mkdir(parents=True, exist_ok=True)
    with home.joinpath(".lock").open("w", encoding="utf-8") as lock:
        # Tests of one run ask for it at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _install(home, version)
    if not program.exists():
        raise RestateServerError(
            f"npm installed Restate {version}, but not {_package()}: "
            "Restate has no server for this system; run its container image instead"
        )
    return program


def _package() -> str:
    """Return the name of the package that holds the program for this machine."""
    names = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
    machine = platform.machine().lower()
    return f"restate-server-{platform.system().lower()}-{names.get(machine, machine)}"


def _install(home: Path, version: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise RestateServerError(
            f"the Restate server {version} comes by npm, which is not here: "
            "install it (Debian: apt install npm)"
        )
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGE / name, home / name)
    # No package's own script runs: one of them would report the installation to strangers.
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(
        [npm, "ci", *options], cwd=home, check=False, capture_output=True, text=True, timeout=600
    )
    if done.returncode:
        raise RestateServerError(f"npm cannot fetch the Restate server {version}: {done.stderr}")


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface on which nobody listens now."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


@contextmanager
def running(folder: Path) -> Iterator[RestateServer]:
    """Start a server that keeps all it knows in `folder`, and stop it in the end."""
    server = RestateServer(obtain(), folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
