"""What rows made from model files are like."""

from collections.abc import Iterator
from typing import Any, Protocol

import pytest
import time_machine
from faker import Faker
from sqlalchemy import inspect
from tests.unit.timber.conftest import OpenTimber

from timber.common.errors import ConfigurationError
from timber.common.runtime import Timber
from timber.testing.factories import RowMaker
from timber.testing.invention import Inventor

EVERYTHING = """
    models:
      - name: Everything
        table_name: everything
        mixins: [TimestampMixin]
        columns:
          - {name: id, type: BigInteger, primary_key: true}
          - {name: code, type: String(3), nullable: false, unique: true}
          - {name: email, type: String(12), nullable: false}
          - {name: story, type: Text, nullable: false}
          - {name: count, type: Integer, nullable: false}
          - {name: big, type: BigInteger, nullable: false}
          - {name: ratio, type: Float, nullable: false}
          - {name: price, type: "Numeric(6, 2)", nullable: false}
          - {name: active, type: Boolean, nullable: false}
          - {name: seen_at, type: DateTime, nullable: false}
          - {name: born, type: Date, nullable: false}
          - {name: woken, type: Time, nullable: false}
          - {name: lasted, type: Interval, nullable: false}
          - {name: settings, type: JSON, nullable: false}
          - {name: photo, type: LargeBinary, nullable: false}
          - {name: kept, type: Integer, nullable: false, default: 7}
          - {name: left_out, type: Text}
"""

TREE = """
    models:
      - name: Page
        table_name: pages
        columns:
          - {name: id, type: String(36), primary_key: true, default: uuid4}
          - {name: parent_id, type: String(36), foreign_key: pages.id}
          - {name: author_id, type: String(36), foreign_key: users.user_id, nullable: false}
          - {name: state, type: String(10), nullable: false}
        relationships:
          - {name: author, model: User, type: many_to_one}
        states: {initial: draft, transitions: {draft: [shown]}, final: [shown]}
      - name: Chicken
        table_name: chickens
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: egg_id, type: Integer, foreign_key: eggs.id, nullable: false}
      - name: Egg
        table_name: eggs
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: chicken_id, type: Integer, foreign_key: chickens.id, nullable: false}
      - name: Flag
        table_name: flags
        columns:
          - {name: up, type: Boolean, primary_key: true}
"""


class OpenMaker(Protocol):
    """Gives a maker over model files."""

    def __call__(self, text: str, /, *, seed: int = 1) -> RowMaker: ...


@pytest.fixture
def maker(open_timber: OpenTimber) -> Iterator[OpenMaker]:
    sessions = []

    def opened(text: str, /, *, seed: int = 1) -> RowMaker:
        timber: Timber = open_timber(text)
        sessions.append(timber.database.session())
        inventor = Inventor(faker=Faker(), seed=seed)
        return RowMaker(models=timber.models, session=sessions[-1], inventor=inventor)

    yield opened
    for session in sessions:
        session.close()


def values(row: Any) -> dict[str, Any]:
    """Return what a row holds, but for the moments at which it was made."""
    columns = inspect(type(row)).columns
    return {
        str(one.key): getattr(row, str(one.key))
        for one in columns
        if one.key not in {"created_at", "updated_at"}
    }


def test_every_type_of_column_gets_a_value_that_fits(maker: OpenMaker) -> None:
    row = maker(EVERYTHING)("Everything")

    held = values(row)
    assert held.pop("left_out") is None
    assert None not in held.values()
    assert row.kept == 7
    assert len(row.email) <= 12
    assert len(row.code) <= 3


def test_the_same_seed_makes_the_same_rows_on_any_day(maker: OpenMaker) -> None:
    with time_machine.travel("2026-03-01T23:59:59Z"):
        first = maker(EVERYTHING, seed=1)("Everything")
    with time_machine.travel("2031-07-02T04:05:06Z"):
        again = maker(EVERYTHING, seed=1)("Everything")
    other = maker(EVERYTHING, seed=2)("Everything")

    assert values(first) == values(again)
    assert values(first) != values(other)


def test_a_row_that_must_be_pointed_to_is_made_too(maker: OpenMaker) -> None:
    page = maker(TREE)("Page")

    assert page.author.user_id == page.author_id
    assert page.parent_id is None


def test_a_row_starts_in_the_first_of_its_states(maker: OpenMaker) -> None:
    assert maker(TREE)("Page").state == "draft"


def test_a_row_given_through_a_relationship_is_the_one_pointed_to(maker: OpenMaker) -> None:
    make = maker(TREE)
    author = make("User", username="ada")

    page = make("Page", author=author)

    assert page.author_id == author.user_id


def test_models_that_need_each_other_are_named(maker: OpenMaker) -> None:
    with pytest.raises(ConfigurationError, match="Chicken → Egg → Chicken: each needs the other"):
        maker(TREE)("Chicken")


def test_values_that_must_be_unique_and_run_out_are_named(maker: OpenMaker) -> None:
    with pytest.raises(ConfigurationError, match=r"Flag\.up must be unique"):
        maker(TREE).many("Flag", 3)


def test_unique_values_do_not_come_twice(maker: OpenMaker) -> None:
    rows = maker(EVERYTHING).many("Everything", 300)

    assert len({row.code for row in rows}) == 300
