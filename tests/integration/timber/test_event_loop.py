"""What the event loop can rely on, on SQLite in memory, in a file, and on PostgreSQL."""

import asyncio
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session
from tests.integration.timber.conftest import read

from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


async def test_work_off_the_event_loop_is_one_transaction(
    timber: Timber, account: type[Any]
) -> None:
    def fail(session: Session) -> None:
        session.add(account(label="lost"))
        session.flush()
        raise RuntimeError

    await timber.database.run(lambda session: session.add(account(label="kept")))
    with pytest.raises(RuntimeError):
        await timber.database.run(fail)

    labels = await timber.database.run(
        lambda session: session.scalars(select(account.label)).all()
    )
    assert labels == ["kept"]


async def test_many_tasks_work_at_once(timber: Timber, account: type[Any]) -> None:
    def create(number: int) -> Callable[[Session], None]:
        return lambda session: session.add(account(label=str(number)))

    await asyncio.gather(*(timber.database.run(create(number)) for number in range(50)))

    assert await timber.database.run(lambda session: session.query(account).count()) == 50


async def test_a_cancelled_caller_learns_of_it_when_the_transaction_is_over(
    timber: Timber, account: type[Any]
) -> None:
    begun, go_on = Event(), Event()

    def work(session: Session) -> None:
        session.add(account(label="a"))
        begun.set()
        assert go_on.wait(10)

    task = asyncio.create_task(timber.database.run(work))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert read(timber, lambda session: session.query(account).count()) == 1


async def test_an_async_scope_commits_or_rolls_back(timber: Timber, account: type[Any]) -> None:
    async def lose() -> None:
        async with timber.database.async_session_scope() as session:
            session.add_all([account(label="lost")])
            await session.flush()
            raise RuntimeError

    async with timber.database.async_session_scope() as session:
        session.add(account(id="kept", label="kept"))
        await session.flush()
        assert await session.scalar(select(func.count()).select_from(account)) == 1
    with pytest.raises(RuntimeError):
        await lose()

    async with timber.database.async_session_scope() as session:
        assert await session.scalars(select(account.label)) == ["kept"]
        [row] = await session.execute(select(account.id, account.label))
        assert tuple(row) == ("kept", "kept")
        await session.delete(await session.get(account, "kept"))
        await session.rollback()
        await session.commit()
        assert await session.get(account, "kept") is not None


def test_the_tables_are_there(timber: Timber) -> None:
    assert {"accounts", "entries", "users"} <= set(
        inspect(timber.database.engine).get_table_names()
    )
    assert timber.database.check_connection()
