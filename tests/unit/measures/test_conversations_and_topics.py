"""Conversations that end hold, and topics that are all spoken of; endless talk does not."""

from collections.abc import Sequence

import pytest

from puppet_engine.measures.conversations import Said, conversations
from puppet_engine.measures.reading import Reading
from puppet_engine.measures.topics import topics

pytestmark = pytest.mark.unit

MOST = 3


def failing(readings: Sequence[Reading]) -> list[tuple[str, str]]:
    return [(one.of, one.whose) for one in readings if not one.holds]


def line(length: int, *handles: str) -> list[Said]:
    return [
        Said(str(at), handles[at % len(handles)], str(at - 1) if at else None)
        for at in range(length)
    ]


def test_a_conversation_in_which_everybody_stops_in_time_holds() -> None:
    found = conversations([*line(2 * MOST, "ann", "bob"), Said("9", "eve", None)], most=MOST)

    assert failing(found.readings) == []
    assert found.sizes == {1: 1, 6: 1}
    assert {one.of: one.value for one in found.readings}["answers in the longest line"] == 5


def test_two_who_never_come_to_an_end_fail_the_measure() -> None:
    found = conversations(line(2 * MOST + 1, "ann", "bob"), most=MOST)

    assert failing(found.readings) == [
        ("times that anybody spoke in one line of answers", "the cast")
    ]


def test_answers_to_many_at_once_are_no_endless_line() -> None:
    many = [Said(str(at), "ann", "0") for at in range(1, 20)]

    assert failing(conversations([Said("0", "eve", None), *many], most=MOST).readings) == []


def test_a_thread_is_one_thing_that_is_said_and_no_conversation_with_oneself() -> None:
    thread = line(2 * MOST, "ann")
    answer = Said("8", "bob", thread[-1].post_id)

    found = conversations([*thread, answer, Said("9", "eve", None)], most=MOST)

    assert failing(found.readings) == []
    assert found.sizes == {1: 1, 2: 1}
    assert failing(conversations(thread, most=MOST).readings) == [
        ("texts that answer another", "the cast")
    ]


@pytest.mark.parametrize("said", [[], [Said("1", "ann", None)], [Said("1", "ann", "of others")]])
def test_where_nobody_answers_there_are_no_conversations(said: list[Said]) -> None:
    assert ("texts that answer another", "the cast") in failing(
        conversations(said, most=MOST).readings
    )


INTERESTS = {"ann": ["rain", "soup", "moths", "kites"]}


def test_who_speaks_of_all_interests_holds_whatever_else_they_speak_of() -> None:
    found = topics(INTERESTS, {"ann": ["rain", "soup", "moths", "kites"] * 5 + ["news"] * 50})

    assert failing(found.readings) == []
    assert found.counts == {"ann": dict.fromkeys(INTERESTS["ann"], 5)}


def test_who_rides_a_hobbyhorse_fails_the_measure() -> None:
    found = topics(INTERESTS, {"ann": ["rain"] * 95 + ["soup", "moths", "kites"]})

    assert failing(found.readings) == [("evenness of the interests", "ann")]


def test_who_never_speaks_of_an_interest_fails_the_measure() -> None:
    found = topics(INTERESTS, {"ann": ["rain", "soup", "moths"] * 30})

    assert failing(found.readings)[0] == ("interests that were spoken of", "ann")
    assert len(failing(topics(INTERESTS, {}).readings)) == 2
