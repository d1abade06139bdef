"""The query language of recent search."""

import pytest
from tests.rehearsal_x import START

from puppet_engine.world.x.accounts import Account, AccountBook, issue_keys
from puppet_engine.world.x.posts import SitePost
from puppet_engine.world.x.problems import ProblemError
from puppet_engine.world.x.rules import mentioned_handles
from puppet_engine.world.x.search import compile_query

BOOK = AccountBook()
for number, handle in enumerate(("Ada", "bob"), start=1):
    BOOK.add(Account(number, handle, handle, START, **issue_keys(7, number, handle)))

POST = SitePost(
    id=20,
    author_id=1,
    text="@bob The GREY cat, it sleeps. #cats $SOL",
    created_at=START,
    conversation_id=15,
    mentions=mentioned_handles("@bob"),
    in_reply_to=15,
    in_reply_to_user=2,
)


@pytest.mark.parametrize(
    "query",
    [
        "grey",
        "cat sleeps",
        "sleeps grey",
        '"grey cat"',
        "#cats",
        "cats",
        "$sol",
        "@BOB",
        "from:ada",
        "from:@Ada cat",
        "to:bob",
        "conversation_id:15",
        "cat -dog",
        "-from:bob -is:retweet",
    ],
)
def test_a_post_is_found_by_what_is_in_it(query: str) -> None:
    assert compile_query(query, BOOK)(POST)


@pytest.mark.parametrize(
    "query",
    [
        "dog",
        "gre",
        '"cat grey"',
        "#cat",
        "#grey",
        "@ada",
        "from:bob",
        "from:nobody",
        "to:nobody",
        "conversation_id:20",
        "cat -sleeps",
    ],
)
def test_a_post_is_not_found_by_what_is_not_in_it(query: str) -> None:
    assert not compile_query(query, BOOK)(POST)


@pytest.mark.parametrize(
    "query", ["", " ", "x" * 513, "cat OR dog", "(cat)", "lang:en", "?!", '"open', "-"]
)
def test_what_is_not_understood_is_an_invalid_request(query: str) -> None:
    with pytest.raises(ProblemError) as refusal:
        compile_query(query, BOOK)

    assert refusal.value.status == 400
