"""The cache in Redis keeps its promises, and Redis may do what it likes."""

import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
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
