"""A store that levels off holds; one that grows, loses, or has no end of room does not."""

from collections.abc import Callable

import pytest

from puppet_engine.measures.levelling import Month, levelling
from puppet_engine.measures.reading import hold

pytestmark = pytest.mark.unit

ROOM = 1_000


def months(
    *,
    memories: Callable[[int], int] = lambda number: min(ROOM, 250 * number),
    each: Callable[[int], int] = lambda _: 80,
    recall: Callable[[int], float] = lambda number: 0.9 + 0.02 * (number % 3),
    file: Callable[[int], int] = lambda number: 3_000_000 * min(number, 5),
) -> list[Month]:
    return [
        Month(
            number=number,
            memories=memories(number),
            text_bytes=memories(number) * each(number),
            file_bytes=file(number),
            asked=25,
            recall=recall(number),
        )
        for number in range(1, 13)
    ]


def failing(found: list[Month]) -> list[str]:
    return [one.of for one in levelling("ann", found, room=ROOM).readings if not one.holds]


def test_a_store_that_fills_its_room_and_goes_on_finding_holds() -> None:
    found = levelling("ann", months(), room=ROOM)

    assert hold(found.readings)
    assert len(found.months) == 12


def test_a_store_that_grows_and_grows_fails_the_measure() -> None:
    assert failing(months(memories=lambda number: 150 * number)) == [
        "memories at the most",
        "growth of memories in the second half of the life",
        "growth of bytes of memories in the second half of the life",
    ]


def test_memories_that_grow_longer_and_longer_fail_the_measure() -> None:
    assert failing(months(each=lambda number: 80 + 10 * number)) == [
        "growth of bytes of memories in the second half of the life"
    ]


def test_a_database_that_grows_beside_what_is_remembered_fails_the_measure() -> None:
    assert failing(months(file=lambda number: 7_700_000 + 620_000 * number)) == [
        "growth of bytes of the database in the second half of the life"
    ]


def test_a_month_in_which_little_is_found_fails_the_measure() -> None:
    assert failing(months(recall=lambda number: 0.5 if number == 9 else 0.95)) == [
        "recall@10 of what was told lately, in the worst month"
    ]


def test_a_store_that_finds_less_and_less_fails_the_measure() -> None:
    assert failing(months(recall=lambda number: 1.0 if number < 7 else 0.85)) == [
        "recall@10 of the second half of the life, less that of the first"
    ]


def test_of_no_months_nothing_is_said() -> None:
    assert len(failing([])) == 6
