"""From a column as written to a column as SQLAlchemy knows it."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Integer

from timber.common.clock import Clock
from timber.common.ids import IdFactory
from timber.common.modeling.spec import ColumnSpec


@dataclass(frozen=True, kw_only=True)
class ColumnBuilder:
    """Builds columns whose defaults come from the clock and the ids of one Timber."""

    clock: Clock
    new_id: IdFactory

    def build(self, spec: ColumnSpec) -> Column[Any]:
        kind = spec.column_type.build()
        if spec.primary_key and isinstance(kind, BigInteger):
            # Only an INTEGER primary key counts by itself on SQLite; it has 64 bits there.
            kind = kind.with_variant(Integer(), "sqlite")
        return Column(
            spec.name,
            kind,
            *([ForeignKey(spec.foreign_key)] if spec.foreign_key else []),
            primary_key=spec.primary_key,
            nullable=not spec.primary_key if spec.nullable is None else spec.nullable,
            unique=spec.unique or None,
            index=spec.index or None,
            default=self._default(spec),
            comment=spec.description,
            info={"was": spec.was, "default": spec.default},
        )

    def _default(self, spec: ColumnSpec) -> Callable[..., Any] | None:
        name, value = spec.column_type.name, spec.default
        if value is None:
            return None
        if value == "uuid4":
            return lambda _: self.new_id()
        if value == "now" and name == "DateTime":
            return lambda _: self.clock.now()
        if name == "Numeric":
            return lambda _: Decimal(str(value))
        return lambda _: deepcopy(value)
