"""How the values of a column are typed in the stub of a project."""

import enum
from typing import Any

import pytest
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    String,
    Uuid,
)
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine
from typing_extensions import override

from timber.common.modeling.column_types import UtcDateTime
from timber.common.modeling.python_types import Names, value_type


class Colour(enum.Enum):
    RED = "red"


class Coordinates(TypeDecorator[list[float]]):
    impl: TypeEngine[Any] | type[TypeEngine[Any]] = LargeBinary
    cache_ok: bool | None = True

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> list[float] | None:
        return value and [*value]


class Counted(TypeDecorator[int]):
    impl: TypeEngine[Any] | type[TypeEngine[Any]] = Integer
    cache_ok: bool | None = True


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (String(36), "str"),
        (BigInteger(), "int"),
        (Float(), "float"),
        (Numeric(10, 2), "Decimal"),
        (Boolean(), "bool"),
        (Date(), "date"),
        (DateTime(), "datetime"),
        (UtcDateTime(), "datetime"),
        (Interval(), "timedelta"),
        (LargeBinary(), "bytes"),
        (Uuid(), "UUID"),
        (Enum("draft", 'in "work"'), 'Literal["draft", "in \\"work\\""]'),
        (Enum(Colour), "Colour"),
        (ARRAY(Numeric(10, 2)), "list[Decimal]"),
        (Coordinates(), "list[float]"),
        (JSON(), "Any"),
        (Counted(), "int"),
        (NullType(), "Any"),
    ],
    ids=repr,
)
def test_a_column_holds_values_of_its_type(kind: TypeEngine[Any], written: str) -> None:
    names = Names(set())

    assert value_type(Column("x", kind, nullable=False), names) == written


def test_a_column_that_may_be_null_says_so_unless_anything_goes() -> None:
    names = Names(set())

    assert value_type(Column("x", String(36)), names) == "str | None"
    assert value_type(Column("x", JSON()), names) == "Any"


def test_what_is_used_is_imported_under_a_name_that_is_free() -> None:
    names = Names({"date", "_date", "str"})

    written = [value_type(Column("x", kind), names) for kind in (Date(), String(), Integer())]

    assert written == ["_date_ | None", "_str | None", "int | None"]
    assert names.imports() == [
        "from builtins import str as _str",
        "from datetime import date as _date_",
    ]
