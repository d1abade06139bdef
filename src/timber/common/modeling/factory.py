"""Builds the mapped classes of a checked catalogue."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Index, Table as SQLTable
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, relationship

from timber.common.errors import ModelFileError
from timber.common.modeling.base import new_generation
from timber.common.modeling.catalogue import Catalogue, Table
from timber.common.modeling.columns import ColumnBuilder
from timber.common.modeling.mixins import MIXINS
from timber.common.modeling.relations import find_link
from timber.common.modeling.spec import ModelSpec, RelationshipSpec


class ModelFactory:
    """The classes and tables of one opening, on the declarative base of one Timber."""

    def __init__(self, *, base: type[DeclarativeBase], columns: ColumnBuilder) -> None:
        self.classes: dict[str, type[Any]] = {}
        self._metadata = base.metadata
        self._columns = columns
        self._generation = new_generation(base)
        self._tables: list[SQLTable] = []

    def build(self, catalogue: Catalogue) -> None:
        """Build every table and class, and resolve all relationships.

        Raises:
            ModelFileError: a name is taken by a table declared by hand.

        """
        self._refuse_taken_names(catalogue)
        try:
            for entry in catalogue.tables.values():
                with_model = entry.model
                if with_model is None:
                    self._build_table(entry)
                else:
                    self._build_class(entry, with_model, catalogue)
            self._generation.registry.configure()
        except SQLAlchemyError as error:
            self.dispose()
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
        self.classes.clear()

    def _build_table(self, entry: Table) -> None:
        columns = (self._columns.build(column) for column in entry.spec.columns)
        info = {"was": entry.spec.was}
        self._tables.append(SQLTable(entry.name, self._metadata, *columns, info=info))

    def _build_class(self, entry: Table, model: ModelSpec, catalogue: Catalogue) -> None:
        bases = (*(MIXINS[name] for name in dict.fromkeys(model.mixins)), self._generation)
        attributes: dict[str, Any] = {
            "__module__": "timber.common.models",
            "__doc__": model.description or f"A row of {model.table_name}.",
            "__tablename__": model.table_name,
            "__table_args__": (*_indexes(model), {"info": {"was": model.was}}),
            "__clock__": self._columns.clock,
            "__timber__": model,
        }
        attributes |= {one.name: self._columns.build(one) for one in model.columns}
        for one in model.relationships:
            attributes[one.name] = self._relationship(entry, one, catalogue)
        built: Any = type(model.name, bases, attributes)
        self.classes[model.name] = built
        self._tables.append(built.__table__)

    def _relationship(self, entry: Table, one: RelationshipSpec, catalogue: Catalogue) -> Any:
        link = find_link(entry, one, catalogue)
        options: dict[str, Any] = {"back_populates": one.back_populates}
        if one.type == "many_to_many":
            options["secondary"] = lambda: self._metadata.tables[link.table]
            options |= self._sides(link.table, *link.columns)
        else:
            options["foreign_keys"] = lambda: self._metadata.tables[link.table].c[link.columns[0]]
            options["uselist"] = one.type == "one_to_many"
            if link.points_away:
                options["remote_side"] = lambda: self._target(link.table, link.columns[0])
        return relationship(lambda: self.classes[one.model], **options)

    def _target(self, table: str, column: str) -> Any:
        (foreign_key,) = self._metadata.tables[table].c[column].foreign_keys
        return foreign_key.column

    def _sides(self, table: str, here: str, there: str) -> dict[str, Any]:
        """Say which foreign key of an association table belongs to which side."""

        def join(name: str) -> Any:
            return self._metadata.tables[table].c[name] == self._target(table, name)

        return {"primaryjoin": lambda: join(here), "secondaryjoin": lambda: join(there)}


def _indexes(model: ModelSpec) -> Iterator[Index]:
    for index in model.indexes:
        yield Index(index.name, *index.columns, unique=index.unique)
