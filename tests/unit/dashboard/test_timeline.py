"""Answers stand under what they answer."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, strategies as st
from tests.fake_life import NOON, FakeFeed

from puppet_engine.dashboard.faces import Face
from puppet_engine.dashboard.happenings import read_happening
from puppet_engine.dashboard.tally import Totals
from puppet_engine.dashboard.timeline import DEEPEST, LONGEST, Entry, entry_of, thread

ALICE = Face(name="Alice", handle="alice")


def entry(number: int, *, to: int | None = None) -> Entry:
    parent = None if to is None else str(to)
    return Entry(str(number), "post", ALICE, f"post {number}", NOON, in_reply_to=parent)


def walk(entries: list[Entry], depth: int = 0) -> Iterator[tuple[Entry, int]]:
    for each in entries:
        yield each, depth
        yield from walk(each.replies, depth + 1)


@st.composite
def lives(draw: st.DrawFn) -> list[Entry]:
    length = draw(st.integers(min_value=0, max_value=LONGEST))
    answered = [draw(st.none() | st.integers(0, number)) for number in range(length)]
    return [entry(number, to=to) for number, to in enumerate(answered)]


@given(lives())
def test_every_post_is_shown_once(life: list[Entry]) -> None:
    shown = [each.id for each, _ in walk(thread(life))]

    assert sorted(shown) == sorted(each.id for each in life)


@given(lives())
def test_an_answer_is_never_shown_before_what_it_answers(life: list[Entry]) -> None:
    shown = [each.id for each, _ in walk(thread(life))]

    for each in life:
        if each.in_reply_to in shown[: shown.index(each.id)] or each.in_reply_to is None:
            continue
        assert each.in_reply_to == each.id or each.in_reply_to not in shown


def test_the_conversation_last_spoken_in_comes_first() -> None:
    said = [entry(1), entry(2), entry(3, to=1)]

    assert [each.id for each in thread(said)] == ["1", "2"]


def test_answers_come_in_the_order_of_speaking() -> None:
    (root,) = thread([entry(1), entry(2, to=1), entry(3, to=2), entry(4, to=1)])

    assert [(each.id, depth) for each, depth in walk([root])] == [
        ("1", 0),
        ("2", 1),
        ("3", 2),
        ("4", 1),
    ]


def test_an_answer_to_what_is_not_known_begins_a_conversation() -> None:
    assert [each.id for each in thread([entry(2, to=1)])] == ["2"]


def test_a_dialogue_without_end_does_not_go_down_without_end() -> None:
    dialogue = [entry(0), *(entry(number, to=number - 1) for number in range(1, 500))]

    (root,) = thread(dialogue)

    shown = list(walk([root]))
    assert [each.id for each, _ in shown] == [str(number) for number in range(500)]
    assert max(depth for _, depth in shown) == DEEPEST


def test_only_the_latest_conversations_are_shown() -> None:
    said = [entry(number) for number in range(LONGEST + 5)]

    shown = thread(said)

    assert len(shown) == LONGEST
    assert shown[0].id == str(LONGEST + 4)


def test_all_posts_of_a_thread_stand_under_its_first_and_count_as_posts() -> None:
    feed = FakeFeed()
    told: dict[str, Any] = {"handle": "alice", "name": "Alice", "conversation_id": "1"}
    events = [
        feed.event("post.published", **told, post_id="1", text="One.", part=1, parts=3),
        feed.event(
            "post.published", **told, post_id="2", text="Two.", in_reply_to="1", part=2, parts=3
        ),
        feed.event(
            "post.published", **told, post_id="3", text="Three.", in_reply_to="2", part=3, parts=3
        ),
        feed.event(
            "post.published",
            **told,
            post_id="4",
            text="Why?",
            in_reply_to="2",
            reply_to_handle="a",
        ),
    ]
    happenings = [each for event in events if (each := read_happening(event))]
    entries = [shown for one in happenings if (shown := entry_of(one, faces={}))]
    totals = Totals()
    for event in events:
        totals = totals.with_event(event)

    (head,) = thread(entries)

    assert [(each.id, each.part, each.parts) for each in head.replies] == [
        ("2", 2, 3),
        ("3", 3, 3),
    ]
    assert [each.id for each in head.replies[0].replies] == ["4"]
    assert totals == Totals(posts=3, replies=1)
