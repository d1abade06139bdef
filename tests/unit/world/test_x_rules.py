"""What X allows in a post."""

from datetime import timedelta

import pytest
from hypothesis import given, settings, strategies as st
from tests.rehearsal_x import START

from puppet_engine.world.x import rules
from puppet_engine.world.x.accounts import Account, issue_keys
from puppet_engine.world.x.posts import SitePost
from puppet_engine.world.x.problems import ProblemError


def account(account_id: int, handle: str) -> Account:
    keys = issue_keys(7, account_id, handle)
    return Account(id=account_id, handle=handle, name=handle, created_at=START, **keys)


def post(text: str, *, author_id: int = 1, in_reply_to_user: int | None = None) -> SitePost:
    return SitePost(
        id=10,
        author_id=author_id,
        text=text,
        created_at=START,
        conversation_id=10,
        mentions=rules.mentioned_handles(text),
        in_reply_to_user=in_reply_to_user,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", 5),
        ("ñandú", 5),
        ("n\u0303andu", 5),  # the same ñ in two code points
        ("日本語", 6),
        ("🦤", 2),
        ("see https://example.org/a/very/long/path?with=a&query=string now", 4 + 23 + 4),
        ("https://a.b http://c.d", 23 + 1 + 23),
    ],
)
def test_a_text_weighs_what_x_says(text: str, expected: int) -> None:
    assert rules.weight(text) == expected


def test_280_characters_pass_and_one_more_does_not() -> None:
    rules.check_length("a" * 280)

    with pytest.raises(ProblemError) as refusal:
        rules.check_length("a" * 281)

    assert refusal.value.status == 403


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@Ada and @bob_2, @ADA!", ("ada", "bob_2")),
        ("mail me at ada@example.org", ()),
        ("(@ada)", ("ada",)),
        ("@" + "x" * 16, ()),
        ("@@ada", ()),
    ],
)
def test_handles_are_found_as_x_finds_them(text: str, expected: tuple[str, ...]) -> None:
    assert rules.mentioned_handles(text) == expected


def test_a_text_may_be_said_again_only_after_a_day() -> None:
    earlier = [post("good morning")]
    day = timedelta(hours=24)

    rules.check_novelty("good morning", earlier=earlier, now=START + day)
    rules.check_novelty("good evening", earlier=earlier, now=START)
    with pytest.raises(ProblemError, match="duplicate"):
        rules.check_novelty("good morning", earlier=earlier, now=START + day * 0.999)


def test_whoever_names_an_account_or_answers_it_may_be_answered_by_it() -> None:
    ada = account(2, "Ada")

    for parent in (post("hi @ada"), post("hi", in_reply_to_user=2), post("I", author_id=2)):
        assert rules.check_summons(ada, parent) is parent


def test_nobody_else_may_be_answered() -> None:
    ada = account(2, "Ada")

    with pytest.raises(ProblemError, match="not been mentioned") as refusal:
        rules.check_summons(ada, post("hi @adalbert", in_reply_to_user=3))

    assert refusal.value.status == 403


@settings(deadline=None)
@given(st.text())
def test_a_text_weighs_at_most_twice_its_length_beside_its_links(text: str) -> None:
    links = len(rules.URL.findall(text))

    assert rules.weight(text) <= 2 * 3 * len(text) + 23 * links
