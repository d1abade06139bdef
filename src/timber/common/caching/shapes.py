"""What a model's rows look like to a cache: what is read of them, and how they are made again."""

import copy
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    CHAR,
    Column,
    Connection,
    Dialect,
    Enum,
    Integer,
    Select,
    String,
    bindparam,
    inspect,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.types import NullType

from timber.common.caching.local import Fence, Key, TableFences

Raw: TypeAlias = tuple[tuple[Any, ...], tuple[Any, ...]]
"""The driver's names of the columns' types, and the values as the driver returned them."""

_EAGER: Final = frozenset({"joined", "selectin", "subquery", "immediate"})


def exact_kind(column: Column[Any]) -> type[int | str] | None:
    """Return the type whose equal values, and no others, are one key; None if there is none."""
    kind = column.type
    if isinstance(kind, Integer):
        return int
    plain = isinstance(kind, String) and not isinstance(kind, CHAR | Enum)
    return str if plain and getattr(kind, "collation", None) is None else None


def exact_key(columns: tuple[Column[Any], ...], values: tuple[Any, ...]) -> Key | None:
    """Return the key that those values are; None if others could be the same key."""
    if len(values) != len(columns):
        return None
    for column, value in zip(columns, values, strict=True):
        if type(value) is not exact_kind(column):
            return None
    return values


class Shape:
    """One model with a cache."""

    def __init__(
        self, model: type[Any], *, fences: TableFences, ttl_seconds: float, dialect: Dialect
    ) -> None:
        mapper: Any = inspect(model)
        self.model = model
        self.mapper = mapper
        self.fences = fences
        self.ttl_seconds = ttl_seconds
        self.table = mapper.local_table
        self.key_columns: tuple[Column[Any], ...] = tuple(mapper.primary_key)
        self.is_exact = all(exact_kind(column) for column in self.key_columns)
        self.attributes = tuple(one.key for one in mapper.column_attrs)
        self.columns: tuple[Column[Any], ...] = tuple(
            one.columns[0] for one in mapper.column_attrs
        )
        self._eager = tuple(one.key for one in mapper.relationships if one.lazy in _EAGER)
        self._key_places = tuple(self.columns.index(column) for column in self.key_columns)
        self._dialect = dialect
        self._processors: dict[tuple[Any, ...], tuple[tuple[str, Any], ...]] = {}
        self._by_key = self._statement()
        described = ";".join(f"{one.name} {one.type!r}" for one in self.columns)
        layout = hashlib.blake2b(described.encode(), digest_size=6).hexdigest()
        self.name = f"{self.table.name}:{layout}"

    def fences_of(self, key: Key) -> tuple[Fence, ...]:
        """Return what the row with that key lies behind."""
        if not self.is_exact:
            return (self.fences.every,)
        return (self.fences.every, self.fences.slot(key))

    def fetch(self, connection: Connection, key: Key) -> Raw | None:
        """Return the row with that key as the driver returns it; None if there is none."""
        parameters = {f"key_{place}": value for place, value in enumerate(key)}
        result = connection.execute(self._by_key, parameters)
        types = type_names(result)
        row = result.one_or_none()
        return None if row is None else (types, tuple(row))

    def value(self, raw: Raw, attribute: str) -> Any:
        """Return the value of one attribute."""
        place = self.attributes.index(attribute)
        _, process = self._processors_of(raw[0])[place]
        value = raw[1][place]
        return process(value) if process else value

    def materialised(self, session: Session, raw: Raw) -> Any:
        """Return the row as an instance of the model, of the session, as if it were just read."""
        values: dict[str, Any] = {}
        for (attribute, process), value in zip(
            self._processors_of(tuple(raw[0])), raw[1], strict=True
        ):
            values[attribute] = process(value) if process else value
        places = self._key_places
        key = tuple(values[self.attributes[place]] for place in places)
        at_hand = session.identity_map.get(self.mapper.identity_key_from_primary_key(key))
        if at_hand is not None:
            return at_hand
        row = self.mapper.class_manager.new_instance()
        state: Any = inspect(row)
        state.dict.update(values)
        make_transient_to_detached(row)
        session.add(row)
        state.manager.dispatch.load(state, None)
        for relationship in self._eager:
            getattr(row, relationship)
        return row

    def raw_attributes(self) -> list[Any]:
        """Return the same, for a query about the model."""
        found = (getattr(self.model, attribute) for attribute in self.attributes)
        return [type_coerce(one, NullType()).label(None) for one in found]

    def raw_columns(self) -> list[Any]:
        """Return the columns as what the driver returns of them."""
        return [type_coerce(column, NullType()).label(None) for column in self.columns]

    def _statement(self) -> Select[Any]:
        conditions = [
            column == bindparam(f"key_{place}", type_=column.type)
            for place, column in enumerate(self.key_columns)
        ]
        return select(*self.raw_columns()).where(*conditions)

    def _processors_of(self, types: tuple[Any, ...]) -> tuple[tuple[str, Any], ...]:
        found = self._processors.get(types)
        if found is None:
            names = types or (None,) * len(self.columns)
            found = tuple(
                (attribute, processor_of(column.type, self._dialect, name))
                for attribute, column, name in zip(
                    self.attributes, self.columns, names, strict=True
                )
            )
            self._processors[types] = found
        return found


def processor_of(kind: Any, dialect: Dialect, type_name: Any) -> Callable[[Any], Any] | None:
    """Return what makes a value of Python of what the driver returned; None for nothing."""
    process = kind.dialect_impl(dialect).result_processor(dialect, type_name)
    if process is not None:
        return lambda value: process(_own(value))
    return _own if not isinstance(kind, String | Integer) else None


def type_names(result: Any) -> tuple[Any, ...]:
    """Return the driver's names of the types of what was selected; none if it has no names."""
    names = tuple(column[1] for column in result.cursor.description)
    return names if any(name is not None for name in names) else ()


def _own(value: Any) -> Any:
    """Return a value that changes of it leave the cache alone."""
    return copy.deepcopy(value) if isinstance(value, list | dict) else value


Shapes: TypeAlias = Mapping[type[Any], Shape]
