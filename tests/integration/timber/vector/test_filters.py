"""Filters mean the same to Python, to SQLite and to PostgreSQL."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import JSON, Column, Connection, Integer, MetaData, Table, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB

from timber.common.database.engine import opened_engine
from timber.common.vector.filter_reader import read_filters
from timber.common.vector.filter_sql import condition_on
from timber.common.vector.metadata import storable
from timber.testing.postgresql import PostgresqlServer

NOTES = Table(
    "notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("about", JSON().with_variant(JSONB(), "postgresql")),
)

KEYS = ("a", "b", "a.b", 'a"b', "a'b", "a\\b", "a\nb", "$a", "", "0", "ä🙂", "%s", ":a", "[0]")
TEXTS = ("", "a", "A", "ä", "🙂", "\uffff", "1", "true", "null", '"a"', '["a"]', "a'b", "%s", ":a")
NUMBERS = (
    *(0, 1, -1, 2, 10, 2**53, 2**53 + 1, -(2**53) - 1, 2**62, 2**63 - 1, -(2**63)),
    *(0.0, -0.0, 1.0, 0.1, 0.1 + 0.2, 0.3, 1.5, 1e-7, 5e-324, 1e22, 1e23, 1.7e308, -1e300),
    *(float(2**53), float(2**62), 9007199254740994.0, float(2**63)),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(TEXTS),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
)
keys = st.sampled_from(KEYS)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
documents = st.dictionaries(keys, values, max_size=4)


def escaped(key: str) -> str:
    key = key.replace("\\", "\\\\").replace(".", "\\.")
    return f"\\{key}" if key.startswith("$") else key


def nested(steps: list[str], condition: Any) -> dict[str, Any]:
    for step in reversed(steps):
        condition = {escaped(step): condition}
    return condition  # type: ignore[no-any-return] # there is one step at least


bounds = scalars.filter(lambda one: one is not None and not isinstance(one, bool))
signs = st.sampled_from(["$lt", "$lte", "$gt", "$gte"])
lists = st.sampled_from(["$in", "$nin"])
conditions = st.one_of(
    scalars,
    st.builds(lambda one: {"$eq": one}, scalars),
    st.builds(lambda one: {"$ne": one}, scalars),
    st.builds(
        lambda sign, one: {sign: one}, st.sampled_from(["$lt", "$lte", "$gt", "$gte"]), bounds
    ),
    st.builds(
        lambda sign, some: {sign: some}, st.sampled_from(["$in", "$nin"]), st.lists(scalars)
    ),
    st.builds(lambda one: {"$contains": one}, scalars),
    st.builds(lambda one: {"$exists": one}, st.booleans()),
    st.builds(lambda low, high: {"$gte": low, "$not": {"$gt": high}}, bounds, bounds),
)
fields = st.one_of(
    st.builds(nested, st.lists(keys, min_size=1, max_size=2), conditions),
    st.builds(
        lambda steps, one: {".".join(["\\" + s if s.startswith("$") else s for s in steps]): one},
        st.lists(st.sampled_from(["a", "b", "$a", ""]), min_size=2, max_size=3),
        conditions,
    ),
)
filters = st.recursive(
    fields,
    lambda inner: st.one_of(
        st.builds(lambda some: {"$and": some}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda some: {"$or": some}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda one: {"$not": one}, inner),
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def connections(postgresql_server: PostgresqlServer) -> Iterator[list[Connection]]:
    with contextlib.ExitStack() as stack:
        found = []
        for url in ("sqlite:///:memory:", stack.enter_context(postgresql_server.database())):
            engine = stack.enter_context(opened_engine(url))
            found.append(stack.enter_context(engine.connect()))
            NOTES.create(found[-1])
        yield found


def answers(connection: Connection, asked: Any) -> list[int]:
    condition = condition_on("notes.about", asked, dialect=connection.dialect.name)
    statement = select(NOTES.c.id).where(text(condition.sql)).order_by(NOTES.c.id)
    return list(connection.scalars(statement, condition.parameters))


def store(connection: Connection, notes: list[dict[str, Any]]) -> None:
    connection.execute(NOTES.delete())
    rows = [{"id": at, "about": one} for at, one in enumerate(notes)]
    connection.execute(insert(NOTES), rows)


def values_within(filters: Any) -> Iterator[Any]:
    if isinstance(filters, dict):
        for one in filters.values():
            yield from values_within(one)
    elif isinstance(filters, list):
        for one in filters:
            yield from values_within(one)
    else:
        yield filters


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(notes=st.lists(documents, max_size=6), asked=st.lists(filters, min_size=1, max_size=8))
def test_the_same_metadata_matches_everywhere(
    connections: list[Connection], notes: list[dict[str, Any]], asked: list[dict[str, Any]]
) -> None:
    # With what is asked for put where it is looked for, so that something is found.
    near: list[dict[str, Any]] = [{}]
    near += [{key: value} for key in ("a", "b") for one in asked for value in values_within(one)]
    stored = [storable(one) for one in [*notes, *near[:40]]]
    for connection in connections:
        store(connection, stored)

    for one in asked:
        meant = read_filters(one)
        expected = [at for at, note in enumerate(stored) if meant.matches(note)]
        found = [answers(connection, meant) for connection in connections]
        assert found == [expected, expected], one


def test_a_row_without_metadata_has_nothing_in_it(connections: list[Connection]) -> None:
    for connection in connections:
        connection.execute(NOTES.delete())
        connection.execute(insert(NOTES), {"id": 1})

    there = [answers(one, read_filters({"a": {"$ne": 1}})) for one in connections]
    null = [answers(one, read_filters({"a": None})) for one in connections]
    absent = [answers(one, read_filters({"a": {"$contains": 1}})) for one in connections]

    assert there == [[1], [1]]
    assert null == [[1], [1]]
    assert absent == [[], []]


def test_as_many_conditions_and_values_as_may_be_are_answered(
    connections: list[Connection],
) -> None:
    conditions: list[dict[str, Any]] = [{f"k{at}": at} for at in range(198)]
    asked = read_filters({"$or": [*conditions, {"a": {"$in": list(range(4_000))}}]})
    for connection in connections:
        store(connection, [{"a": 3_999}, {"a": 4_000}, {"k7": 7}])

    assert [answers(one, asked) for one in connections] == [[0, 2], [0, 2]]
