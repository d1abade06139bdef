"""What two transactions at once cannot do to each other, after the Hermitage suite."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session
from tests.integration.timber.conftest import add, read

from timber.common.clock import SteadyClock, SystemClock
from timber.common.database.retrying import ATTEMPTS, IsolationLevel
from timber.common.database.service import DatabaseService
from timber.common.errors import SerializationError
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


class Meeting:
    """Lets two transactions meet once, at their first attempt; afterwards nobody waits."""

    def __init__(self, *, patience: float = 5) -> None:
        self._barrier = Barrier(2)
        self._patience = patience
        self.attempts = 0

    def meet(self) -> None:
        self.attempts += 1
        if self.attempts > 2:
            return
        with suppress(BrokenBarrierError):  # when the other is kept out: it cannot come
            self._barrier.wait(self._patience)


def together(*works: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(works)) as threads:
        return [future.result(30) for future in [threads.submit(work) for work in works]]


@pytest.fixture
def patience(timber: Timber) -> float:
    """Return how long a transaction waits for one that may not be able to come."""
    return 5 if timber.database.engine.dialect.name == "postgresql" else 0.2


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_no_update_is_lost(
    timber: Timber, account: type[Any], level: IsolationLevel, patience: float
) -> None:
    add(timber, account(id="one", label="one"))
    meeting = Meeting(patience=patience)

    def deposit(session: Session) -> None:
        row = session.get_one(account, "one")
        balance = row.balance
        meeting.meet()
        row.balance = balance + 1

    together(*[lambda: timber.database.run_sync(deposit, isolation=level)] * 2)

    assert read(timber, lambda session: session.get_one(account, "one").balance) == 2


def test_no_write_is_skewed(timber: Timber, account: type[Any], patience: float) -> None:
    """Of two doctors on call, one may leave; both read that the other one stays."""
    add(timber, account(id="ada", label="ada"), account(id="bob", label="bob"))
    meeting = Meeting(patience=patience)

    def leave(name: str) -> Callable[[Session], bool]:
        def work(session: Session) -> bool:
            on_call = session.scalar(select(func.count(account.id)).where(account.active))
            meeting.meet()
            if on_call == 2:
                session.get_one(account, name).active = False
            return on_call == 2

        return work

    left = together(
        lambda: timber.database.run_sync(leave("ada"), isolation="SERIALIZABLE"),
        lambda: timber.database.run_sync(leave("bob"), isolation="SERIALIZABLE"),
    )

    assert sorted(left) == [False, True]


# SQLite lets one write at a time, so two never wait for each other.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_deadlock_is_broken_and_the_work_done(timber: Timber, account: type[Any]) -> None:
    add(timber, account(id="a", label="a"), account(id="b", label="b"))
    meeting = Meeting()

    def raise_both(first: str, second: str) -> Callable[[Session], None]:
        def work(session: Session) -> None:
            session.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
            for number, key in enumerate((first, second)):
                change = update(account).where(account.id == key)
                session.execute(change.values(balance=account.balance + 1))
                if number == 0:
                    meeting.meet()

        return work

    together(
        lambda: timber.database.run_sync(raise_both("a", "b")),
        lambda: timber.database.run_sync(raise_both("b", "a")),
    )

    assert meeting.attempts == 3
    assert read(timber, lambda s: s.scalars(select(account.balance)).all()) == [2, 2]


# On SQLite the second waits for the first.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_without_a_retry_the_loser_learns_of_it(timber: Timber, account: type[Any]) -> None:
    add(timber, account(id="one", label="one"))

    def change(session: Session) -> None:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        session.get_one(account, "one").balance += 1

    def lose() -> None:
        with timber.database.session_scope() as session:
            change(session)
            with timber.database.session_scope() as winner:
                change(winner)

    with pytest.raises(SerializationError, match="run\\(work\\)"):
        lose()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def database(waits: list[float]) -> Iterator[DatabaseService]:
    """Give a database that notes its waits instead of waiting."""
    service = DatabaseService(
        clock=SteadyClock(SystemClock()), sleep=waits.append, chance=random.Random(1)
    )
    service.open("sqlite://")
    yield service
    service.close()


async def test_hopeless_work_is_tried_a_number_of_times_with_growing_waits(
    database: DatabaseService, waits: list[float]
) -> None:
    sessions: list[Session] = []

    def work(session: Session) -> None:
        sessions.append(session)
        raise SerializationError("no")

    with pytest.raises(SerializationError) as caught:
        await database.run(work)

    assert caught.value.__notes__ == [f"tried {ATTEMPTS} times"]
    assert len({id(session) for session in sessions}) == ATTEMPTS
    assert len(waits) == ATTEMPTS - 1
    assert all(0 <= wait <= min(1, 0.02 * 2 ** (n + 1)) for n, wait in enumerate(waits))


def test_other_errors_are_not_tried_again(database: DatabaseService, waits: list[float]) -> None:
    with pytest.raises(ZeroDivisionError):
        database.run_sync(lambda _: 1 / 0)

    assert waits == []
