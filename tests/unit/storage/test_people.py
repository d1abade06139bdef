"""Whom a row is of, and whether what is written somewhere names a person."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from puppet_engine.storage.people import person_of
from puppet_engine.storage.traces import Named

HANDLES = st.from_regex(r"[a-z][a-z0-9_]{0,14}", fullmatch=True)


@pytest.mark.parametrize(
    ("said", "text", "person"),
    [
        ({"speaker": "Mira", "source": "network"}, "Hello @bob", "mira"),
        ({"speaker": "ada", "source": "self"}, "I answered @Bob: yes", "bob"),
        ({"speaker": "ada", "source": "self"}, "I posted: it rains", None),
        ({"speaker": "ada", "source": "self"}, "I said @ada, that is me", None),
        ({"author_handle": "bob", "text": "@ada hi"}, "", "bob"),
        ({"handle": "ada", "reply_to_handle": "@Bob", "text": "yes"}, "", "bob"),
        ({"handle": "ada", "reply_to_handle": None, "text": "morning, @bob"}, "", "bob"),
        ({"text": "write to me@bob.example"}, "", None),
        ({"text": "@mira.bsky.social said"}, "", "mira.bsky.social"),
        ({"handle": "ada", "content": "@mira said to me: hi"}, "", "mira"),
        ({"first": True}, "", None),
    ],
)
def test_a_row_is_of_whom_it_was_said_by_or_to_or_names(
    said: dict[str, Any], text: str, person: str | None
) -> None:
    assert person_of(said, text) == person


@given(
    handle=HANDLES, before=st.sampled_from(["", " ", "(", "—"]), after=st.sampled_from("  .,!?)'")
)
def test_a_mention_names_whatever_stands_around_it(handle: str, before: str, after: str) -> None:
    named = Named(handle)

    assert named.is_in(f"I saw {before}@{handle.upper()}{after}")
    assert named.is_in({"drafts": [{"text": f"https://x.com/{handle}/status/1"}]})
    assert named.is_in({"author_handle": handle.upper()})


@given(handle=HANDLES, more=st.sampled_from(["x", "_", "9", ".bsky.social"]))
def test_who_has_a_longer_handle_is_somebody_else(handle: str, more: str) -> None:
    named = Named(handle)

    assert not named.is_in(f"I saw @{handle}{more}")
    assert not named.is_in(f"mail me{handle}@{handle}.example")


@given(handle=HANDLES)
def test_a_word_is_no_handle_where_none_is_expected(handle: str) -> None:
    assert not Named(handle).is_in({"topic": handle, "text": f"{handle} is a word"})
