"""Which rows of which tables are audited, and whom they are about."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, Connection, Dialect, Table, Uuid, inspect

from timber.common.encryption.base import subject_of, subject_of_table
from timber.common.modeling.catalogue import Catalogue
from timber.common.modeling.spec import ModelSpec
from timber.common.modeling.subjects import people_at, subject_way

_HYPHENLESS: Final = 32


@dataclass(frozen=True, kw_only=True)
class AuditedTable:
    """A table whose rows are audited."""

    table: Table
    fields: tuple[str, ...]
    """The columns whose changes are recorded."""
    path: tuple[str, ...] | None
    """The columns that lead to a person's key; empty for persons, None for things."""
    people: str
    """The table of those persons."""
    reads: bool = False

    @property
    def name(self) -> str:
        return self.table.name

    @cached_property
    def key(self) -> tuple[Column[Any], ...]:
        return tuple(self.table.primary_key.columns)

    @cached_property
    def link_columns(self) -> tuple[Column[Any], ...]:
        """The columns along the path, each of the table to which the one before it points."""
        found: list[Column[Any]] = []
        table = self.table
        for name in self.path or ():
            column = table.c[name]
            found.append(column)
            table = next((key.column.table for key in column.foreign_keys), table)
        return tuple(found)

    def subject(self, link: str | None, key: list[Any]) -> str:
        """Return whom a row is about, by the end of its path and its own key."""
        if self.path == ():
            return subject_of(self.name, key[0])
        if self.path is None or link is None:
            return subject_of_table(self.name)
        if isinstance(self.link_columns[-1].type, Uuid):
            link = hyphenated(link)
        return subject_of(self.people, link)

    def plain_key(self, written: list[Any], dialect: Dialect) -> list[Any]:
        """Return a key as it is on every database; SQLite keeps UUIDs without their hyphens."""
        if dialect.name != "sqlite":
            return written
        return [
            hyphenated(value) if isinstance(column.type, Uuid) else value
            for column, value in zip(self.key, written, strict=True)
        ]


def hyphenated(value: Any) -> Any:
    """Return a UUID with its hyphens."""
    return str(UUID(value)) if isinstance(value, str) and len(value) == _HYPHENLESS else value


def audited_tables(
    classes: Iterable[type[Any]], catalogue: Catalogue
) -> Mapping[str, AuditedTable]:
    """Return what the models with the flag ask for, by table."""
    return {one.name: one for one in _audited(classes, catalogue)}


def _audited(classes: Iterable[type[Any]], catalogue: Catalogue) -> Iterator[AuditedTable]:
    for model in classes:
        spec: ModelSpec = model.__timber__
        if spec.audit is None or not spec.audit.enabled:
            continue
        table: Table = model.__table__
        entry = catalogue.tables[table.name]
        path = subject_way(entry, catalogue)
        yield AuditedTable(
            table=table,
            fields=spec.audit.fields or tuple(one.name for one in table.columns),
            path=path,
            people=people_at(entry, path or (), catalogue),
            reads=spec.audit.reads,
        )


def is_as_said(connection: Connection, audited: AuditedTable) -> bool:
    """Tell whether the database has the table with all columns that its audit needs."""
    found = inspect(connection)
    if not found.has_table(audited.name):
        return False
    there = {one["name"] for one in found.get_columns(audited.name)}
    return there.issuperset((*audited.fields, *(one.name for one in audited.key)))
