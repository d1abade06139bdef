"""How the tables of a database differ from those of the models, so that nobody works on unawares.

It looks for what makes a program fail or read nonsense later. Everything else that differs is
for `timber migrate status`: an old column that may be null harms nobody, and while versions of
a program overlap it is wanted.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    Enum,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
    inspect,
)
from sqlalchemy.types import TypeEngine

from timber.common.database.enum_values import allowed_by, check_name, checked_values
from timber.common.database.kinds import Kind, kind_of
from timber.common.modeling.sealed_tables import sealed_of
from timber.common.modeling.sealings import Sealing, noted_in

Reflected: TypeAlias = dict[tuple[str | None, str], Any]


def mismatches(
    connection: Connection, metadata: MetaData, *, tables: Collection[str] | None
) -> tuple[str, ...]:
    """Return what differs, a line each.

    Only the tables named are looked at; None: all, and one that is missing differs.
    """
    wanted = [one for one in metadata.tables.values() if one.schema is None]
    if tables is not None:
        wanted = [one for one in wanted if one.name in tables]
    if not wanted:
        return ()
    look = _Look(connection, wanted)
    return tuple(line for one in wanted for line in look.table(one))


class _Look:
    """What is in the database, read at once."""

    def __init__(self, connection: Connection, tables: Sequence[Table]) -> None:
        names = [one.name for one in tables]
        inspector = inspect(connection)
        self._dialect: Dialect = connection.dialect
        self._columns: Reflected = inspector.get_multi_columns(filter_names=names)
        self._keys: Reflected = inspector.get_multi_pk_constraint(filter_names=names)
        self._unique: Reflected = inspector.get_multi_unique_constraints(filter_names=names)
        self._indexes: Reflected = inspector.get_multi_indexes(filter_names=names)
        self._foreign: Reflected = inspector.get_multi_foreign_keys(filter_names=names)
        self._checks: Reflected = inspector.get_multi_check_constraints(filter_names=names)

    def table(self, table: Table) -> Iterator[str]:
        reflected = self._columns.get((None, table.name))
        if reflected is None:
            yield f"the table {table.name} is missing"
            return
        there = {one["name"]: one for one in reflected}
        for column in table.columns:
            yield from self._column(table.name, column, there.get(column.name))
        for name, one in there.items():
            if name not in table.columns and _must_be_given(one):
                yield f"{table.name}.{name} is in no model, and must not be null"
        yield from self._constraints(table)
        yield from self._sealing(table)

    def _sealing(self, table: Table) -> Iterator[str]:
        """Compare how values are sealed, which tells whether they can be opened."""
        sealed = sealed_of(table)
        said = sealed.sealing if sealed else None
        checks = self._checks.get((None, table.name), ())
        noted = [one for check in checks if (one := noted_in(check["sqltext"])) is not None]
        there = noted[0] if noted else None
        if said != there:
            is_, says = _encrypted(there), _encrypted(said)
            more = ", but otherwise" if is_ == says else ""
            yield f"{table.name} has encrypted {is_}, in the models {says}{more}"

    def _column(
        self, table: str, column: Column[Any], there: dict[str, Any] | None
    ) -> Iterator[str]:
        name = f"{table}.{column.name}"
        if there is None:
            yield f"{name} is missing"
            return
        stored = kind_of(there["type"], self._dialect)
        if _differ(stored, kind_of(column.type, self._dialect)):
            is_, says = there["type"], column.type
            yield (
                f"{name} is of type {is_.compile(self._dialect)}, "
                f"in the models {says.compile(self._dialect)}"
            )
        if bool(there["nullable"]) != bool(column.nullable) and not column.primary_key:
            may, may_not = "may be null", "must not be null"
            first, second = (may, may_not) if there["nullable"] else (may_not, may)
            yield f"{name} {first}, in the models it {second}"
        said = checked_values(column)
        allowed = self._allowed(table, column.name, there["type"]) if said else said
        # A value more is what a newer version of the program brought, while both are running.
        if not said <= allowed:
            yield f"{name} is {_one_of(allowed)}, in the models {_one_of(said)}"

    def _allowed(self, table: str, column: str, stored: TypeEngine[Any]) -> frozenset[str]:
        """Return the values that the database allows in an `Enum`; none: it knows of no such."""
        if isinstance(stored, Enum):
            return frozenset(stored.enums)
        checks = {one["name"]: one["sqltext"] for one in self._checks.get((None, table), ())}
        return frozenset(allowed_by(checks.get(check_name(table, column, self._dialect), "")))

    def _constraints(self, table: Table) -> Iterator[str]:
        key = (None, table.name)
        if set(self._keys[key]["constrained_columns"]) != set(table.primary_key.columns.keys()):
            yield f"the primary key of {table.name} is another one"
        indexes = {one["name"]: one for one in self._indexes.get(key, ())}
        unique = {frozenset(one["column_names"]) for one in self._unique.get(key, ())}
        unique |= {
            frozenset(one["column_names"])
            for one in indexes.values()
            if one["unique"] and not _is_partial(one)
        }
        foreign = {_reflected_ends(one) for one in self._foreign.get(key, ())}
        for constraint in table.constraints:
            if not isinstance(constraint, UniqueConstraint | ForeignKeyConstraint):
                continue
            columns = [column.name for column in constraint.columns]
            if isinstance(constraint, UniqueConstraint) and frozenset(columns) not in unique:
                yield f"{table.name} ({', '.join(columns)}) is not unique"
            if isinstance(constraint, ForeignKeyConstraint) and _ends(constraint) not in foreign:
                yield f"{table.name} ({', '.join(columns)}) is no foreign key"
        for index in table.indexes:
            if index.unique:
                yield from self._unique_index(table.name, index, indexes.get(index.name))

    def _unique_index(
        self, table: str, index: Index, there: dict[str, Any] | None
    ) -> Iterator[str]:
        if there is None or there.get("duplicates_constraint"):
            # PostgreSQL lists what a constraint is kept by, under the constraint's name.
            yield f"the unique index {index.name} of {table} is missing"
            return
        columns = {column.name for column in index.columns}
        same = None in there["column_names"] or columns == set(there["column_names"])
        narrow = index.dialect_options[self._dialect.name]["where"] is not None
        if not there["unique"] or not same or narrow != _is_partial(there):
            yield f"the unique index {index.name} of {table} is another one"


def _differ(stored: Kind, said: Kind) -> bool:
    # What neither side can name, such as a type of an extension, is not ours to judge.
    # Which values a text may have is said by a check, not by its type.
    said = replace(said, values=frozenset())
    return "other" not in {stored.name, said.name} and stored != said


def _encrypted(sealing: Sealing | None) -> str:
    return ", ".join(sorted(sealing.fields)) if sealing else "nothing"


def _one_of(values: frozenset[str]) -> str:
    return f"one of {', '.join(sorted(values))}" if values else "any text"


def _is_partial(index: dict[str, Any]) -> bool:
    return any(name.endswith("_where") for name in index.get("dialect_options", {}))


def _must_be_given(column: dict[str, Any]) -> bool:
    given = column.get("default") is not None or column.get("identity") or column.get("computed")
    return not column["nullable"] and not given


def _reflected_ends(key: dict[str, Any]) -> tuple[Any, ...]:
    pairs = zip(key["constrained_columns"], key["referred_columns"], strict=True)
    return key["referred_table"], frozenset(pairs)


def _ends(constraint: ForeignKeyConstraint) -> tuple[Any, ...]:
    pairs = {(one.parent.name, one.column.name) for one in constraint.elements}
    return constraint.referred_table.name, frozenset(pairs)
