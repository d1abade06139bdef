"""Persons, and which rows are theirs, in SQL."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    MetaData,
    String,
    Table,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.types import Uuid
from typing_extensions import override

from timber.common.encryption.base import subject_of
from timber.common.encryption.identities import Spelling
from timber.common.errors import InvalidRequestError
from timber.common.gdpr.closure import Closure, Spreading
from timber.common.modeling.ownership import Ownership, Step


@dataclass(frozen=True)
class Person:
    """A row of a table of persons."""

    table: str
    key: Any
    """Its primary key, of one column, as Python has it."""

    @override
    def __repr__(self) -> str:
        """Return whom it is about without saying who that is."""
        return f"<a person of {self.table!r}>"


def person_of(table: Table, key: Any) -> Person:
    """Return the person with a key, which may be written as text.

    Raises:
        InvalidRequestError: the key cannot be one of that table.

    """
    [column] = table.primary_key.columns
    kind = column.type.python_type
    try:
        value = key if isinstance(key, kind) else _read(kind, key)
    except ValueError as error:
        raise InvalidRequestError(
            f"subject: a key of {table.name!r} is of type {column.type}, and this is not"
        ) from error
    return Person(table.name, value)


def _read(kind: type[Any], written: Any) -> Any:
    if kind not in {int, str, UUID} or not isinstance(written, str):
        raise ValueError(written)
    return kind(written)


@dataclass(frozen=True)
class Belonging:
    """Says of rows of the tables of one database whose they are."""

    metadata: MetaData
    owned: Mapping[str, Ownership]
    dialect: str
    _closures: dict[str, Closure] = field(default_factory=dict, init=False, repr=False)

    def subject(self, person: Person) -> str:
        """Return how a keystore knows the person."""
        [key] = self.metadata.tables[person.table].primary_key.columns
        return subject_of(person.table, Spelling(key).text(person.key))

    def of(self, rows: FromClause, name: str, person: Person) -> ColumnElement[bool]:
        """Return the condition on `rows`, of the table of that name, to be the person's."""
        return self.by(person).of(rows, self.metadata.tables[name])

    def by(self, person: Person) -> Spreading:
        """Return what gives conditions to be the person's that share their expressions."""
        closure = self._closures.get(person.table)
        if closure is None:
            closure = self._closures[person.table] = self._closure(person.table)
        return closure.by(partial(self._said, person=person))

    def _closure(self, people: str) -> Closure:
        parts = {
            table: tuple(step for step in one.parts if self.leads(step.table, people))
            for table, one in self.owned.items()
        }
        return Closure(self.metadata, parts, self.dialect)

    def leads(self, name: str, people: str) -> bool:
        """Tell whether rows of a table can be those of persons of another."""
        ownership = self.owned.get(name)
        return ownership is not None and bool(ownership.ways_to(people))

    def _said(self, rows: FromClause, table: Table, person: Person) -> ColumnElement[bool]:
        """Return the condition to be the person's by what the model of the rows says."""
        ownership = self.owned.get(table.key)
        if ownership is None or ownership.parts:
            return false()
        ways = ownership.ways_to(person.table)
        return or_(false(), *(self._steps(rows, way.steps, person) for way in ways))

    def _steps(
        self, rows: FromClause, steps: Sequence[Step], person: Person
    ) -> ColumnElement[bool]:
        if not steps:
            [key] = self.metadata.tables[person.table].primary_key.columns
            return _is(rows.c[key.key], person.key)
        step, *rest = steps
        target = self.metadata.tables[step.table]
        is_key = step.targets == tuple(column.key for column in target.primary_key)
        if not rest and is_key:
            return _is(rows.c[step.columns[0]], person.key)
        there = target.alias()
        theirs = self._steps(there, rest, person)
        if len(step.columns) == 1:
            found = select(there.c[step.targets[0]]).where(theirs)
            return rows.c[step.columns[0]].in_(found)
        pairs = zip(step.columns, step.targets, strict=True)
        same = (rows.c[here] == there.c[target_name] for here, target_name in pairs)
        return exists(select(literal(1)).select_from(there).where(*same, theirs).correlate(rows))


def _is(column: ColumnElement[Any], key: Any) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = column == key
    return condition


def keys_of(table: Table) -> tuple[Column[Any], ...]:
    """Return the columns of the primary key."""
    return tuple(table.primary_key.columns)


def among(
    columns: Sequence[ColumnElement[Any]], keys: Iterable[Sequence[Any]]
) -> ColumnElement[bool]:
    """Return the condition that columns have, together, one of the given values."""
    given = [tuple(key) for key in keys]
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in given])
    return tuple_(*columns).in_(given)


def equal(
    some: Sequence[ColumnElement[Any]], others: Sequence[ColumnElement[Any]]
) -> ColumnElement[bool]:
    """Return the condition that columns have the values of others."""
    return and_(*(one == other for one, other in zip(some, others, strict=True)))


def key_text(column: ColumnElement[Any], dialect: str) -> ColumnElement[str]:
    """Return a key as texts and histories of sessions name it."""
    written = cast(column, String)
    if dialect != "sqlite" or not isinstance(column.type, Uuid):
        return written
    # SQLite keeps it without its hyphens.
    parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    first, *others = (func.substr(written, at, size) for at, size in parts)
    whole: ColumnElement[str] = first
    for part in others:
        whole = whole.op("||")("-").op("||")(part)
    return whole
