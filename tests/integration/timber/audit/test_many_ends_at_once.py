"""As many transactions as the pool has connections end at once, and none waits for another."""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.fake_keystore import FakeKeystore
from tests.integration.timber.audit.conftest import settings_of

from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

POOL = 3


@pytest.fixture
def timber(postgresql_url: str, tmp_path: Path) -> Iterator[Timber]:
    settings = settings_of(
        postgresql_url,
        tmp_path / "models",
        pool_size=POOL,
        pool_overflow=0,
        pool_timeout_seconds=2,
    )
    with Timber(keystore=FakeKeystore()).opened(settings) as opened:
        yield opened


def all_at_once(write: Callable[[int, threading.Barrier], None]) -> None:
    together = threading.Barrier(POOL, timeout=20)
    with ThreadPoolExecutor(POOL) as threads:
        for done in [threads.submit(write, number, together) for number in range(POOL)]:
            done.result(30)


def is_whole(timber: Timber) -> bool:
    found = timber.audit.verify()
    return found.is_intact and found.outside == 0


def test_transactions_of_one_view_need_no_second_connection_of_the_pool(timber: Timber) -> None:
    note: Any = timber.models.get("Note")
    keys = map(str, itertools.count())

    def write(_number: int, together: threading.Barrier) -> None:
        def work(session: Any) -> None:
            session.add(note(id=next(keys)))
            session.flush()
            together.wait()

        timber.database.run_sync(work, isolation="REPEATABLE READ")

    for _ in range(2):
        all_at_once(write)

    assert len(list(timber.audit.log(table="notes", operation="insert"))) == 2 * POOL
    assert is_whole(timber)
    assert timber.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined] # a QueuePool


def test_autocommit_needs_no_second_connection_of_the_pool(timber: Timber) -> None:
    def write(number: int, together: threading.Barrier) -> None:
        engine = timber.database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("INSERT INTO notes (id) VALUES (:id)"), {"id": str(number)})
            together.wait()
            connection.commit()

    all_at_once(write)

    assert len(list(timber.audit.log(table="notes", operation="insert"))) == POOL
    assert timber.audit.verify().is_intact


def connected(timber: Timber) -> set[int]:
    statement = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    with timber.database.engine.connect() as connection:
        return set(connection.scalars(text(statement)))


def test_a_lost_connection_beside_the_pool_is_made_anew(timber: Timber) -> None:
    def write(key: str) -> None:
        row = timber.models.get("Note")(id=key)
        timber.database.run_sync(lambda session: session.add(row), isolation="REPEATABLE READ")

    before = connected(timber)
    write("a")
    [apart] = connected(timber) - before
    with timber.database.engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": apart})

    write("b")

    assert apart not in connected(timber)
    assert is_whole(timber)
