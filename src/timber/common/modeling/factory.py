"""Builds the mapped classes of a checked catalogue."""

from collections.abc import Iterator, Set as AbstractSet
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Table as SQLTable,
    UniqueConstraint,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase

from timber.common.errors import ModelFileError
from timber.common.modeling.base import new_generation
from timber.common.modeling.catalogue import Catalogue, Table
from timber.common.modeling.columns import ColumnBuilder, action
from timber.common.modeling.conditions import parse_condition
from timber.common.modeling.cycles import closing_keys
from timber.common.modeling.mixins import MIXINS
from timber.common.modeling.reader import ModelSources
from timber.common.modeling.relationship_options import RelationshipBuilder
from timber.common.modeling.sealed_tables import (
    SealedTable,
    Seals,
    complete_table,
    moved,
    sealed_table,
)
from timber.common.modeling.spec import ModelSpec
from timber.common.modeling.table_promises import keep_promises


class ModelFactory:
    """The classes and tables of one opening, on the declarative base of one Timber."""

    def __init__(
        self, *, base: type[DeclarativeBase], columns: ColumnBuilder, seals: Seals
    ) -> None:
        self.classes: dict[str, type[Any]] = {}
        self.catalogue = Catalogue(ModelSources((), ()))
        self._metadata = base.metadata
        self._columns = columns
        self._seals = seals
        self._sealed: dict[str, SealedTable] = {}
        self._generation = new_generation(base)
        self._tables: list[SQLTable] = []
        self._late: AbstractSet[tuple[str, tuple[str, ...]]] = frozenset()

    def build(self, catalogue: Catalogue) -> None:
        """Build every table and class, and resolve all relationships.

        Raises:
            ModelFileError: a name is taken by a table declared by hand.

        """
        self._refuse_taken_names(catalogue)
        self.catalogue = catalogue
        self._late = closing_keys(catalogue)
        relationships = RelationshipBuilder(
            catalogue=catalogue, metadata=self._metadata, classes=self.classes
        )
        entry: Table | None = None
        try:
            for entry in catalogue.tables.values():
                with_model = entry.model
                if with_model is None:
                    self._build_table(entry)
                else:
                    self._build_class(entry, with_model, relationships)
            entry = None
            self._generation.registry.configure()
        except SQLAlchemyError as error:
            self.dispose()
            message = f"SQLAlchemy refuses it: {error}"
            if entry is not None:
                raise ModelFileError([entry.problem(message=message)]) from error
            raise ModelFileError([f"the models do not fit together: {error}"]) from error

    def _refuse_taken_names(self, catalogue: Catalogue) -> None:
        taken = [
            entry.problem(
                "table_name" if entry.model else "name",
                message=f"a table {entry.name!r} is declared in Python already",
            )
            for entry in catalogue.tables.values()
            if entry.name in self._metadata.tables
        ]
        if taken:
            raise ModelFileError(taken)

    def dispose(self) -> None:
        """Forget the classes and take their tables out of the metadata."""
        self._generation.registry.dispose()
        for table in self._tables:
            self._metadata.remove(table)
        self._tables.clear()
        self._sealed.clear()
        self.classes.clear()

    def _build_table(self, entry: Table) -> None:
        table = SQLTable(
            entry.name,
            self._metadata,
            *self._built_columns(entry).values(),
            *self._table_arguments(entry),
            info={"was": entry.spec.was},
        )
        self._tables.append(table)

    def _build_class(
        self, entry: Table, model: ModelSpec, relationships: RelationshipBuilder
    ) -> None:
        sealed = sealed_table(entry, self.catalogue, self._seals)
        if sealed is not None:
            self._sealed[entry.name] = sealed
        mixins = (MIXINS[name] for name in entry.mixin_names if name in MIXINS)
        attributes: dict[str, Any] = {
            "__module__": "timber.common.models",
            "__doc__": model.description or f"A row of {model.table_name}.",
            "__tablename__": model.table_name,
            "__table_args__": (*self._table_arguments(entry), {"info": {"was": model.was}}),
            "__clock__": self._columns.clock,
            "__timber__": model,
        }
        attributes |= self._built_columns(entry)
        for one in model.relationships:
            attributes[one.name] = relationships.build(entry, one)
        built: Any = type(model.name, (*mixins, self._generation), attributes)
        self.classes[model.name] = built
        if sealed is not None:
            complete_table(built.__table__, entry, sealed)
        keep_promises(built)
        self._tables.append(built.__table__)

    def _built_columns(self, entry: Table) -> dict[str, Column[Any]]:
        sealed = self._sealed.get(entry.name)
        return {
            one.name: self._columns.build(
                one,
                use_alter=(entry.name, (one.name,)) in self._late,
                sealed=sealed.columns.get(one.name) if sealed else None,
            )
            for one in entry.own_columns
        }

    def _table_arguments(self, entry: Table) -> Iterator[Any]:
        for key in entry.spec.foreign_keys:
            yield ForeignKeyConstraint(
                key.columns,
                key.references,
                ondelete=action(key.on_delete),
                onupdate=action(key.on_update),
                use_alter=(entry.name, key.columns) in self._late,
            )
        sealed = self._sealed.get(entry.name)
        for unique in entry.spec.unique:
            if moved(unique.columns, sealed):
                continue
            yield UniqueConstraint(*unique.columns, name=unique.name)
        checks = [(one.name, one.check) for one in entry.own_columns if one.check]
        checks += [(one.name, one.condition) for one in entry.spec.checks]
        for name, condition in checks:
            yield CheckConstraint(parse_condition(condition).expression, name=name)
        for index in entry.spec.indexes:
            if moved(index.columns, sealed):
                continue
            where = parse_condition(index.where).expression if index.where else None
            yield Index(
                index.name,
                *index.columns,
                unique=index.unique,
                sqlite_where=where,
                postgresql_where=where,
            )
