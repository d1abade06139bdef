"""What the isolation of tests promises: all sessions share, nothing remains."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import insert
from tests.unit.timber.conftest import OpenTimber

from timber.common.errors import DuplicateError
from timber.common.runtime import Timber
from timber.testing.isolation import IsolationError, isolated

COUNTER = """
    models:
      - name: Counter
        table_name: counters
        columns:
          - {name: name, type: String(36), primary_key: true}
          - {name: value, type: Integer, nullable: false, default: 0}
"""


@pytest.fixture
def timber(open_timber: OpenTimber) -> Timber:
    return open_timber(COUNTER)


@pytest.fixture
def counter(timber: Timber) -> type[Any]:
    return timber.models.get("Counter")


@pytest.fixture
def names(timber: Timber, counter: type[Any]) -> Callable[[], list[str]]:
    """Read what is stored, in a session of its own."""

    def read() -> list[str]:
        with timber.database.session_scope() as session:
            return sorted(row.name for row in session.query(counter))

    return read


def test_what_is_committed_inside_is_seen_inside_and_gone_outside(
    timber: Timber, counter: type[Any], names: Callable[[], list[str]]
) -> None:
    with isolated(timber.database):
        with timber.database.session_scope() as session:
            session.add(counter(name="a"))

        assert names() == ["a"]

    assert names() == []


def test_rows_from_before_are_seen_inside_and_there_afterwards(
    timber: Timber, counter: type[Any], names: Callable[[], list[str]]
) -> None:
    with timber.database.session_scope() as session:
        session.add(counter(name="before"))

    with isolated(timber.database), timber.database.session_scope() as session:
        session.delete(session.get(counter, "before"))

    assert names() == ["before"]


def test_a_scope_that_fails_undoes_its_own_work_only(
    timber: Timber, counter: type[Any], names: Callable[[], list[str]]
) -> None:
    def add(*added: str) -> None:
        with timber.database.session_scope() as session:
            for name in added:
                session.execute(insert(counter), [{"name": name}])

    with isolated(timber.database):
        add("kept")
        with pytest.raises(DuplicateError):
            add("undone", "kept")

        assert names() == ["kept"]


def test_a_refused_row_leaves_the_session_usable_after_a_rollback(
    timber: Timber, counter: type[Any], names: Callable[[], list[str]]
) -> None:
    with isolated(timber.database), timber.database.session() as session:
        session.add(counter(name="a"))
        session.commit()
        session.add(counter(name="a"))
        with pytest.raises(DuplicateError):
            session.commit()
        session.rollback()
        session.add(counter(name="b"))
        session.commit()

        assert names() == ["a", "b"]


def test_threads_that_commit_are_isolated_too(
    timber: Timber, counter: type[Any], names: Callable[[], list[str]]
) -> None:
    def create(number: int) -> bool:
        with timber.database.session_scope() as session:
            session.add(counter(name=f"{number:02}"))
            session.commit()
            return session.get(counter, f"{number:02}") is not None

    with isolated(timber.database) as isolation, timber.database.session() as ground:
        isolation.be_ground(ground)
        ground.add(counter(name="ground"))
        ground.flush()  # begun, and open while the threads work
        with ThreadPoolExecutor(max_workers=10) as pool:
            assert all(pool.map(create, range(50)))

        assert names() == [*(f"{number:02}" for number in range(50)), "ground"]

    assert names() == []


def test_a_thread_waits_for_the_scope_of_another_to_end(
    timber: Timber, counter: type[Any], names: Callable[[], list[str]]
) -> None:
    begun, reading = threading.Event(), threading.Event()

    def undo() -> None:
        with timber.database.session() as session:
            session.add(counter(name="undone"))
            session.flush()
            begun.set()
            reading.wait(5)

    def read() -> list[str]:
        begun.wait(5)
        reading.set()
        return names()

    with isolated(timber.database), ThreadPoolExecutor(max_workers=2) as pool:
        undoing, seen = pool.submit(undo), pool.submit(read)

        assert seen.result() == []
        undoing.result()


def test_the_test_s_own_session_ends_after_those_of_threads_upon_it(
    timber: Timber, counter: type[Any], names: Callable[[], list[str]]
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def create() -> None:
        with timber.database.session_scope() as session:
            session.add(counter(name="thread"))
            session.flush()
            begun.set()
            ended.wait(0.1)  # it does not happen

    with isolated(timber.database) as isolation, timber.database.session() as ground:
        isolation.be_ground(ground)
        ground.add(counter(name="ground"))
        ground.flush()
        with ThreadPoolExecutor(max_workers=1) as pool:
            creating = pool.submit(create)
            begun.wait(5)
            ground.commit()
            ended.set()
            creating.result()

        assert names() == ["ground", "thread"]


async def test_tasks_that_commit_at_the_same_time_are_isolated_too(
    timber: Timber, counter: type[Any], names: Callable[[], list[str]]
) -> None:
    async def create(number: int) -> None:
        async with timber.database.async_session_scope() as session:
            session.add(counter(name=str(number)))
            await session.flush()
            await session.execute(counter.__table__.select())

    with isolated(timber.database) as isolation, timber.database.session() as ground:
        isolation.be_ground(ground)
        await asyncio.gather(*(create(number) for number in range(8)))
        await timber.database.run(lambda session: session.add(counter(name="run")))

        assert names() == [*map(str, range(8)), "run"]
        assert ground.query(counter).count() == 9

    assert names() == []


def test_the_test_s_own_session_can_be_used_inside_a_scope(
    timber: Timber, counter: type[Any]
) -> None:
    with isolated(timber.database) as isolation, timber.database.session() as ground:
        isolation.be_ground(ground)
        with timber.database.session_scope() as session:
            session.add(counter(name="a"))
            session.flush()

            assert ground.get(counter, "a") is not None
            ground.rollback()


def test_sessions_that_end_in_the_wrong_order_are_told_so(
    timber: Timber, counter: type[Any]
) -> None:
    with isolated(timber.database):
        first, second = timber.database.session(), timber.database.session()
        first.query(counter).all()
        second.query(counter).all()

        with pytest.raises(IsolationError, match="reverse order"):
            first.commit()

        second.close()
        first.close()


def test_waiting_for_oneself_is_an_error_and_no_deadlock(
    timber: Timber, counter: type[Any], names: Callable[[], list[str]]
) -> None:
    with (
        isolated(timber.database, patience_seconds=0.05),
        ThreadPoolExecutor(max_workers=1) as pool,
        timber.database.session_scope() as session,
    ):
        session.query(counter).all()

        with pytest.raises(IsolationError, match=r"waited 0\.05 s"):
            pool.submit(names).result()
