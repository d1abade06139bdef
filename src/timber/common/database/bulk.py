"""Inserts any number of rows the fastest way the database has, in bounded memory."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Table, insert

from timber.common.caching.gate import note_insert
from timber.common.database.bulk_rows import Columns, Values, chunks, target_of
from timber.common.database.copy_types import binary_types
from timber.common.database.driver_errors import translated
from timber.common.database.seal_refusals import SEALED_BEFORE
from timber.common.database.sqlite_transactions import begin

CHUNK: Final = 1_000
"""How many rows are in memory at once."""

WRITTEN_PAST: Final = "timber_written_past"
"""The execution option with those who are told of rows that are written past SQLAlchemy: a tuple
of functions of a connection and the name of a table."""

_Write: TypeAlias = Callable[[list[Values]], object]


def insert_rows(
    connection: Connection, model: type[Any] | Table, rows: Iterable[Mapping[str, Any]]
) -> int:
    """Insert the rows in the connection's transaction, and return how many there were.

    Raises:
        TypeError: `model` is neither a model nor a table.
        UnknownColumnError: a row has a key that is no column.
        DatabaseError: the database refused something.

    """
    target = target_of(model)
    begin(connection)
    copies = _can_copy(connection, target.table)
    if copies:
        note_insert(connection, target.table)
    for told in connection.get_execution_options().get(WRITTEN_PAST, ()):
        told(connection, target.table.name)
    writer = _copy if copies else _execute_many
    writes: dict[Columns, _Write] = {}
    count = 0
    for columns, chunk in chunks(target, rows, connection=connection, size=CHUNK):
        if columns not in writes:
            writes[columns] = writer(connection, target.table, columns)
        writes[columns](chunk)
        count += len(chunk)
    return count


def _can_copy(connection: Connection, table: Table) -> bool:
    # What SQLAlchemy would write into the INSERT, COPY has no place for.
    made_by_sql = (
        column.default is not None
        and (column.default.is_clause_element or column.default.is_sequence)
        for column in table.columns
    )
    return connection.dialect.driver == "psycopg" and not any(made_by_sql)


def _execute_many(connection: Connection, table: Table, columns: Columns) -> _Write:
    """Return what sends rows through one INSERT, whose values are ready for the driver."""
    names = [column.key for column in columns]
    compiled = (
        insert(table)
        .inline()
        .execution_options(**{SEALED_BEFORE: True})
        .compile(dialect=connection.dialect, column_keys=names, for_executemany=True)
    )
    sql = str(compiled)
    # What the defaults written in SQL are made of.
    constants = {
        name: bind.effective_value for name, bind in compiled.binds.items() if name not in names
    }
    if not compiled.positional:
        return lambda chunk: connection.exec_driver_sql(
            sql, [constants | dict(zip(names, row, strict=True)) for row in chunk]
        )
    order = list(compiled.positiontup or ())
    if order == names:
        return lambda chunk: connection.exec_driver_sql(sql, chunk)
    fixed = tuple(constants.values())
    places = [[*names, *constants].index(name) for name in order]
    return lambda chunk: connection.exec_driver_sql(
        sql, [tuple(map((row + fixed).__getitem__, places)) for row in chunk]
    )


def _copy(connection: Connection, table: Table, columns: Columns) -> _Write:
    """Return what sends rows through COPY, in PostgreSQL's binary form if it knows the types."""
    prepare = connection.dialect.identifier_preparer
    listed = ", ".join(map(prepare.format_column, columns))
    types = binary_types(columns, connection.dialect)
    form = " WITH (FORMAT BINARY)" if types else ""
    sql = f"COPY {prepare.format_table(table)} ({listed}) FROM STDIN{form}"

    def write(chunk: list[Values]) -> None:
        cursor: Any = connection.connection.cursor()
        try:
            with translated():
                _send(cursor, sql, types, chunk)
        finally:
            cursor.close()

    return write


def _send(cursor: Any, sql: str, types: list[str] | None, rows: list[Values]) -> None:
    refused: Exception | None = None
    try:
        with cursor.copy(sql) as copy:
            if types:
                copy.set_types(types)
            try:
                for row in rows:
                    copy.write_row(row)
            except Exception as error:  # noqa: BLE001 - raised again below
                refused = error
                raise _ValueRefusedError from None
    except Exception:
        # psycopg tells the server why a COPY is broken off, and the server's log keeps it:
        # so it is told of an error without the value that the real one may quote.
        if refused is None:
            raise
    if refused is not None:
        raise refused


class _ValueRefusedError(Exception):
    """A value cannot be stored in its column."""
