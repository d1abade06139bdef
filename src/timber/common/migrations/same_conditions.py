"""Whether two conditions say the same: the database is asked, for it keeps words of its own.

PostgreSQL writes out how it understood a condition, SQLite how it would compute it. Neither
needs the table itself: PostgreSQL gets a temporary one, which is undone, SQLite one in memory.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

from sqlalchemy import Column, Connection, MetaData, Table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from timber.common.errors import DatabaseError

_NAME: Final = "timber_conditions"
_MOST_ROUNDS: Final = 5
"""After how many times of reading its own words PostgreSQL is believed to repeat itself."""
_REFUSED: Final = (DBAPIError, DatabaseError)


def say_the_same(
    connection: Connection, columns: Sequence[Column[Any]], said: str, there: str
) -> bool:
    """Tell whether what is said, and what is there, are one to a table with those columns.

    Where the database does not tell, they are taken for the same.
    """
    bare = (Column(one.name, one.type) for one in columns)
    if connection.dialect.name == "sqlite":
        table = Table(_NAME, MetaData(), *bare)
        return _compute_the_same(str(CreateTable(table).compile(connection)), said, there)
    return _read_the_same(
        connection, Table(_NAME, MetaData(), *bare, prefixes=["TEMPORARY"]), said, there
    )


# ------------------------------------------------------------------ SQLite


def _compute_the_same(create: str, said: str, there: str) -> bool:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(create)
        wanted, found = (_program(database, one) for one in (said, there))
    # What is there was cut out of the text of a statement, and may be torn.
    return None in (wanted, found) or wanted == found


def _program(database: sqlite3.Connection, condition: str) -> list[Any] | None:
    """Return the steps by which SQLite would compute a condition; None if it cannot."""
    try:
        return database.execute(f"EXPLAIN SELECT ({condition}) FROM {_NAME}").fetchall()  # noqa: S608 - nothing is run, and nothing is there
    except sqlite3.Error:
        return None


# ------------------------------------------------------------------ PostgreSQL


def _read_the_same(connection: Connection, table: Table, said: str, there: str) -> bool:
    try:
        with connection.begin_nested() as attempt:
            table.create(connection, checkfirst=False)
            wanted, found = (_words(connection, one) for one in (said, there))
            attempt.rollback()
    except _REFUSED:
        return True  # it lets this user create no temporary table
    return wanted is None or wanted == found


def _words(connection: Connection, condition: str) -> str | None:
    """Return a condition in PostgreSQL's words; None if it is none to it.

    Its words, read again, may become others, which then stay.
    """
    before, now = "", condition
    try:
        with connection.begin_nested():
            for _ in range(_MOST_ROUNDS):
                if now == before:
                    break
                before, now = now, _deparsed(connection, now)
    except _REFUSED:
        return None
    return now


def _deparsed(connection: Connection, condition: str) -> str:
    add = f"ALTER TABLE pg_temp.{_NAME} ADD CONSTRAINT {_NAME} CHECK ({condition})"
    connection.execute(text(add.replace(":", r"\:")))
    read = (
        "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint "  # noqa: S608 - constants
        rf"WHERE conrelid = 'pg_temp.{_NAME}'\:\:regclass AND conname = '{_NAME}'"
    )
    words: str = connection.execute(text(read)).scalar_one()
    connection.execute(text(f"ALTER TABLE pg_temp.{_NAME} DROP CONSTRAINT {_NAME}"))
    return words
