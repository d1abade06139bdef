"""What the admin site needs to know of a model: its key, its columns, what is hidden in them."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Column, Index, Select, UniqueConstraint, and_, inspect, select
from sqlalchemy.orm import Mapper, RelationshipDirection
from starlette_admin.tools import iterdecode, iterencode

from timber.admin.texts import python_type, text_of
from timber.common.modeling.mixins import MIXIN_COLUMNS, SoftDeleteMixin
from timber.common.modeling.spec import ModelSpec

_TELLING: Final = ("name", "title", "label", "username", "email", "subject", "ticker", "slug")
"""Columns that usually tell people which row is meant, the best first."""


@dataclass(frozen=True)
class Reference:
    """A column that points to the rows of a model, by their primary key."""

    column: str
    model: str


class Shape:
    """One model as the admin site sees it."""

    def __init__(self, model: type[Any]) -> None:
        self.model = model
        self.spec: ModelSpec = model.__timber__
        self.mapper: Mapper[Any] = inspect(model)

    @property
    def name(self) -> str:
        return self.spec.name

    @cached_property
    def columns(self) -> dict[str, "Column[Any]"]:
        """The columns by the name of their attribute, in the order they are shown."""
        return {
            attribute.key: column
            for attribute in self.mapper.column_attrs
            if isinstance(column := attribute.columns[0], Column)
        }

    @cached_property
    def key_columns(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return tuple(name for name, column in self.columns.items() if column.primary_key)

    @cached_property
    def masked(self) -> frozenset[str]:
        """The columns whose values never leave the server: encrypted, personal or sensitive."""
        spec = self.spec
        named = {name for name, column in self.columns.items() if column.info.get("sensitive")}
        named |= set(spec.encryption.names) if spec.encryption else set()
        named |= set(spec.gdpr.export_fields) if spec.gdpr and spec.gdpr.enabled else set()
        return frozenset(named - set(self.key_columns))

    @cached_property
    def kept(self) -> frozenset[str]:
        """The columns that Timber keeps itself."""
        kept = {name for one in self.spec.mixins for name in MIXIN_COLUMNS.get(one, ())}
        version = self.mapper.version_id_col
        return frozenset(kept if version is None else kept | {str(version.key)})

    @property
    def deletes_softly(self) -> bool:
        return issubclass(self.model, SoftDeleteMixin)

    @cached_property
    def telling(self) -> str | None:
        """The column that tells people which row is meant; None if only the key does."""
        texts = self.searched
        known = (name for name in _TELLING if name in texts)
        return next(known, next(iter(texts), None))

    @cached_property
    def searched(self) -> tuple[str, ...]:
        """The columns that a search looks into."""
        return tuple(
            name
            for name, column in self.columns.items()
            if python_type(column) is str
            and name not in self.masked
            and not column.foreign_keys
            and not column.primary_key
            and (self.spec.states is None or name != self.spec.states.column)
        )

    @cached_property
    def looked_up(self) -> tuple[str, ...]:
        """The columns of `searched` in which an index finds a value without reading the table."""
        table: Any = self.mapper.local_table
        indexes = [one for one in table.indexes if self._holds_every_row(one)]
        unique = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
        leading = {next(iter(one.columns)) for one in (*indexes, *unique)}
        return tuple(name for name in self.searched if self.columns[name] in leading)

    def _holds_every_row(self, index: Index) -> bool:
        """Tell whether a list of rows that are not deleted can use it."""
        where = index.dialect_options["sqlite"]["where"]
        if where is None:
            return True
        alive = self.mapper.local_table.c.deleted_at.is_(None) if self.deletes_softly else None
        return alive is not None and bool(where.compare(alive))

    def sets(self) -> Iterator[tuple[str, str]]:
        """Give the many-to-many relationships and the models they lead to."""
        for relationship in self.mapper.relationships:
            if relationship.direction is RelationshipDirection.MANYTOMANY:
                yield relationship.key, relationship.mapper.class_.__timber__.name

    def references(self, shapes: Sequence["Shape"]) -> Iterator[Reference]:
        """Give the columns that point to a whole primary key of one of `shapes`."""
        for name, column in self.columns.items():
            for foreign_key in column.foreign_keys:
                for other in shapes:
                    if [foreign_key.column] == list(other.mapper.primary_key):
                        yield Reference(name, other.name)

    def key_of(self, row: object) -> str:
        """Return the key of a row as text."""
        parts = [
            text_of(self.columns[name]).write(getattr(row, name)) for name in self.key_columns
        ]
        return parts[0] if len(parts) == 1 else iterencode(parts)

    def label_of(self, row: object) -> str:
        """Return what tells people which row it is."""
        told = getattr(row, self.telling) if self.telling else None
        return str(told) if told not in {None, ""} else self.key_of(row)

    def parsed_keys(self, keys: Iterable[str]) -> list[Any]:
        """Return the values of the one key column that `keys` stand for, without nonsense."""
        text, found = text_of(self.columns[self.key_columns[0]]), []
        for key in keys:
            with contextlib.suppress(ValueError):
                found.append(text.parse(key))
        return found

    def with_key(self, key: str) -> "Select[Any]":
        """Return a statement that selects the row with that key.

        Raises:
            ValueError: no row can have that key.

        """
        parts = (key,) if len(self.key_columns) == 1 else iterdecode(key)
        clauses = [
            getattr(self.model, name) == text_of(self.columns[name]).parse(part)
            for name, part in zip(self.key_columns, parts, strict=True)
        ]
        return select(self.model).where(and_(*clauses))
