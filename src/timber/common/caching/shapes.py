"""What a model's rows look like to a cache: what is read of them, and how they are made again."""

import hashlib
from collections.abc import Mapping
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
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.types import NullType

from timber.common.caching import codec
from timber.common.caching.driver_values import UNCHANGING, Raw, is_open, processor_of, type_names
from timber.common.caching.local import Fence, Key, TableFences
from timber.common.modeling.mixins import SoftDeleteMixin

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
        kinds = [exact_kind(column) for column in self.key_columns]
        self.is_exact = None not in kinds
        self._only_kind = kinds[0] if len(kinds) == 1 else None
        """The type of the key, if it is one value whose type says that it can be a key."""
        self.attributes = tuple(one.key for one in mapper.column_attrs)
        self.columns: tuple[Column[Any], ...] = tuple(
            one.columns[0] for one in mapper.column_attrs
        )
        self.eager = tuple(one.key for one in mapper.relationships if one.lazy in _EAGER)
        """The relationships that are loaded with a row."""
        self.key_attributes = tuple(
            self.attributes[self.columns.index(column)] for column in self.key_columns
        )
        self.is_soft = issubclass(model, SoftDeleteMixin)
        self.manager: Any = mapper.class_manager
        self.dispatch: Any = self.manager.dispatch
        self._identity_class = mapper.identity_key_from_primary_key(
            (None,) * len(self.key_columns)
        )[0]
        self._dialect = dialect
        self._processors: dict[tuple[Any, ...], tuple[tuple[str, Any, bool], ...]] = {}
        self._by_key = self._statement()
        described = ";".join(f"{one.name} {one.type!r}" for one in self.columns)
        layout = hashlib.blake2b(described.encode(), digest_size=6).hexdigest()
        self.name = f"{self.table.name}:{layout}"

    def key_of(self, ident: Any) -> Key | None:
        """Return the key that somebody asks for; None if it cannot be told for certain."""
        if type(ident) is self._only_kind:
            return (ident,)
        values = ident if type(ident) is tuple else (ident,)
        return exact_key(self.key_columns, values) if self.is_exact else _hashable(values)

    def fences_of(self, key: Key) -> tuple[Fence, ...]:
        """Return what the row with that key lies behind."""
        if not self.is_exact:
            return (self.fences.every,)
        return (self.fences.every, self.fences.slot(key))

    def identity_of(self, key: Key) -> tuple[Any, ...]:
        """Return under what a session knows the row with that key."""
        return (self._identity_class, key, None)

    def fetch(self, connection: Connection, key: Key) -> "CachedRow | None":
        """Return the row with that key; None if there is none."""
        parameters = {f"key_{place}": value for place, value in enumerate(key)}
        result = connection.execute(self._by_key, parameters)
        types = type_names(result)
        row = result.one_or_none()
        return None if row is None else self.row((types, tuple(row)))

    def row(self, raw: Raw) -> "CachedRow":
        """Return a row as this process keeps it."""
        shared: dict[str, Any] = {}
        own: list[tuple[str, Any, Any]] = []
        for (attribute, process, is_told), value in zip(
            self._processors_of(raw[0]), raw[1], strict=True
        ):
            made = process(value) if process else value
            if is_told and type(made) in UNCHANGING:
                shared[attribute] = made
            else:
                own.append((attribute, process, value))
        return CachedRow(self, raw, shared=shared, own=tuple(own))

    def dumps(self, row: "CachedRow") -> bytes:
        """Return a row as other processes are told of it."""
        return codec.dumps(row.raw)

    def loads(self, written: bytes) -> "CachedRow":
        """Return the row that `dumps` was given."""
        types, values = codec.loads(written)
        return self.row((tuple(types), tuple(values)))

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

    def _processors_of(self, types: tuple[Any, ...]) -> tuple[tuple[str, Any, bool], ...]:
        """Return for each attribute what makes its value, and whether the value is no secret."""
        found = self._processors.get(types)
        if found is None:
            names = types or (None,) * len(self.columns)
            found = tuple(
                (
                    attribute,
                    processor_of(column.type, self._dialect, name),
                    is_open(column.type),
                )
                for attribute, column, name in zip(
                    self.attributes, self.columns, names, strict=True
                )
            )
            self._processors[types] = found
        return found


class CachedRow:
    """One row, ready to be made an instance of."""

    __slots__ = ("_own", "_shape", "_shared", "identity", "is_deleted", "raw")

    def __init__(
        self,
        shape: Shape,
        raw: Raw,
        *,
        shared: dict[str, Any],
        own: tuple[tuple[str, Any, Any], ...],
    ) -> None:
        self.raw = raw
        self._shape = shape
        # The last one is set for each instance; with a place for it, the copy need not grow.
        self._shared = shared | {shape.manager.STATE_ATTR: None}
        self._own = own
        """Attributes whose values every instance gets made for itself."""
        made = dict(shared)
        made.update((name, process(value) if process else value) for name, process, value in own)
        key = tuple(made[attribute] for attribute in shape.key_attributes)
        self.identity = shape.identity_of(key)
        self.is_deleted = shape.is_soft and made["deleted_at"] is not None

    def detached(self) -> Any:
        """Return the row as an instance of no session, with all its columns loaded."""
        row = self._made()
        if self._shape.dispatch.load:
            self._shape.dispatch.load(instance_state(row), None)
        return row

    def within(self, session: Session) -> Any:
        """Return the row as an instance of the session, as if it were just read."""
        at_hand: Any = session.identity_map.get(self.identity)
        return self.added_to(session) if at_hand is None else at_hand

    def added_to(self, session: Session) -> Any:
        """Do as `within` for a session that does not have the row at hand."""
        row = self._made()
        state: Any = instance_state(row)
        # What SQLAlchemy does with each row that it loads. `session.add` takes thrice the time,
        # for it looks for cascades and for what belongs to another session.
        if not session.in_transaction():
            session._autobegin_t()  # noqa: SLF001 - as said
        state.session_id = session.hash_key
        session.identity_map._add_unpresent(state, self.identity)  # noqa: SLF001 - as said
        shape = self._shape
        if shape.dispatch.load:
            shape.dispatch.load(state, None)
        if session.dispatch.loaded_as_persistent:
            session.dispatch.loaded_as_persistent(session, state)
        for relationship in shape.eager:
            getattr(row, relationship)
        return row

    def _made(self) -> Any:
        manager = self._shape.manager
        row = manager.class_.__new__(manager.class_)
        row.__dict__ = values = self._shared.copy()
        for attribute, process, value in self._own:
            values[attribute] = process(value) if process else value
        manager.setup_instance(row)
        instance_state(row).key = self.identity
        return row


Shapes: TypeAlias = Mapping[type[Any], Shape]


def _hashable(values: tuple[Any, ...]) -> Key | None:
    """Return values of any kind as a key; None if they cannot be one."""
    try:
        hash(values)
    except TypeError:
        return None
    return values
