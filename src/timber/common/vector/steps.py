"""Searches in steps: each asks the database something, and goes on with the answer.

So what several ask first goes to a server in one trip. A trip takes longer than most answers.
"""

from collections.abc import Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import Connection

from timber.common.vector import postgresql_driver, sqlite_driver

Result = TypeVar("Result")


class Asked(NamedTuple):
    """A statement for the driver, which selects, and its parameters by name."""

    statement: str
    given: dict[str, Any]


Steps: TypeAlias = Generator[Asked, list[Any], Result]
"""Yields what it asks, is sent the rows, as tuples, and returns what comes of them in the end."""


def taken(connection: Connection, steps: Steps[Result]) -> Result:
    """Take steps, one after the other, and return what comes of them.

    Raises what they raise, and:
        DatabaseError: the database cannot be read.

    """
    result: Result
    [result] = together(connection, steps)
    return result


def together(connection: Connection, *steps: Steps[Any]) -> list[Any]:
    """Take the steps of several at once, and return what comes of each.

    They go on with what was answered in their order: what one raises, those behind it never
    learn of. Raises as `taken`.
    """
    results: list[Any] = [None] * len(steps)
    rows: dict[int, list[Any] | None] = dict.fromkeys(range(len(steps)))
    while True:
        asked: dict[int, Asked] = {}
        for place, found in rows.items():
            try:
                asked[place] = next(steps[place]) if found is None else steps[place].send(found)
            except StopIteration as end:
                results[place] = end.value
        if not asked:
            return results
        rows = dict(zip(asked, _answers(connection, list(asked.values())), strict=True))


def _answers(connection: Connection, asked: list[Asked]) -> list[list[Any]]:
    if connection.dialect.name == "sqlite":
        return [sqlite_driver.fetched(connection, *one) for one in asked]
    return postgresql_driver.fetched_together(connection, asked)
