"""Which rows of which tables a statement may change."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Delete, Insert, Update, UpdateBase
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList, TextClause

READS: Final = re.compile(
    "SELECT|VALUES|TABLE|SHOW|EXPLAIN|PRAGMA|SAVEPOINT|RELEASE|ROLLBACK|LISTEN|UNLISTEN|NOTIFY|"
    "SET|RESET|BEGIN|START|COMMIT|END|DISCARD|DEALLOCATE|FETCH|CLOSE|LOCK|ANALYZE|VACUUM",
    re.IGNORECASE,
)
"""The first words of statements that change no row by themselves."""

_BEFORE: Final = r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*"
_WORD: Final = re.compile(_BEFORE + r"(\w+)", re.DOTALL)
_WRITES: Final = re.compile(
    r"\b(INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE|CALL|DO|EXECUTE|COPY|DROP|ALTER|INTO)\b",
    re.IGNORECASE,
)
_LOCKING: Final = re.compile(r"\bFOR\s+(NO\s+KEY\s+)?UPDATE\b", re.IGNORECASE)
_TARGET: Final = re.compile(
    _BEFORE + r"(INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+\"?(\w+)\"?(?![\w.\"])",
    re.IGNORECASE | re.DOTALL,
)
_ISOLATION: Final = re.compile(r"\bISOLATION\b", re.IGNORECASE)


@dataclass(frozen=True)
class Change:
    """What a statement does to one table, or to what it cannot be told from."""

    table: str | None
    """None stands for every table."""
    keys: tuple[str, ...] | None = None
    """The parameters that hold the primary key of the row; None if rows are not known."""
    adds: bool = False
    """Whether it does nothing but add rows."""
    is_certain: bool = True
    """Whether nothing of it stays when the transaction is rolled back."""


EVERYTHING: Final = (Change(None, is_certain=False),)
NOTHING: Final[tuple[Change, ...]] = ()


class Changes:
    """Finds out what statements change, and what the database changes with it."""

    def __init__(self, metadata: MetaData) -> None:
        self._tables: Mapping[str, Table] = dict(metadata.tables)
        self._known: WeakKeyDictionary[Any, tuple[Change, ...]] = WeakKeyDictionary()
        self._pointing: dict[str, list[str]] = {}
        for table in metadata.tables.values():
            for key in table.foreign_key_constraints:
                acts = any(
                    (action or "").upper() in {"CASCADE", "SET NULL", "SET DEFAULT"}
                    for action in (key.ondelete, key.onupdate)
                )
                if acts:
                    target = key.elements[0].target_fullname.rpartition(".")[0]
                    self._pointing.setdefault(target, []).append(table.key)

    def of_compiled(self, compiled: Any) -> tuple[Change, ...]:
        """Return what a statement of SQLAlchemy changes."""
        known = self._known.get(compiled)
        if known is None:
            known = self._known[compiled] = tuple(self._found(compiled))
        return known

    def of_text(self, statement: str) -> tuple[Change, ...]:
        """Return what may be changed by a statement that was written by hand."""
        word = _WORD.match(statement)
        # Of a PRAGMA a part may be called like what writes: `wal_checkpoint(TRUNCATE)`.
        if word is None or word[1].upper() == "PRAGMA":
            return NOTHING
        if READS.fullmatch(word[1]) and not _WRITES.search(_LOCKING.sub("", statement)):
            return NOTHING
        target = _TARGET.match(statement)
        if target is None or ";" in statement.rstrip().rstrip(";"):
            return EVERYTHING
        verb, name = target[1].split()[0].upper(), target[2]
        if name not in self._tables or len(_WRITES.findall(statement)) > _ALLOWED[verb]:
            return EVERYTHING
        adds = verb == "INSERT" and "CONFLICT" not in statement.upper()
        return (Change(name, adds=adds), *(() if adds else self._with(name)))

    @staticmethod
    def isolates(statement: str) -> bool:
        """Tell whether a statement written by hand sets what a transaction may see."""
        return _ISOLATION.search(statement) is not None

    def _found(self, compiled: Any) -> Iterator[Change]:
        if not isinstance(compiled, SQLCompiler):
            yield from EVERYTHING  # it defines tables
            return
        statement: Any = compiled.statement
        parts = list(visitors.iterate(statement))
        writes = [one for one in parts if isinstance(one, UpdateBase)]
        if not writes and any(isinstance(one, TextClause) for one in parts):
            yield from self.of_text(str(compiled))
        for one in writes:
            table = self._tables.get(str(getattr(one.table, "key", "")))
            if table is None:
                yield from EVERYTHING
            else:
                yield from self._of_one(one, table, compiled, statement)

    def _of_one(
        self, one: Any, table: Table, compiled: SQLCompiler, statement: Any
    ) -> Iterator[Change]:
        keys = None
        if isinstance(one, Insert):
            is_plain = not one._prefixes and one._post_values_clause is None  # noqa: SLF001 - nothing public tells
            if one is statement and is_plain and not one._multi_values:  # noqa: SLF001 - as above
                keys = tuple(column.key for column in table.primary_key)
            yield Change(table.key, keys=keys, adds=is_plain)
            if not is_plain:
                yield from self._with(table.key)
            return
        if one is statement and isinstance(one, Update | Delete):
            keys = _keys_of(one, table, compiled)
        moves = isinstance(one, Update) and self._sets_what_others_point_to(table, compiled)
        yield Change(table.key, keys=None if moves else keys)
        if moves or not isinstance(one, Update):
            yield from self._with(table.key)

    def _sets_what_others_point_to(self, table: Table, compiled: SQLCompiler) -> bool:
        """Tell whether an update sets a column by which others know the row."""
        known_by = {column.name for column in table.primary_key}
        if table.key in self._pointing:
            known_by |= {column.name for column in _pointed_to(table, self._tables.values())}
        # SQLAlchemy writes `name=value` where it sets, and `table.name = value` where it compares.
        return any(
            re.search(rf'(?<![\w."])"?{re.escape(name)}"?=(?!=)', str(compiled))
            for name in known_by
        )

    def _with(self, table: str) -> list[Change]:
        """Return what the database changes by itself when rows of the table go or move."""
        found: dict[str, None] = {}
        waiting = [table]
        while waiting:
            for name in self._pointing.get(waiting.pop(), ()):
                if name not in found:
                    found[name] = None
                    waiting.append(name)
        return [Change(name) for name in found]


_ALLOWED: Final = {"INSERT": 2, "UPDATE": 1, "DELETE": 1}
"""How many words of writing a statement by hand may have; more of them are more statements."""


def _keys_of(one: Any, table: Table, compiled: SQLCompiler) -> tuple[str, ...] | None:
    """Return the parameters that the primary key is compared with; None if it is not."""
    compared: dict[str, str] = {}
    names_of: Mapping[Any, str] = compiled.bind_names
    for part in _conjuncts(one.whereclause):
        if isinstance(part, BinaryExpression) and part.operator is operators.eq:
            column, value = part.left, part.right
            is_own = isinstance(column, Column) and _table_of(column) == table.key
            if is_own and isinstance(value, BindParameter):
                name = names_of.get(value)
                if name is not None:
                    compared[str(column.key)] = name
    names = [compared.get(column.key) for column in table.primary_key]
    found = tuple(name for name in names if name is not None)
    return found if len(found) == len(names) else None


def _conjuncts(condition: Any) -> Iterator[Any]:
    if isinstance(condition, BooleanClauseList):
        if condition.operator is operators.and_:
            for part in condition.clauses:
                yield from _conjuncts(part)
    elif condition is not None:
        yield condition


def _table_of(column: Any) -> str | None:
    return getattr(column.table, "key", None)


def _pointed_to(table: Table, tables: Any) -> Iterator[Column[Any]]:
    for other in tables:
        for key in other.foreign_keys:
            if key.constraint is not None and key.target_fullname.startswith(f"{table.key}."):
                yield key.column
