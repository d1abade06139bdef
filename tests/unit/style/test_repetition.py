import random
from itertools import pairwise

from hypothesis import given, strategies as st

from puppet_engine.style.repetition import (
    NEAR,
    OPENINGS_KEPT,
    RepetitionGuard,
    marks_of,
    near_likeness,
)
from puppet_engine.style.scorer import novelty, score

LONG = "The fog came in at noon and asked for the keys to the lamp room again"


def rules(text: str, *own: str, cast: tuple[str, ...] = ()) -> list[str]:
    return [found.rule for found in RepetitionGuard().check(text, own=own, cast=cast)]


def test_the_same_and_nearly_the_same_is_not_said_again() -> None:
    assert rules(LONG, "Fog.", LONG) == ["repetition.own"]
    assert rules(f"@bob {LONG.upper()}!", LONG) == ["repetition.own"]
    assert rules(LONG.replace("again", "agains"), LONG) == ["repetition.own"]


def test_what_another_of_the_cast_said_is_not_said_again() -> None:
    assert rules(LONG, cast=(LONG,)) == ["repetition.cast"]


def test_a_text_half_of_which_was_said_before_is_noticed() -> None:
    again = "Yesterday fog came in at noon and asked for the keys to my heart"

    assert rules(again, LONG) == ["repetition.spans"]


def test_an_opening_rests_for_a_while() -> None:
    text, others = (
        "The fog came back with a friend",
        [f"word{n} other things happened" for n in range(40)],
    )

    assert rules(text, *others[: OPENINGS_KEPT - 1], LONG) == ["repetition.opening"]
    assert rules(text, *others[:OPENINGS_KEPT], LONG) == []


def test_what_is_new_passes() -> None:
    assert rules("A gull has read the contract and wants to talk", LONG, cast=(LONG,)) == []


def test_meaning_is_compared_by_whoever_can() -> None:
    guard = RepetitionGuard(lambda _one, _other: 0.9)

    found = list(guard.check("Today at noon mist arrived", own=["The fog came at noon today"]))

    assert [each.rule for each in found] == ["repetition.own"]
    assert rules("Today at noon mist arrived", "The fog came at noon today") == []


def test_what_shares_hardly_a_word_is_not_asked_for_its_meaning() -> None:
    asked: list[str] = []

    def likeness(one: str, other: str) -> float:
        asked.append(other)
        return 0.0

    guard = RepetitionGuard(likeness)
    list(
        guard.check("@mira the fog came at noon", own=["Two goats sing", "@tom at noon, the fog"])
    )

    assert [one.strip() for one in asked] == ["at noon, the fog"]


@given(st.text(max_size=60), st.text(max_size=60))
def test_likeness_is_symmetric_bounded_and_whole_for_the_same(one: str, other: str) -> None:
    assert near_likeness(one, one) == 1
    assert 0 <= near_likeness(one, other) <= 1
    assert near_likeness(one, other) == near_likeness(other, one)


def test_the_best_text_is_clean_new_and_safe() -> None:
    new, old = "A gull has read the contract", "The fog came in at noon"
    repeated = list(RepetitionGuard().check(old, own=[old]))

    fresh, stale = score(new, [], own=[old]), score(old, repeated, own=[old])

    assert fresh.total == 1
    assert stale.total < fresh.total
    assert novelty(old, [old]) == 0
    assert novelty(new, []) == 1


def test_near_duplicates_share_a_mark_and_hardly_any_other_texts_do() -> None:
    chance = random.Random(17)
    stock = ["".join(chance.choices("abcdefgh", k=chance.randint(3, 8))) for _ in range(300)]
    texts = [" ".join(chance.choices(stock, k=25)) for _ in range(200)]
    edited = [f"{text[:-3]}xy" for text in texts]

    found = [
        set(marks_of(one)) & set(marks_of(other)) for one, other in zip(texts, edited, strict=True)
    ]
    others = [set(marks_of(one)) & set(marks_of(other)) for one, other in pairwise(texts)]

    assert min(map(near_likeness, texts, edited)) >= NEAR
    assert all(found)
    assert sum(map(bool, others)) < 5


def test_marks_are_the_same_in_every_process_and_fit_into_a_database() -> None:
    assert marks_of("Fog. @bob") == marks_of("@ann fog!")
    assert marks_of("The fog asked for the keys.")[0] == -1313667647367004131
    assert all(-(2**63) <= mark < 2**63 for mark in marks_of(LONG))
