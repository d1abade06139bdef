"""Column types that SQLAlchemy lacks: moments that are always aware, texts of a list, vectors."""

import sys
from array import array
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import DateTime, Dialect, Enum, LargeBinary, String
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType
from typing_extensions import override

_FLOAT32_BYTES: Final = 4


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored in UTC and returned aware, in UTC, on every database.

    As everywhere in Python, a naive datetime is taken as the machine's local time.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = DateTime(timezone=True)
    cache_ok: bool | None = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if not isinstance(value, datetime):
            raise TypeError(f"a DateTime column takes a datetime, not {type(value).__name__}")
        moment = value.astimezone(UTC)
        # SQLite has no time zones: it keeps the digits of UTC.
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:  # `replace` takes four times as long
            return datetime.combine(value, value.time(), UTC)
        return value.astimezone(UTC)


class TextEnum(Enum):
    """A text out of a list; the database refuses any other.

    One that a newer version of the program has brought is read as it is: while both versions
    run, SQLAlchemy's own type would let the older one read none of the rows it is among.
    """

    cache_ok: bool | None = True

    @override
    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        return String.result_processor(self, dialect, coltype)

    @property
    def plain(self) -> Enum:
        """SQLAlchemy's own type that is the same in a database."""
        return Enum(
            *self.enums,
            name=self.name,
            native_enum=False,
            create_constraint=self.create_constraint,
        )


class PgVector(UserDefinedType[str]):
    """The column type of the extension pgvector, in its text form `[1.0,2.0]`."""

    cache_ok: bool | None = True

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    @override
    def get_col_spec(self, **_: Any) -> str:
        """Return how the database writes the type."""
        return f"VECTOR({self.dimensions})"


class Vector(TypeDecorator[list[float]]):
    """A list of floats of 32 bits: a BLOB, little end first; on PostgreSQL a `vector`.

    Takes any iterable of `dimensions` numbers (a list, an array of NumPy), returns a list.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = LargeBinary
    cache_ok: bool | None = True

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.dimensions = dimensions

    @property
    @override
    def python_type(self) -> type[Any]:
        return list

    @override
    def __repr__(self) -> str:
        return f"Vector({self.dimensions})"

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind = PgVector(self.dimensions) if dialect.name == "postgresql" else LargeBinary()
        return dialect.type_descriptor(kind)

    @override
    def process_bind_param(self, value: Iterable[float] | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        numbers = array("f", value)
        if len(numbers) != self.dimensions:
            raise ValueError(f"a vector of {self.dimensions} numbers, not of {len(numbers)}")
        if dialect.name == "postgresql":
            return f"[{','.join(map(repr, numbers))}]"
        return _little_endian(numbers).tobytes()

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> list[float] | None:
        if value is None:
            return None
        if dialect.name == "postgresql":
            # As the database prints them they are the nearest decimals, not yet 32 bits.
            return array("f", map(float, value[1:-1].split(","))).tolist()
        numbers = array("f")
        numbers.frombytes(value[: len(value) // _FLOAT32_BYTES * _FLOAT32_BYTES])
        return _little_endian(numbers).tolist()


def _little_endian(numbers: "array[float]") -> "array[float]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
