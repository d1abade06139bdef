"""The cache in Redis keeps its promises, and Redis may do what it likes."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, inspect
from tests.integration.timber.caching.conftest import OpenTimber
from typing_extensions import override

from timber.common.caching.base import SharedCache
from timber.common.caching.redis import USUAL_TIMES, RedisCache, RedisTimes
from timber.common.errors import SharedCacheUnavailableError
from timber.common.runtime import Timber
from timber.testing.contracts import SharedCacheContract

pytestmark = pytest.mark.integration

FENCES = ["fence"]


class TestRedisCache(SharedCacheContract):
    @pytest.fixture
    @override
    def shared_cache(self, redis_url: str) -> Iterator[SharedCache]:
        cache = RedisCache(
            redis_url, namespace=uuid.uuid4().hex, times=RedisTimes(warm_up_seconds=0)
        )
        yield cache
        cache.close()


class Server:
    """A Redis of a test's own, which it may stop, start and hold."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / f"{uuid.uuid4().hex[:8]}.sock"
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = shutil.which("redis-server")
        assert binary is not None, "needs the system package redis-server"
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", ""]
        self._process = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
        while not self._socket.exists():
            time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._socket.unlink(missing_ok=True)

    def hold(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)


@pytest.fixture
def server(folder_for_sockets: Path) -> Iterator[Server]:
    server = Server(folder_for_sockets)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cache(server: Server) -> Iterator[RedisCache]:
    times = RedisTimes(cool_down_seconds=0.2, mark_seconds=0.2, warm_up_seconds=0)
    cache = RedisCache(server.url, namespace="test", times=times)
    yield cache
    cache.close()


def _store(cache: RedisCache, tokens: Any) -> bool:
    return cache.store(FENCES, tokens, "key", b"value", deciding=1, ttl_seconds=60)


def test_a_dead_writer_is_waited_for_a_while_only(cache: RedisCache) -> None:
    cache.begin(FENCES, "dead")

    assert cache.look(FENCES, "key").pending
    _wait_until(lambda: not cache.look(FENCES, "key").pending)


def test_a_server_that_has_just_started_keeps_nothing(server: Server) -> None:
    cache = RedisCache(server.url, namespace="test", times=RedisTimes(warm_up_seconds=0.3))

    assert cache.look(FENCES, "key").pending
    _wait_until(lambda: not cache.look(FENCES, "key").pending)
    cache.close()


def test_what_the_run_before_was_told_is_told_to_nobody(server: Server, cache: RedisCache) -> None:
    assert _store(cache, cache.look(FENCES, "key").tokens)

    server.stop()
    server.start()

    _wait_until(lambda: _value(cache) is None)


def test_connections_that_a_server_took_along_are_made_again(
    server: Server, cache: RedisCache
) -> None:
    with ThreadPoolExecutor(max_workers=4) as pool:
        together = threading.Barrier(4)
        list(pool.map(lambda _: (together.wait(), cache.look(FENCES, "key")), range(4)))

    server.stop()
    server.start()

    assert not cache.look(FENCES, "key").pending


# Newer Pythons warn of what is meant here: that a process with connections is forked.
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_child_process_has_connections_of_its_own(cache: RedisCache) -> None:
    for key in ("ours", "theirs"):
        tokens = cache.look(FENCES, key).tokens
        assert cache.store(FENCES, tokens, key, key.encode(), deciding=1, ttl_seconds=60)
    process = multiprocessing.get_context("fork")
    here, there = process.Pipe()
    child = process.Process(target=lambda: there.send(_told_of("theirs", cache)))

    child.start()
    told = _told_of("ours", cache)
    told_child = here.recv()
    child.join()

    assert (told, told_child) == ({b"ours"}, {b"theirs"})


def _told_of(key: str, cache: RedisCache) -> set[bytes | None]:
    return {cache.look(FENCES, key).value for _ in range(500)}


def test_a_server_that_is_held_costs_little_and_stores_nothing_late(
    server: Server, cache: RedisCache
) -> None:
    tokens = cache.look(FENCES, "key").tokens
    cache.begin(FENCES, "writer")
    server.hold()

    with pytest.raises(SharedCacheUnavailableError):
        _store(cache, tokens)
    with pytest.raises(SharedCacheUnavailableError, match="a moment ago"):
        cache.look(FENCES, "key")

    server.go_on()
    _wait_until(lambda: _value(cache) is None)


