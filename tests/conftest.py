"""What every test gets: a clean environment and no way out of this machine."""

import gc
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator

import hypothesis
import pytest
from scripts.restate_server import RestateServer, RestateServerError, obtain

# An installation loads it by itself; named here for those older than the entry point.
pytest_plugins = ["timber.testing.plugin"]

UNHURRIED = "TIMBER_SQLITE_SYNCHRONOUS"


# The same examples in every run: what fails here fails for everybody. `make fuzz` looks for new.
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Leave out what takes long and nobody needs.

    No test leaves this machine, and nothing here speaks TLS: no certificate has to be trusted, and
    to read those that are takes a client that is made longer than most tests take.
    """

    def none(self: ssl.SSLContext, *places: object, **more: object) -> None: ...

    ssl.SSLContext.load_verify_locations = none  # type: ignore[method-assign] # see above
    # Do not wait for the disk at each commit: no database of a test outlives a loss of power.
    os.environ[UNHURRIED] = "NORMAL"  # noqa: TID251 - before whatever reads settings


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, so that in the end no process waits for another."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


def pytest_collection_finish() -> None:
    """Let no search for garbage look at what was imported: a quarter of the time went there.

    And let them come more seldom: a run makes many things that stay until its test ends.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Before a test that takes the time, spare what earlier ones left from being looked at.

    A worker has models of hundreds of tests in memory, and one search through them takes longer
    than what some of these tests allow for.
    """
    if "performance" in item.path.parts:
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session")
def restate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestateServer]:
    """Start a Restate, which npm brings; tests that share it belong to the group `restate`."""
    try:
        program = obtain()
    except RestateServerError as error:
        pytest.skip(str(error))
    server = RestateServer(program, tmp_path_factory.mktemp("restate"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Take away what a developer has set, so that no test depends on it or spends a key."""
    # What would be kept among his data goes where the tests' own files go.
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "user-data"))
    for name in os.environ:  # noqa: TID251 - the fixture that makes settings reproducible
        if (
            name.startswith(
                ("PUPPET_", "TIMBER_", "RESEARCH_DESK_", "OPENAI_", "TWITTER_", "SOLANA_")
            )
            and name != UNHURRIED
        ):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and isinstance(address, tuple):
            host = str(address[0])
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                raise RuntimeError(
                    f"a test tried to reach {host}: use the rehearsal world or a fake"
                )
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
