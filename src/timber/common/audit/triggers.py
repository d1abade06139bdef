"""The triggers that note, in the writer's transaction, what becomes of the rows of a table.

They are made for each database from the columns there are, and their names hold a digest of what
they do. They note keys and names of columns, never a value.
"""

import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import JSON, Connection, Dialect, LargeBinary
from typing_extensions import override

from timber.common.audit.audited import AuditedTable
from timber.common.audit.definitions import Definition, definition_of, definitions
from timber.common.audit.tables import PENDING
from timber.common.database.attachments import drop_trigger

_log: Final = logging.getLogger(__name__)
PREFIX: Final = "timberaudit_rows_"
"""What their names begin with; migrations of models know nothing of them."""
_LONGEST_PART: Final = 20


def triggers_of(audited: AuditedTable, dialect: Dialect) -> dict[str, tuple[str, ...]]:
    """Return the triggers of a table, each with the statements that make it."""
    writer = (_Sqlite if dialect.name == "sqlite" else _Postgresql)(audited, dialect)
    made = dict(writer.made())
    said = hashlib.sha256(repr(made).encode()).hexdigest()[:12]
    named = {
        f"{PREFIX}{audited.name[:_LONGEST_PART]}_{event}_{said}": made[event] for event in made
    }
    quote = dialect.identifier_preparer.quote
    return {
        name: tuple(one.replace("{name}", quote(name)) for one in statements)
        for name, statements in named.items()
    }


def present(connection: Connection) -> dict[str, str]:
    """Return the triggers that are there, whatever they do, each with its table."""
    found = definitions(connection)
    return {name: one.table for name, one in found.items() if name.startswith(PREFIX)}


def missing(connection: Connection, audited: AuditedTable) -> bool:
    """Tell whether a table lacks any of its triggers, or has one that does something else."""
    return not are_as_wanted(
        connection, audited.name, triggers_of(audited, connection.dialect), definitions(connection)
    )


def are_as_wanted(
    connection: Connection,
    table: str,
    wanted: Mapping[str, Sequence[str]],
    there: Mapping[str, Definition],
) -> bool:
    """Tell whether a table has these triggers, and they do what they should."""
    return all(
        there.get(name) == Definition(table, definition_of(statements, connection.dialect))
        for name, statements in wanted.items()
    )


def complete(connection: Connection, wanted: dict[str, AuditedTable]) -> None:
    """Make the triggers that are missing, and drop those that are wanted no more."""
    there = definitions(connection)
    made = {
        name: (table, statements)
        for table, one in wanted.items()
        for name, statements in triggers_of(one, connection.dialect).items()
    }
    kept = {
        name
        for name, (table, statements) in made.items()
        if are_as_wanted(connection, table, {name: statements}, there)
    }
    for name, one in sorted(there.items()):
        if name in made and name not in kept:
            # Its name says what it should do, so somebody has changed it.
            _log.warning("the trigger %s of %s was changed, and is made anew", name, one.table)
        if name.startswith(PREFIX) and name not in kept:
            drop(connection, name, one.table)
    for name in made.keys() - kept:
        for statement in made[name][1]:
            run(connection, statement)


def drop(connection: Connection, name: str, table: str) -> None:
    """Drop a trigger."""
    for statement in drop_trigger(name, table, connection.dialect):
        run(connection, statement)


def run(connection: Connection, statement: str) -> None:
    """Run a statement that has no parameters."""
    # PostgreSQL's driver takes a sign of percentage for the beginning of one.
    is_sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql(statement if is_sqlite else statement.replace("%", "%%"))


