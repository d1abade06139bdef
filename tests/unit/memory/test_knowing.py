from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from puppet_engine.memory.knowing import ENOUGH, Fit, Signals, certainty, signals
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


share = st.floats(0, 1)


@given(share, share, share, share)
def test_the_more_speaks_for_an_answer_the_surer_it_is(
    c1: float, c2: float, w1: float, w2: float
) -> None:
    fit = Fit(bias=-1, cosine=2, coverage=3, stranger=-4, moment=1)
    better = Signals(max(c1, c2), max(w1, w2), 0, 0)
    worse = Signals(min(c1, c2), min(w1, w2), 0, 0)

    assert 0 <= fit.certainty(worse) <= fit.certainty(better) <= 1


@given(st.text(max_size=60))
def test_any_question_can_be_doubted(question: str) -> None:
    assert 0 <= certainty([ASKED, ANSWERED, WEATHER], question, now=NOW) <= 1
