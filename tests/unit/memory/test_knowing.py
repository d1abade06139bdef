from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from puppet_engine.memory.knowing import BY_MEANING, BY_WORDS, ENOUGH, Signals, certainty, signals
from puppet_engine.storage.memories import Found

NOW = datetime(2026, 1, 5, tzinfo=UTC)

ASKED = Found(1, "What do you call the dog?", NOW, speaker="ada", near={1: 2})
ANSWERED = Found(2, "Biscuit!", NOW, speaker="mira", near={-1: 1})
WEATHER = Found(3, "It rained all day", NOW - timedelta(days=9), speaker="tom")


def knows(question: str, *found: Found) -> bool:
    return certainty(found, question, now=NOW) >= ENOUGH


def test_who_was_told_in_a_talk_with_the_words_of_the_question_knows() -> None:
    assert knows("What does Mira call the dog?", ASKED, ANSWERED, WEATHER)


def test_what_another_one_told_does_not_count() -> None:
    assert not knows("What does Tom call the dog?", ASKED, ANSWERED, WEATHER)


def test_of_a_name_that_nobody_mentions_nothing_is_known() -> None:
    found = signals([ASKED, ANSWERED], "What does Priya call the dog?", now=NOW)

    assert found.stranger == 1
    assert not knows("What does Priya call the dog?", ASKED, ANSWERED)


def test_who_said_something_at_the_time_that_is_named_is_known_of() -> None:
    assert knows("What did Tom say on 27 December?", ASKED, ANSWERED, WEATHER)
    assert not knows("What did Tom say on 20 December?", ASKED, ANSWERED, WEATHER)


def test_who_remembers_nothing_knows_nothing() -> None:
    assert certainty([], "What is it?", now=NOW) == 0


def test_what_another_one_told_in_the_words_of_the_question_speaks_against_it() -> None:
    parrot = Found(1, "My parrot imitates the alarm clock", NOW, speaker="nadia", cosine=0.7)
    reply = Found(2, "And then you get up", NOW, speaker="piet", near={-1: 1}, cosine=0.2)
    tortoise = Found(3, "Mine only eats the cable", NOW, speaker="piet", cosine=0.3)

    wrongly = signals([parrot, reply, tortoise], "What does Piet's parrot imitate?", now=NOW)

    assert wrongly.meant_elsewhere == pytest.approx(0.4)
    assert knows("What does Nadia's parrot imitate?", parrot, tortoise)
    assert not knows("What does Piet's parrot imitate?", parrot, tortoise)


def test_what_is_written_of_somebody_who_speaks_elsewhere_is_known() -> None:
    written = Found(1, "Mira calls her dog Biscuit", NOW)
    spoken = Found(2, "Nice weather", NOW, speaker="mira")

    assert knows("What does Mira call the dog?", written, spoken)


share = st.floats(0, 1)
some = st.builds(Signals, share, share, share, share, share)


@given(some, some)
def test_the_more_speaks_for_an_answer_and_the_less_against_it_the_surer_it_is(
    one: Signals, other: Signals
) -> None:
    speaks_for = [max(one[at], other[at]) for at in range(2)]
    speaks_against = [min(one[at], other[at]) for at in range(2, 5)]
    best = Signals(*speaks_for, *speaks_against)

    for fit in (BY_MEANING, BY_WORDS):
        assert 0 <= fit.certainty(one) <= fit.certainty(best) <= 1


@given(st.text(max_size=60))
def test_any_question_can_be_doubted(question: str) -> None:
    assert 0 <= certainty([ASKED, ANSWERED, WEATHER], question, now=NOW) <= 1
