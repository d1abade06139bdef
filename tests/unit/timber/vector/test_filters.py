"""What filters say, and what is told about those that say nothing."""

from typing import Any

import pytest

from timber.common.errors import InvalidRequestError
from timber.common.vector.filter_reader import read_filters
from timber.common.vector.metadata import storable

BOOK = {
    "title": "Dune",
    "year": 1965,
    "rating": 4.5,
    "read": True,
    "lent": None,
    "tags": ["desert", "empire", 7],
    "author": {"name": "Herbert", "born": {"year": 1920}},
    "a.b": "dotted",
    "$price": 9,
}


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"title": "Dune"},
        {"title": "Dune", "year": 1965},
        {"year": 1965.0},
        {"rating": {"$eq": 4.5}},
        {"year": {"$gt": 1964.5, "$lt": 1966}},
        {"year": {"$gte": 1965, "$lte": 1965}},
        {"title": {"$gt": "Dun", "$lt": "dune"}},
        {"title": {"$in": ["Emma", "Dune"]}},
        {"title": {"$nin": ["Emma"]}},
        {"title": {"$nin": []}},
        {"title": {"$ne": "Emma"}},
        {"nothing": {"$ne": "Emma"}},
        {"lent": None},
        {"nothing": None},
        {"nothing": {"$in": [1, None]}},
        {"lent": {"$exists": True}},
        {"nothing": {"$exists": False}},
        {"read": True},
        {"tags": {"$contains": "desert"}},
        {"tags": {"$contains": 7.0}},
        {"author.born.year": 1920},
        {"author": {"born": {"year": {"$lt": 1930}}, "name": "Herbert"}},
        {"author": {"born.year": 1920}},
        {r"a\.b": "dotted"},
        {r"\$price": 9},
        {"$or": [{"year": 1}, {"title": "Dune"}]},
        {"$and": [{"year": 1965}, {"title": "Dune"}]},
        {"$not": {"year": 1}},
        {"year": {"$not": {"$gt": 2000}}},
        {"year": {"$or": [{"$lt": 1900}, {"$gt": 1960}]}},
        {"$not": {"nothing": {"$gt": 1}}},
    ],
    ids=str,
)
def test_a_filter_matches(filters: dict[str, Any]) -> None:
    assert read_filters(filters).matches(BOOK)


@pytest.mark.parametrize(
    "filters",
    [
        {"title": "dune"},
        {"title": "Dune", "year": 1966},
        {"year": "1965"},
        {"read": 1},
        {"rating": {"$gt": True}} | {"rating": 5},
        {"year": {"$gt": "1"}},
        {"title": {"$gt": 1}},
        {"read": {"$gte": 0}},
        {"lent": {"$gte": 0}},
        {"title": {"$in": []}},
        {"tags": "desert"},
        {"tags": {"$contains": "des"}},
        {"title": {"$contains": "Dune"}},
        {"a.b": "dotted"},
        {"tags.0": "desert"},
        {"nothing": {"$exists": True}},
        {"author.name.first": {"$exists": True}},
        {"lent": {"$ne": None}},
        {"$or": [{"year": 1}, {"title": "Emma"}]},
    ],
    ids=str,
)
def test_a_filter_does_not_match(filters: dict[str, Any]) -> None:
    assert not read_filters(filters).matches(BOOK)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"year": {"$gtx": 1}}, r"filters.year.\$gtx: no operator '\$gtx'; did you mean '\$gt'\?"),
        ({"$gt": 1}, "of which value"),
        ({"tags": ["a"]}, r"filters.tags: a list; write \{\"\$in\": \[…\]\}"),
        ({"year": {"$in": 5}}, r"filters.year.\$in: a list is needed, not a int"),
        ({"year": {}}, "filters.year: no condition"),
        ({"$or": []}, "empty list"),
        ({"$or": {"a": 1}}, "a list is needed"),
        ({"$not": 1}, "a mapping of conditions is needed"),
        ({"year": {"$gt": None}}, "None is neither"),
        ({"year": {"$gt": True}}, "True is neither"),
        ({"year": {"$exists": 1}}, "true or false is needed"),
        ({"year": 2**63}, "more than 64 bits"),
        ({"year": float("nan")}, "no number that JSON has"),
        ({"year": object()}, "not a object"),
        ({"name": "a\0b"}, "no database holds"),
        ({"na\0me": "b"}, "no database holds"),
        ({"name": "\ud800"}, "no database holds"),
        ({"name\\": 1}, "backslash at the end"),
        ({1: 1}, "a key is a text, not 1"),
        ("year > 3", "filters: a mapping of conditions is needed, not a str"),
        ({f"k{number}": 1 for number in range(201)}, "more than 200 conditions"),
        ({"k": {"$in": list(range(5001))}}, "5,000 values"),
    ],
)
def test_a_filter_that_cannot_be_read_says_where(filters: Any, said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        read_filters(filters)


def test_a_filter_of_too_many_levels_is_refused() -> None:
    filters: dict[str, Any] = {"year": 1}
    for _ in range(50):
        filters = {"$not": filters}

    with pytest.raises(InvalidRequestError, match="more than 20 levels"):
        read_filters(filters)


def test_metadata_is_stored_as_it_is_but_for_numbers_that_json_would_blur() -> None:
    given = {"a": [1, 2.5, None, True, "x"], "b": {"c": (1,)}, "big": float(2**62)}

    stored = storable(given)

    assert stored == {"a": [1, 2.5, None, True, "x"], "b": {"c": [1]}, "big": 2**62}
    assert type(stored["big"]) is int


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"a": {"b": [1, object()]}}, r"metadata\.a\.b\[1\]: .* not a object"),
        ({"a": float("inf")}, "metadata.a: inf is no number"),
        ({"a": -(2**63) - 1}, "metadata.a: a whole number of more than 64 bits"),
        ({1: 2}, "the key 1 is no text"),
        ({"a": "\0"}, "metadata.a: a text with NUL"),
        ([], "metadata: a mapping is needed, not a list"),
    ],
)
def test_metadata_that_no_database_keeps_is_refused(metadata: Any, said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        storable(metadata)


def test_metadata_of_too_many_levels_is_refused() -> None:
    metadata: dict[str, Any] = {}
    for _ in range(50):
        metadata = {"deeper": metadata}

    with pytest.raises(InvalidRequestError, match="more than 20 levels"):
        storable(metadata)
