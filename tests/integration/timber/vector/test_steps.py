"""What several searches ask at once is answered as though each had asked by itself."""

import pytest
from sqlalchemy import Connection, Engine
from tests.contracts.vector_shelf import Shelf

from timber.common.errors import DatabaseError
from timber.common.vector.steps import Asked, Steps, taken, together

pytestmark = pytest.mark.integration


def doubled(number: int, *, times: int) -> Steps[int]:
    """Ask the database to double a number, again and again."""
    for _ in range(times):
        [(number,)] = yield Asked("SELECT CAST(%(one)s AS int) * 2", {"one": number})
    return number


def refused() -> Steps[None]:
    yield Asked("SELECT * FROM nowhere", {})


def failing(seen: list[str]) -> Steps[None]:
    yield Asked("SELECT 1", {})
    seen.append("failed")
    raise ZeroDivisionError


def watching(seen: list[str]) -> Steps[None]:
    yield Asked("SELECT 1", {})
    seen.append("went on")


@pytest.fixture
def engine(postgresql_shelf: Shelf) -> Engine:
    return postgresql_shelf.engine


def test_each_gets_its_own_answers_however_many_steps_it_takes(engine: Engine) -> None:
    with engine.connect() as connection:
        found = together(connection, *(doubled(one, times=one) for one in range(6)))

        assert found == [one * 2**one for one in range(6)]
        assert taken(connection, doubled(3, times=2)) == 12
        assert together(connection) == []


@pytest.mark.parametrize("others", [0, 2])
def test_what_the_database_refuses_is_an_error_and_the_connection_goes_on(
    engine: Engine, others: int
) -> None:
    with engine.connect() as connection:
        transaction = connection.begin()
        with pytest.raises(DatabaseError, match="42P01"):  # there is no such table
            together(connection, *(doubled(1, times=1) for _ in range(others)), refused())
        transaction.rollback()

        assert _works(connection)


def test_who_is_behind_one_that_fails_does_not_go_on(engine: Engine) -> None:
    seen: list[str] = []
    with engine.connect() as connection:
        with pytest.raises(ZeroDivisionError):
            together(connection, watching(seen), failing(seen), watching(seen))

        assert seen == ["went on", "failed"]
        assert _works(connection)


def _works(connection: Connection) -> bool:
    return taken(connection, doubled(2, times=1)) == 4
