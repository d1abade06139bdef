"""Whether a store levels off: what it holds, and how well it is found again, month by month."""

from collections.abc import Sequence
from typing import Final

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.reading import Reading

OVER: Final = 0.05
"""By how much a store may be over its room: room is made once a day, and a day brings some."""

MOST_GROWN: Final = 0.1
"""By how much what is kept may grow from the middle of the life to its end."""

LEAST_RECALLED: Final = 0.8
"""So much of what was told lately is found again, in every month."""

MOST_LOST: Final = 0.1
"""By how much less may be found in the second half of the life than in the first."""


class Month(Noun):
    """What a store held at the end of a month of thirty days."""

    number: int
    memories: int
    text_bytes: int
    """Of what is remembered."""
    file_bytes: int
    """Of the database with all else that is kept: posts, decisions, moods."""
    asked: int
    """About so much that was told lately."""
    recall: float
    """The share of it that came to mind among the first ten."""


class Levelling(Noun):
    """How a store grew, and what was found in it."""

    readings: list[Reading]
    months: list[Month]


def levelling(whose: str, months: Sequence[Month], *, room: int) -> Levelling:
    """Hold the months of a life to the room for memories, and to level lines."""
    halves = (*months[len(months) // 2 - 1 : len(months) // 2], *months[-1:])
    readings = [
        _at_most("memories at the most", whose, [one.memories for one in months], room),
        _grown("memories", whose, [one.memories for one in halves]),
        _grown("bytes of memories", whose, [one.text_bytes for one in halves]),
        _grown("bytes of the database", whose, [one.file_bytes for one in halves]),
        *_recalled(whose, months),
    ]
    return Levelling(readings=readings, months=list(months))


def _at_most(of: str, whose: str, found: Sequence[int], room: int) -> Reading:
    return Reading(
        of=of,
        whose=whose,
        value=max(found, default=0),
        line=f"{room:,}, and {OVER:.0%} until room is made",
        holds=bool(found) and max(found) <= (1 + OVER) * room,
        count=len(found),
    )


def _grown(what: str, whose: str, found: Sequence[int]) -> Reading:
    grown = found[-1] / found[0] - 1 if len(found) > 1 and found[0] else 0.0
    return Reading(
        of=f"growth of {what} in the second half of the life",
        whose=whose,
        value=grown,
        line=f"{MOST_GROWN:.0%} at the most",
        holds=len(found) > 1 and grown <= MOST_GROWN,
        count=len(found),
        unit="share",
    )


def _recalled(whose: str, months: Sequence[Month]) -> list[Reading]:
    asked = [one for one in months if one.asked]
    half = len(asked) // 2
    first, second = _mean(asked[:half]), _mean(asked[half:])
    return [
        Reading(
            of="recall@10 of what was told lately, in the worst month",
            whose=whose,
            value=min((one.recall for one in asked), default=0.0),
            line=f"at least {LEAST_RECALLED:.0%}",
            holds=bool(asked) and min(one.recall for one in asked) >= LEAST_RECALLED,
            count=sum(one.asked for one in asked),
            unit="share",
        ),
        Reading(
            of="recall@10 of the second half of the life, less that of the first",
            whose=whose,
            value=second - first,
            line=f"at least -{MOST_LOST:.0%}",
            holds=half > 0 and second - first >= -MOST_LOST,
            count=len(asked),
            unit="share",
        ),
    ]


def _mean(months: Sequence[Month]) -> float:
    return sum(one.recall for one in months) / len(months) if months else 0.0
