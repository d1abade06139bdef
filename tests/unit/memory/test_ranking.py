import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st

from puppet_engine.memory.ranking import USUAL, rank, relevances, score
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


def test_what_matches_comes_before_what_is_fresher() -> None:
    about_tea = remembered(1, "The tea house", hours=5000)
    fresher = remembered(2, "It rained all morning")

    assert contents([fresher, about_tea], "tea house", limit=1) == ["The tea house"]


def test_the_turn_after_one_that_matches_comes_to_mind_though_it_shares_no_word() -> None:
    asked = remembered(1, "What do you call the dog?", near={1: 2})
    answered = remembered(2, "Biscuit", near={-1: 1})
    other = remembered(3, "It rained")

    assert contents([other, answered, asked], "the dog", limit=1) == ["Biscuit"]


def test_the_turn_after_one_that_is_meant_comes_to_mind_though_its_meaning_is_another() -> None:
    asked = remembered(1, "How is the hound", dense=1, near={1: 2})
    answered = remembered(2, "Fine", near={-1: 1})
    other = remembered(3, "Cold")

    assert contents([other, answered, asked], "pets")[0] == "Fine"


def test_who_is_named_comes_before_others_who_said_the_same() -> None:
    same = [
        remembered(place, f"{who} has a dog", speaker=who.casefold())
        for place, who in enumerate(["Tom", "mira", "Ines"])
    ]

    assert contents(same, "Has Mira a dog?")[0] == "mira has a dog"


def test_who_is_named_is_no_word_to_look_for_as_it_is_the_others_who_say_it() -> None:
    greeting = remembered(2, "Hello Mira, dear Mira", speaker="tom")
    hers = remembered(1, "A dog, at last", speaker="mira")

    assert contents([greeting, hers], "What has Mira got?")[0] == "A dog, at last"


def test_who_is_described_and_not_named_is_who_said_so() -> None:
    cello = remembered(1, "I play the cello", speaker="mira")
    hers = remembered(2, "My dog is Biscuit", speaker="mira")
    his = remembered(3, "My dog is Max", speaker="tom")

    found = contents([his, hers, cello], "what is the dog of the one who plays the cello called")

    assert set(found[:2]) == {"I play the cello", "My dog is Biscuit"}


def test_of_a_question_with_two_parts_each_is_answered() -> None:
    told = [
        remembered(1, "I bought a lantern"),
        remembered(2, "Because of the noise, I left the harbour"),
        *(remembered(place, f"I left my glove, number {place}") for place in range(3, 9)),
    ]

    found = contents(told, "What lantern did he buy, and why did he leave the harbour?", limit=2)

    assert set(found) == {told[0].content, told[1].content}


def test_who_asks_when_is_told_what_tells_a_time() -> None:
    when = remembered(1, "The race was last Sunday")
    longer = remembered(2, "The race was long and hard and the race was fun")

    assert contents([longer, when], "When was the race?")[0] == when.content
    assert contents([longer, when], "How was the race?")[0] == longer.content


def test_what_was_said_on_the_day_that_is_named_comes_first() -> None:
    that_day = remembered(1, "We moved", hours=24 * 4)
    today = remembered(2, "It rained")

    assert contents([today, that_day], "What happened on 1 January?")[0] == "We moved"


def test_of_equals_the_newest_comes_first() -> None:
    twice = [remembered(place, f"number {place}") for place in (4, 9, 2)]

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


@given(st.lists(st.tuples(share, st.sampled_from(["tea", "rain", "tea and rain"])), max_size=12))
def test_relevance_is_no_more_than_the_weights_of_what_it_is_made_of(
    told: list[tuple[float, str]],
) -> None:
    last = len(told) - 1
    found = [
        remembered(place, text, dense=dense, near={-1: place - 1, 1: min(place + 1, last)})
        for place, (dense, text) in enumerate(told)
    ]

    relevant = relevances(found, [["tea"]])

    most = USUAL.text + USUAL.dense + sum(USUAL.near.values())
    assert all(0 <= value <= most + 1e-9 for value in relevant)


def test_a_turn_lends_nothing_when_what_is_near_counts_for_nothing() -> None:
    asked = remembered(1, "the dog?", dense=1, near={1: 2})
    answered = remembered(2, "Biscuit", near={-1: 1})

    told = relevances([asked, answered], [["dog"]], replace(USUAL, near={}, context=0))

    assert told == [USUAL.text + USUAL.dense, 0.0]


def test_the_order_is_the_same_in_every_process() -> None:
    program = """
import random
from tests.unit.memory.test_ranking import NOW, remembered
from puppet_engine.memory.ranking import rank
chance = random.Random(1)
people = ["mira", "tom", "ines", "oskar"]
found = [
    remembered(n, f"{n}", speaker=chance.choice(people), dense=chance.random(),
               near={-1: n - 1, 1: n + 1}) for n in range(300)
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
