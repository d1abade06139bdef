import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st

from puppet_engine.memory.ranking import USUAL, rank, relevances, score, with_words
from puppet_engine.storage.memories import Found

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def remembered(
    place: int,
    content: str,
    *,
    hours: float = 0,
    speaker: str | None = None,
    **told: Any,
) -> Found:
    return Found(place, content, NOW - timedelta(hours=hours), speaker=speaker, **told)


def contents(found: list[Found], cue: str, *, limit: int = 9) -> list[str]:
    known = {one.place: one.content for one in found}
    return [known[place] for place in rank(found, cue, now=NOW, limit=limit)]


def test_words_are_weighed_among_what_was_found() -> None:
    found = with_words([remembered(1, "the dog"), remembered(2, "a cat")], "dogs")

    assert [one.text for one in found] == [1.0, 0.0]


def test_what_matches_comes_before_what_is_fresher() -> None:
    about_tea = remembered(1, "The tea house", hours=5000, text=1)
    fresher = remembered(2, "It rained all morning")

    assert contents([fresher, about_tea], "tea house", limit=1) == ["The tea house"]


def test_the_turn_after_one_that_matches_comes_to_mind_though_it_shares_no_word() -> None:
    asked = remembered(1, "What do you call the dog?", text=1, near={1: 2})
    answered = remembered(2, "Biscuit", near={-1: 1})
    other = remembered(3, "It rained", text=0.5)

    found = contents([other, answered, asked], "the dog", limit=2)

    assert set(found) == {"What do you call the dog?", "Biscuit"}


def test_who_is_named_comes_before_others_who_said_the_same() -> None:
    same = [
        remembered(place, f"{who} has a dog", speaker=who.casefold(), text=1)
        for place, who in enumerate(["Tom", "mira", "Ines"])
    ]

    assert contents(same, "Has Mira a dog?")[0] == "mira has a dog"


def test_without_a_name_the_best_answer_says_who_is_meant() -> None:
    cello = remembered(1, "I play the cello", speaker="mira", text=1)
    hers = remembered(2, "My dog is Biscuit", speaker="mira", text=0.5)
    his = remembered(3, "My dog is Max", speaker="tom", text=0.5)

    found = contents([his, hers, cello], "what is the dog of the one who plays the cello called")

    assert found == ["I play the cello", "My dog is Biscuit", "My dog is Max"]


def test_what_was_said_on_the_day_that_is_named_comes_first() -> None:
    that_day = remembered(1, "We moved", hours=24 * 4)
    today = remembered(2, "It rained")

    assert contents([today, that_day], "What happened on 1 January?")[0] == "We moved"


def test_of_equals_the_newest_comes_first() -> None:
    twice = [remembered(place, f"number {place}", text=1) for place in (4, 9, 2)]

    assert contents(twice, "number") == ["number 9", "number 4", "number 2"]


@given(st.integers(0, 12), st.integers(0, 8), st.text(max_size=40))
def test_something_always_comes_to_mind(size: int, limit: int, cue: str) -> None:
    found = [remembered(place, f"memory {place}") for place in range(size)]

    assert len(rank(found, cue, now=NOW, limit=limit)) == min(size, limit)


share = st.floats(0, 1)
hours = st.floats(0, 10_000)


@given(share, share, hours, hours, share, share)
def test_the_score_rises_with_relevance_recency_and_importance(
    r1: float, r2: float, h1: float, h2: float, i1: float, i2: float
) -> None:
    better = score(relevance=max(r1, r2), age=timedelta(hours=min(h1, h2)), importance=max(i1, i2))
    worse = score(relevance=min(r1, r2), age=timedelta(hours=max(h1, h2)), importance=min(i1, i2))

    assert better >= worse


@given(st.lists(st.tuples(share, share), min_size=1, max_size=12))
def test_relevance_is_a_share_of_the_best(legs: list[tuple[float, float]]) -> None:
    last = len(legs) - 1
    found = [
        remembered(
            place, "x", dense=dense, text=text, near={-1: place - 1, 1: min(place + 1, last)}
        )
        for place, (dense, text) in enumerate(legs)
    ]

    told = relevances(found, USUAL)

    assert all(0 <= value <= 1 for value in told.values())
    assert max(told.values()) in (0, 1)


def test_a_turn_lends_no_relevance_when_the_talk_counts_for_nothing() -> None:
    asked = remembered(1, "the dog?", text=1, near={1: 2})
    answered = remembered(2, "Biscuit", near={-1: 1})

    told = relevances([asked, answered], replace(USUAL, near={}))

    assert told == {1: 1.0, 2: 0.0}


def test_the_order_is_the_same_in_every_process() -> None:
    program = """
import random
from tests.unit.memory.test_ranking import NOW, remembered
from puppet_engine.memory.ranking import rank
chance = random.Random(1)
people = ["mira", "tom", "ines", "oskar"]
found = [
    remembered(n, f"{n}", speaker=chance.choice(people), dense=chance.random(),
               text=chance.random(), near={-1: n - 1, 1: n + 1}) for n in range(300)
]
print(rank(found, "tom and ines in May", now=NOW, limit=300))
"""
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(told) == 1