def test_one_reader_loads_and_others_wait(cache: RedisCache) -> None:
    first, second = cache.look(FENCES, "key"), cache.look(FENCES, "key")

    assert (first.may_load, second.may_load) == (True, False)
    _wait_until(lambda: cache.look(FENCES, "key").may_load)


@pytest.mark.parametrize("database_url", ["file", "postgresql"], indirect=True)
@pytest.mark.parametrize("fault", ["stopped", "started again", "held"])
def test_redis_may_fail_and_nobody_is_told_the_old_for_long(
    open_timber: OpenTimber, server: Server, fault: str
) -> None:
    here, there = (open_timber(redis_url=server.url) for _ in range(2))
    _write(here, "first")
    _wait_until(lambda: _shared(there, here))

    _write(here, "second")
    _wait_until(lambda: _read(there) == "second")
    if fault == "held":
        server.hold()
    else:
        server.stop()
    if fault == "started again":
        server.start()
    _write(here, "third")
    assert _read(here) == "third"
    time.sleep(BOUND_SECONDS)
    assert _read(there) == "third"
    if fault == "held":
        server.go_on()
    elif fault == "stopped":
        server.start()

    for title in ("fourth", "fifth"):
        _write(there, title)
        assert _read(there) == title
        time.sleep(BOUND_SECONDS)
        assert _read(here) == title
    if fault != "started again":
        assert here.cache.statistics().missed_invalidations == 1


@pytest.mark.parametrize("database_url", ["file", "postgresql"], indirect=True)
async def test_what_only_redis_knows_is_told_without_asking_the_database(
    open_timber: OpenTimber, server: Server
) -> None:
    here, there, elsewhere = (open_timber(redis_url=server.url) for _ in range(3))
    _write(here, "first")
    _wait_until(lambda: _shared(there, here))
    values = {"title": "A Room", "tags": ["essay", {"by": "Woolf"}], "cover": b"\x00\xff"}
    with here.database.session_scope() as session:
        session.add(here.models.get("Book")(id="two", price=Decimal("7.50"), **values))
        session.add(
            here.models.get("Ticket")(number=7, deleted_at=datetime(2026, 1, 1, tzinfo=UTC))
        )
    for name, key in (("Book", "two"), ("Book", "none"), ("Ticket", 7)):
        here.database.get(here.models.get(name), key)
    asked: list[str] = []

    for timber in (there, elsewhere):
        event.listen(
            timber.database.engine,
            "before_cursor_execute",
            lambda _connection, _cursor, statement, *_: asked.append(statement),
        )
    before = there.cache.statistics().shared_hits
    row = there.database.get(there.models.get("Book"), "two")
    absent = there.database.get(there.models.get("Book"), "none")
    deleted = there.database.get(there.models.get("Ticket"), 7)
    awaited = await elsewhere.database.async_get(elsewhere.models.get("Book"), "two")

    for one in (row, awaited):
        assert one is not None
        assert {name: getattr(one, name) for name in values} == values
        assert one.price == Decimal("7.50")
        assert inspect(one).detached
    assert (absent, deleted) == (None, None)
    assert there.cache.statistics().shared_hits - before == 3
    assert asked == []


BOUND_SECONDS = 0.1
"""The bound that Timber keeps to by default."""


def _shared(*timbers: Timber) -> bool:
    """Tell whether one process has got what another has stored: the server has warmed up."""
    assert {_read(timber) for timber in timbers} == {"first"}
    return any(timber.cache.statistics().shared_hits for timber in timbers)


def _write(timber: Timber, title: str) -> None:
    with timber.database.session_scope() as session:
        session.merge(timber.models.get("Book")(id="one", title=title))


def _read(timber: Timber) -> str | None:
    with timber.database.session_scope() as session:
        row = session.get(timber.models.get("Book"), "one")
        return row and str(row.title)


def _value(cache: RedisCache) -> bytes | None:
    try:
        return cache.look(FENCES, "key").value
    except SharedCacheUnavailableError:
        return b"unknown"


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + USUAL_TIMES.warm_up_seconds + 20
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
