"""How what the legs found becomes one ranking."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from timber.common.vector.base import Hit
from timber.common.vector.diversity import diversified
from timber.common.vector.fusion import Facts, Recency, Weights, by_words_found, fuse, marks_of
from timber.common.vector.words import share_of
from timber.testing.clock import MORNING

NOW = Recency(MORNING, timedelta(days=30))
scores = st.lists(st.floats(-1, 1), min_size=1, max_size=20)
weights = st.builds(Weights, *[st.floats(0.01, 10)] * 4)
facts = st.builds(
    Facts,
    moment=st.integers(-100, 1_000).map(lambda days: MORNING - timedelta(days=days)),
    importance=st.none() | st.floats(-2, 2),
)


@given(dense=scores, text=scores, weighed=weights, known=facts)
def test_scores_lie_from_0_to_1_best_first(
    dense: list[float], text: list[float], weighed: Weights, known: Facts
) -> None:
    documents = {number: str(number) for number in range(20)}
    hits = [
        [Hit(number, score) for number, score in enumerate(sorted(some, reverse=True))]
        for some in (dense, [abs(score) for score in text])
    ]
    legs = {
        name: marks_of(name, some, documents)
        for name, some in zip(("dense", "text"), hits, strict=True)
    }

    ranked = fuse(legs, dict.fromkeys(documents.values(), known), weights=weighed, recency=NOW)

    found = [one.score for one in ranked.values()]
    assert found == sorted(found, reverse=True)
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in found)
    assert set(ranked) == {key for marks in legs.values() for key in marks}


@given(known=facts, other=facts, weighed=weights)
def test_who_is_as_good_and_more_recent_and_important_is_not_behind(
    known: Facts, other: Facts, weighed: Weights
) -> None:
    better = Facts(
        max(known.moment, other.moment), max(known.importance or 0, other.importance or 0)
    )
    marks = marks_of("dense", [Hit(1, 0.5), Hit(2, 0.5)], {1: "a", 2: "b"})

    ranked = fuse({"dense": marks}, {"a": known, "b": better}, weights=weighed, recency=NOW)

    assert ranked["b"].score >= ranked["a"].score - 1e-12


@given(ages=st.lists(st.integers(0, 10_000), min_size=2, max_size=10))
def test_what_is_older_is_never_more_recent(ages: list[int]) -> None:
    recent = [NOW.of(MORNING - timedelta(hours=age)) for age in sorted(ages)]

    assert all(one >= other for one, other in pairwise(recent))
    assert NOW.of(MORNING + timedelta(days=5)) == 1.0
    assert NOW.of(MORNING - timedelta(days=60)) == pytest.approx(0.25)


def test_a_document_has_the_rank_of_its_best_piece() -> None:
    hits = [Hit(1, 0.9), Hit(2, 0.8), Hit(3, 0.7), Hit(4, 0.1)]

    marks = marks_of("dense", hits, {1: "a", 2: "a", 3: "b", 4: "c"})

    assert [(key, one.rank, one.chunk_id) for key, one in marks.items()] == [
        ("a", 1, 1),
        ("b", 2, 3),
        ("c", 3, 4),
    ]
    assert [one.share for one in marks.values()] == pytest.approx([1, 0.75, 0])


@given(relevance=st.lists(st.floats(0, 1), max_size=8), diversity=st.floats(0, 1))
def test_diverse_results_are_each_taken_once(relevance: list[float], diversity: float) -> None:
    chance = np.random.default_rng(1)
    vectors = chance.normal(size=(len(relevance), 4)).astype(np.float32)

    taken = diversified(relevance, vectors, diversity=diversity, limit=5)

    assert len(taken) == min(5, len(relevance))
    assert len(set(taken)) == len(taken)
    if not diversity:
        assert [relevance[one] for one in taken] == sorted(relevance, reverse=True)[:5]


@given(shares=st.lists(st.floats(0, 1), min_size=2, max_size=10))
def test_the_more_words_of_a_query_are_found_the_more_words_count(shares: list[float]) -> None:
    usual = Weights(recency=0.2, importance=0.1)

    found = [by_words_found(usual, share) for share in sorted(shares)]

    assert all(one.text <= other.text for one, other in pairwise(found))
    assert all(0.2 <= one.text <= 0.7 and one.total == pytest.approx(1.3) for one in found)


@pytest.mark.parametrize(
    ("query", "text", "share"),
    [
        ("Ann Bell", "It was BELL, who saw Ann.", 1.0),
        ("Ann Bell rows", "ann", 1 / 3),
        ("ERR-1042", "err 1042 again", 1.0),
        ("bell bell", "bells", 0.0),
        ("\u6771\u4eac", "\u5f7c\u306f\u6771\u4eac\u306b\u3044\u308b", 1.0),
        ("?!", "?!", 0.0),
    ],
)
def test_words_are_shared_whatever_their_case(query: str, text: str, share: float) -> None:
    assert share_of(query, text) == pytest.approx(share)
