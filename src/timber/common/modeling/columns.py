"""From a column as written to a column as SQLAlchemy knows it."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    SmallInteger,
    cast,
    false,
    func,
    text,
    true,
)
from sqlalchemy.types import TypeEngine

from timber.common.clock import Clock
from timber.common.ids import IdFactory
from timber.common.modeling.column_types import ColumnType
from timber.common.modeling.sealed import Sealed, SealedColumn
from timber.common.modeling.spec import ColumnSpec

_NOW: Final = {"DateTime": func.current_timestamp, "Date": func.current_date}
_MUTABLE: Final = frozenset({"JSON", "Array"})


@dataclass(frozen=True, kw_only=True)
class ColumnBuilder:
    """Builds columns whose defaults come from the clock and the ids of one Timber."""

    clock: Clock
    new_id: IdFactory
    new_ordered_id: IdFactory

    def build(
        self, spec: ColumnSpec, *, use_alter: bool = False, sealed: SealedColumn | None = None
    ) -> Column[Any]:
        """Return a new column; `use_alter` adds its foreign key when all tables are there.

        One that is `sealed` is found, and is unique, by a column of its own.
        """
        written = spec.column_type
        arguments: list[Any] = []
        if spec.foreign_key:
            arguments.append(
                ForeignKey(
                    spec.foreign_key,
                    ondelete=action(spec.on_delete),
                    onupdate=action(spec.on_update),
                    use_alter=use_alter,
                )
            )
        return Column(
            spec.name,
            Sealed(sealed) if sealed else _type(spec, written),
            *arguments,
            primary_key=spec.primary_key,
            nullable=spec.may_be_null,
            unique=(spec.unique and not sealed) or None,
            index=(spec.index and not sealed) or None,
            default=None if spec.default is None else self._default(written, spec.default),
            server_default=_server_default(written, spec.server_default),
            comment=spec.description,
            info={"sensitive": spec.sensitive, "was": spec.was, "default": spec.default},
        )

    def _default(self, kind: ColumnType, value: Any) -> Callable[..., Any]:
        if value in ("uuid4", "uuid7"):
            new_id = self.new_id if value == "uuid4" else self.new_ordered_id
            return (lambda _: UUID(new_id())) if kind.name == "Uuid" else (lambda _: new_id())
        if value == "now" and kind.name == "DateTime":
            return lambda _: self.clock.now()
        if value == "now" and kind.name == "Date":
            return lambda _: self.clock.now().astimezone(UTC).date()
        literal = kind.literal(value)
        return (lambda _: deepcopy(literal)) if kind.name in _MUTABLE else (lambda _: literal)


def _type(spec: ColumnSpec, written: ColumnType) -> TypeEngine[Any]:
    kind = written.build(spec.name)
    if spec.primary_key and isinstance(kind, BigInteger | SmallInteger):
        # Only an INTEGER primary key counts by itself on SQLite; it has 64 bits there.
        return kind.with_variant(Integer(), "sqlite")
    return kind


def action(written: str | None) -> str | None:
    """Return what a foreign key does, as SQL says it; None is SQL's own `no action`."""
    return None if written in {None, "no action"} else str(written).upper()


def _server_default(kind: ColumnType, value: Any) -> Any:
    if value is None:
        return None
    if value == "uuid4":
        made = func.gen_random_uuid()
        return made if kind.name == "Uuid" else cast(made, kind.build())
    if value == "now" and kind.name in _NOW:
        return _NOW[kind.name]()
    return json.dumps(value, ensure_ascii=False) if kind.name == "JSON" else _literal(value)


def _literal(value: Any) -> Any:
    if isinstance(value, bool):
        return true() if value else false()
    return value if isinstance(value, str) else text(repr(value))
