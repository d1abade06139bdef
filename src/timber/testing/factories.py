"""Rows for tests, made from what the model files say: `make("User", email="a@example.org")`."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Integer, inspect
from sqlalchemy.orm import RelationshipDirection, Session

from timber.common.errors import ConfigurationError
from timber.common.modeling.registry import ModelRegistry
from timber.common.modeling.spec import ColumnSpec, ModelSpec
from timber.testing.invention import Inventor


class RowMaker:
    """Makes rows: what is required and not given is invented, the rest is left to the model."""

    def __init__(self, *, models: ModelRegistry, session: Session, inventor: Inventor) -> None:
        self._models = models
        self._session = session
        self._inventor = inventor

    def __call__(self, model: str, **given: Any) -> Any:
        """Return a row, stored and committed; the rows it must point to are made too.

        Raises:
            ModelNotFoundError: there is no such model.
            TypeError: the model has no such attribute.
            ConfigurationError: a value cannot be invented; the message says which to give.
            DatabaseError: the database refuses what was given.

        """
        [row] = self.many(model, 1, **given)
        return row

    def many(self, model: str, count: int, **given: Any) -> list[Any]:
        """Return that many rows, made as one is."""
        rows = [self._make(model, given, way=()) for _ in range(count)]
        self._session.commit()
        return rows

    def _make(self, model: str, given: Mapping[str, Any], way: tuple[str, ...]) -> Any:
        if model in way:
            circle = " → ".join((*way, model))
            raise ConfigurationError(f"{circle}: each needs the other first; give one of them")
        mapped, spec = self._models.get(model), self._models.spec(model)
        answered = {*given, *_keys_of_relationships(mapped, given)}
        values = dict(given)
        for one in spec.columns:
            if one.name not in answered and _is_required(one, spec):
                values[one.name] = self._value(mapped, spec, one, (*way, model))
        row = mapped(**values)
        self._session.add(row)
        self._session.flush()
        return row

    def _value(self, mapped: Any, spec: ModelSpec, one: ColumnSpec, way: tuple[str, ...]) -> Any:
        if one.foreign_key is not None:
            return self._target(one, one.foreign_key, way)
        if spec.states is not None and one.name == spec.states.column:
            return spec.states.initial
        column: Column[Any] = mapped.__table__.c[one.name]
        return self._inventor.value(mapped, column)

    def _target(self, one: ColumnSpec, foreign_key: str, way: tuple[str, ...]) -> Any:
        table, _, key = foreign_key.partition(".")
        for name in self._models.names():
            if self._models.spec(name).table_name == table:
                return getattr(self._make(name, {}, way), key)
        raise ConfigurationError(f"no model has the table {table!r}: give {one.name!r}")


def _keys_of_relationships(mapped: Any, given: Mapping[str, Any]) -> set[str]:
    """Return the foreign keys that follow from the rows given through relationships."""
    return {
        str(column.key)
        for one in inspect(mapped).relationships
        if one.key in given and one.direction is RelationshipDirection.MANYTOONE
        for column in one.local_columns
    }


def _is_required(one: ColumnSpec, spec: ModelSpec) -> bool:
    if one.default is not None:
        return False
    if not one.primary_key:
        return one.nullable is False
    alone = sum(column.primary_key for column in spec.columns) == 1
    counts = isinstance(one.column_type.build(), Integer) and one.foreign_key is None
    return not (alone and counts)