class _Writer(ABC):
    """Writes the triggers of one table."""

    differs: str

    def __init__(self, audited: AuditedTable, dialect: Dialect) -> None:
        self._audited = audited
        self._quote: Any = dialect.identifier_preparer.quote
        self._table = self._quote(audited.name)
        watched = dict.fromkeys((*(one.name for one in audited.key), *audited.fields))
        self._watched = [audited.table.c[name] for name in watched]

    @abstractmethod
    def made(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each trigger: its name, and what makes it."""

    def _of(self, row: str, column: Any) -> str:
        return f"{row}.{self._quote(column.name)}"

    def _link(self, row: str) -> str:
        """Return what finds the end of the path from a row."""
        columns = self._audited.link_columns
        if not columns:
            return "NULL"
        found = self._of(row, columns[0])
        for before, column in pairwise(columns):
            target = next(iter(before.foreign_keys)).column
            found = (
                f"(SELECT {self._quote(column.name)} FROM {self._quote(column.table.name)} "
                f"WHERE {self._quote(target.name)} = {found})"
            )
        return f"CAST({found} AS TEXT)"

    def _literal(self, value: str) -> str:
        return "'" + value.replace("'", "''") + "'"

    def _differs(self, columns: Any) -> str:
        return " OR ".join(
            f"{self._compared('OLD', one)} {self.differs} {self._compared('NEW', one)}"
            for one in columns
        )

    def _compared(self, row: str, column: Any) -> str:
        return self._of(row, column)


class _Sqlite(_Writer):
    differs = "IS NOT"

    def _key(self, row: str) -> str:
        parts = (
            f"hex({self._of(row, one)})"
            if isinstance(one.type, LargeBinary)
            else self._of(row, one)
            for one in self._audited.key
        )
        return f"json_array({', '.join(parts)})"

    def _noted(self, operation: str, row: str, columns: str = "NULL", when: str = "") -> str:
        return (
            f"INSERT INTO {PENDING.name} "
            "(table_name, operation, row_key, link, columns, written_at) "
            f"SELECT {self._literal(self._audited.name)}, '{operation}', {self._key(row)}, "
            f"{self._link(row)}, {columns}, strftime('%Y-%m-%d %H:%M:%f000', 'now'){when};"
        )

    @override
    def made(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        on = f"ON {self._table}"
        came, gone = self._noted("insert", "NEW"), self._noted("delete", "OLD")
        yield (
            "insert",
            (f"CREATE TRIGGER {{name}} AFTER INSERT {on} BEGIN {came} END",),
        )
        moved = self._differs(self._audited.key)
        changed = " || ".join(
            f"CASE WHEN {self._differs([one])} THEN {self._literal(one.name + ',')} ELSE '' END"
            for one in self._watched
        )
        body = " ".join(
            (
                self._noted("update", "NEW", changed, f" WHERE NOT ({moved})"),
                self._noted("delete", "OLD", "NULL", f" WHERE {moved}"),
                self._noted("insert", "NEW", "NULL", f" WHERE {moved}"),
            )
        )
        of = ", ".join(self._quote(one.name) for one in self._watched)
        yield (
            "update",
            (
                f"CREATE TRIGGER {{name}} AFTER UPDATE OF {of} {on} "
                f"WHEN {self._differs(self._watched)} BEGIN {body} END",
            ),
        )
        yield (
            "delete",
            (f"CREATE TRIGGER {{name}} AFTER DELETE {on} BEGIN {gone} END",),
        )


class _Postgresql(_Writer):
    differs = "IS DISTINCT FROM"

    @override
    def _compared(self, row: str, column: Any) -> str:
        # The type json cannot be compared.
        is_json = isinstance(column.type, JSON)
        return f"CAST({self._of(row, column)} AS TEXT)" if is_json else self._of(row, column)

    def _key(self, row: str) -> str:
        parts = (
            f"encode({self._of(row, one)}, 'hex')"
            if isinstance(one.type, LargeBinary)
            else self._of(row, one)
            for one in self._audited.key
        )
        return f"CAST(json_build_array({', '.join(parts)}) AS TEXT)"

    def _noted(self, operation: str, row: str, columns: str = "NULL", source: str = "") -> str:
        return (
            f"INSERT INTO {PENDING.name} (table_name, operation, row_key, link, columns, "
            "transaction, writer, written_at) "
            f"SELECT {self._literal(self._audited.name)}, '{operation}', {self._key(row)}, "
            f"{self._link(row)}, {columns}, {_TRANSACTION}, session_user, "
            f"clock_timestamp(){source};"
        )

    @override
    def made(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        of_all = " FROM changed AS one"
        yield self._function(
            "insert",
            self._noted("insert", "one", source=of_all),
            "AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed FOR EACH STATEMENT",
        )
        changed = ", ".join(
            f"CASE WHEN {self._differs([one])} THEN {self._literal(one.name)} END"
            for one in self._watched
        )
        body = (
            f"IF {self._differs(self._audited.key)} THEN {self._noted('delete', 'OLD')} "
            f"{self._noted('insert', 'NEW')} ELSIF {self._differs(self._watched)} THEN "
            f"{self._noted('update', 'NEW', f'''concat_ws(',', {changed})''')} END IF;"
        )
        yield self._function("update", body, "AFTER UPDATE ON {table} FOR EACH ROW")
        yield self._function(
            "delete",
            self._noted("delete", "one", source=of_all),
            "AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed FOR EACH STATEMENT",
        )
        name = self._literal(self._audited.name)
        yield self._function(
            "truncate",
            f"INSERT INTO {PENDING.name} (table_name, operation, transaction, writer, written_at) "
            f"VALUES ({name}, 'truncate', {_TRANSACTION}, session_user, clock_timestamp());",
            "AFTER TRUNCATE ON {table} FOR EACH STATEMENT",
        )

    def _function(self, event: str, body: str, when: str) -> tuple[str, tuple[str, ...]]:
        when = when.replace("{table}", self._table)
        return (
            event,
            (
                "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$timber$ BEGIN {body} RETURN NULL; END $timber$",
                f"CREATE TRIGGER {{name}} {when} EXECUTE FUNCTION {{name}}()",
                f"ALTER TABLE {self._table} ENABLE ALWAYS TRIGGER {{name}}",
            ),
        )


_TRANSACTION: Final = "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)"
