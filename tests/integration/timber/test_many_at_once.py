"""What many transactions at once promise, on SQLite in memory, in a file, and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from tests.integration.timber.conftest import add, read

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration


def test_ten_threads_write_while_a_session_stays_open(timber: Timber, account: type[Any]) -> None:
    def create(number: int) -> bool:
        with timber.database.session_scope() as session:
            session.add(account(label=f"account {number}"))
            session.commit()
            return session.query(account).filter_by(label=f"account {number}").count() == 1

    with timber.database.session_scope() as outer, ThreadPoolExecutor(10) as threads:
        add(timber, account(label="first"))
        assert outer.query(account).count() == 1
        assert all(threads.map(create, range(100)))
        outer.rollback()
        assert outer.query(account).count() == 101


def test_no_change_is_lost_when_rows_are_read_for_update(
    timber: Timber, account: type[Any]
) -> None:
    add(timber, account(id="shared", label="shared"))
    barrier = Barrier(8)

    def deposit(_: int) -> None:
        barrier.wait()
        for _turn in range(5):
            with timber.database.session_scope() as session:
                row = session.get_one(account, "shared", with_for_update=True)
                row.balance += 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(deposit, range(8)))

    assert read(timber, lambda session: session.get_one(account, "shared").balance) == 40


def test_an_added_row_waits_for_no_reader(timber: Timber, account: type[Any]) -> None:
    reading, written = Event(), Event()

    def read_and_stay() -> int:
        with timber.database.session_scope() as session:
            session.query(account).all()
            reading.set()
            assert written.wait(10)
            return session.query(account).count()

    with ThreadPoolExecutor(1) as threads:
        reader = threads.submit(read_and_stay)
        assert reading.wait(10)
        add(timber, account(label="a"))
        written.set()

        assert reader.result() == 1


# Nobody else can open a database in memory.
@pytest.mark.parametrize("database_url", ["file", "postgresql"], indirect=True)
def test_two_may_create_the_tables_at_once(database_url: str) -> None:
    settings = TimberSettings(database_url=database_url, packaged_models=False)

    def start(_: int) -> bool:
        with Timber().opened(settings) as one:
            return one.database.check_connection()

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(start, range(4)))
