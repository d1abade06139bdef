"""PostgreSQL's driver itself, for what is read in its binary form, or in very many searches."""

import contextlib
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from timber.common.database.driver_errors import translated

if TYPE_CHECKING:
    from psycopg import Cursor


@contextlib.contextmanager
def reading(connection: Connection) -> "Generator[Cursor[Any]]":
    """Give a cursor of the driver that reads what PostgreSQL sends in its binary form.

    Raises:
        DatabaseError: the database refused something.

    """
    driver: Any = connection.connection.driver_connection
    with translated(), driver.cursor(binary=True) as cursor:
        yield cursor


def fetched(connection: Connection, statement: str, given: dict[str, Any]) -> list[Any]:
    """Return the rows that a statement reads, as tuples; its parameters are `%(name)s`.

    Raises:
        DatabaseError: the database cannot be read.

    """
    with reading(connection) as cursor:
        return list(cursor.execute(statement, given).fetchall())


def fetched_together(
    connection: Connection, asked: Sequence[tuple[str, dict[str, Any]]]
) -> list[list[Any]]:
    """Return the rows that each of some statements reads, all in one trip. Raises as `fetched`."""
    if len(asked) == 1:
        return [fetched(connection, *asked[0])]
    with reading(connection) as cursor, contextlib.ExitStack() as stack:
        driver = cursor.connection
        cursors = [stack.enter_context(driver.cursor(binary=True)) for _ in asked]
        with driver.pipeline():
            for one, (statement, given) in zip(cursors, asked, strict=True):
                one.execute(statement, given)
        return [one.fetchall() for one in cursors]
