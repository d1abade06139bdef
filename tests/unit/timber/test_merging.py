"""Laws of merging JSON, with SQLite's own merge as the witness."""

import copy
import json
import sqlite3
from typing import Any

from hypothesis import given, strategies as st

from timber.common.persistence.merging import merged

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text("ab", max_size=3)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=10,
)


@given(values, values)
def test_it_is_what_sqlite_makes_of_it(target: Any, patch: Any) -> None:
    with sqlite3.connect(":memory:") as connection:
        written = (json.dumps(target), json.dumps(patch))
        (expected,) = connection.execute("SELECT json_patch(?, ?)", written).fetchone()
    connection.close()

    assert merged(target, patch) == json.loads(expected)


@given(values, values)
def test_what_it_is_given_stays_as_it_was(target: Any, patch: Any) -> None:
    before = copy.deepcopy((target, patch))

    merged(target, patch)

    assert (target, patch) == before


@given(values, values)
def test_merging_the_same_again_changes_nothing(target: Any, patch: Any) -> None:
    once = merged(target, patch)

    assert merged(once, patch) == once


@given(
    values,
    st.dictionaries(st.sampled_from("ab"), values),
    st.dictionaries(st.sampled_from("cd"), values),
)
def test_patches_of_different_keys_come_in_any_order(target: Any, one: Any, other: Any) -> None:
    assert merged(merged(target, one), other) == merged(merged(target, other), one)
