"""Of each type of column there is a value that tells nothing."""

import uuid
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.types import Integer
from tests.unit.timber.modeling.model_strategies import TYPES

from timber.common.errors import ErasureError
from timber.common.gdpr.neutral import needs_each, neutral_values
from timber.common.modeling.column_types import parse_type


def table_with(kind: str, **options: Any) -> Table:
    built = parse_type(kind).build("it")
    return Table(
        "things",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("it", built, **options),
    )


def new_id() -> str:
    return str(uuid.UUID(int=2**127 + 12345))


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_every_type_has_a_neutral_value(kind: str) -> None:
    table = table_with(kind, nullable=False)

    [value] = neutral_values(table, ["it"], new_id).values()

    assert value is not None
    assert not needs_each(table, ["it"])


@pytest.mark.parametrize(
    "kind",
    [
        *("String(36)", "String(8)", "Text", "Integer", "BigInteger", "Uuid", "LargeBinary"),
        *("Date", "DateTime", "Time", "Interval", "Float", "Numeric(9, 2)", "JSON"),
    ],
)
def test_what_must_not_come_twice_is_random(kind: str) -> None:
    table = table_with(kind, nullable=False, unique=True)

    first, second = (
        neutral_values(table, ["it"], make)["it"]
        for make in (new_id, lambda: str(uuid.UUID(int=5)))
    )

    assert needs_each(table, ["it"])
    assert first != second
    assert len(str(first)) <= (parse_type(kind).length or 99)


@pytest.mark.parametrize("kind", ["Boolean", "Enum(mail, phone)"])
def test_of_few_values_that_must_not_come_twice_each_row_keeps_its_own(kind: str) -> None:
    assert neutral_values(table_with(kind, nullable=False, unique=True), ["it"], new_id) == {}


def test_a_type_of_which_nothing_random_is_known_is_told() -> None:
    with pytest.raises(ErasureError, match="let it be null"):
        neutral_values(table_with("Vector(3)", nullable=False, unique=True), ["it"], new_id)
