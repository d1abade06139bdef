"""Any number of models of fifteen columns: as a model file, and as classes written by hand."""

from collections.abc import Iterable
from typing import Any, Final

from benchmarks.harness.stage import Facts
from sqlalchemy import Table

COLUMNS: Final = 15

_MODEL: Final = """\
  - name: Model{number}
    table_name: models_{number}
    description: The things of kind {number}.
    columns:
      - {{name: id, type: String(36), primary_key: true, default: uuid4}}
      - {{name: parent_id, type: String(36), foreign_key: models_{parent}.id, index: true}}
      - {{name: owner_id, type: String(36), nullable: false, index: true}}
      - {{name: code, type: String(40), nullable: false, unique: true}}
      - {{name: state, type: String(50), nullable: false, default: initialized}}
      - {{name: title, type: String(200), nullable: false}}
      - {{name: body, type: Text}}
      - {{name: rank, type: Integer, nullable: false, default: 0}}
      - {{name: volume, type: BigInteger}}
      - {{name: score, type: Float}}
      - {{name: price, type: "Numeric(10, 2)"}}
      - {{name: is_open, type: Boolean, nullable: false, default: true}}
      - {{name: born_on, type: Date}}
      - {{name: made_at, type: DateTime, nullable: false, default: now}}
      - {{name: data, type: JSON}}
    relationships:
      - {{name: parent, model: Model{parent}, type: many_to_one, back_populates: children}}
      - {{name: children, model: Model{child}, type: one_to_many, back_populates: parent}}
"""
_HEAD: Final = '''\
"""Classes as one writes them by hand."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON, BigInteger, Boolean, Date, DateTime, Float, ForeignKey, Integer, Numeric, String, Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass
'''
_CLASS: Final = '''

class Model{number}(Base):
    """The things of kind {number}."""

    __tablename__ = "models_{number}"

    id: Mapped[str] = mapped_column(
        String(36), primary_key=True, default=lambda: str(uuid.uuid4())
    )
    parent_id: Mapped[str | None] = mapped_column(
        String(36), ForeignKey("models_{parent}.id"), index=True
    )
    owner_id: Mapped[str] = mapped_column(String(36), index=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[str] = mapped_column(String(50), default="initialized")
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str | None] = mapped_column(Text)
    rank: Mapped[int] = mapped_column(Integer, default=0)
    volume: Mapped[int | None] = mapped_column(BigInteger)
    score: Mapped[float | None] = mapped_column(Float)
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    is_open: Mapped[bool] = mapped_column(Boolean, default=True)
    born_on: Mapped[date | None] = mapped_column(Date)
    made_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), default=lambda: datetime.now(UTC)
    )
    data: Mapped[Any] = mapped_column(JSON().with_variant(JSONB(), "postgresql"), nullable=True)

    parent: Mapped["Model{parent} | None"] = relationship(
        foreign_keys=[parent_id], remote_side="Model{parent}.id", back_populates="children"
    )
    children: Mapped[list["Model{child}"]] = relationship(
        foreign_keys="Model{child}.parent_id", back_populates="parent"
    )
'''


def model_file(number: int) -> str:
    """Return that many models as a model file; each has the one before it as its parent."""
    return "models:\n" + "".join(_MODEL.format(**names) for names in _ring(number))


def module(number: int) -> str:
    """Return the same models as a module of Python."""
    return _HEAD + "".join(_CLASS.format(**names) for names in _ring(number))


def _ring(number: int) -> Iterable[dict[str, int]]:
    for one in range(number):
        yield {"number": one, "parent": (one - 1) % number, "child": (one + 1) % number}


def made(tables: Iterable[Table], *, last: type[Any]) -> Facts:
    """Tell of the tables of the models what there is, and of the last model whose child it is."""
    of_models = [table for table in tables if table.name.startswith("models_")]
    return {
        "tables": len(of_models),
        "columns": sum(len(table.columns) for table in of_models),
        "foreign keys": sum(len(table.foreign_keys) for table in of_models),
        "indexes": sum(len(table.indexes) for table in of_models),
        "parent of the last": last.parent.property.mapper.class_.__name__,
    }


def expected(number: int) -> Facts:
    """Return what `made` should tell."""
    return {
        "tables": number,
        "columns": number * COLUMNS,
        "foreign keys": number,
        "indexes": 2 * number,
        "parent of the last": f"Model{number - 2}",
    }
