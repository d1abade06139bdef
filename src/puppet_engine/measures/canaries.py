"""Whether personas are still who they were: facts about themselves, asked for again later.

Each persona is given canaries: facts about itself that stand nowhere else. Much later it is asked
for them in other words, after others have told the like of themselves. What comes to its mind, and
what it then says, must not contradict a canary; what others said is theirs, and no contradiction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.reading import CAST, Reading, told
from puppet_engine.style.anatomy import words

LEAST_KNOWN: Final = 0.8
"""So many of the questions bring the canary to mind."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question for a canary, and what came of it."""

    handle: str
    days: float
    """How long ago the persona was given it."""
    question: str
    value: str
    """What is true of the persona."""
    others: tuple[str, ...]
    """What is true of others, in its place."""
    mind: tuple[str, ...]
    """What came to the persona's mind that is of itself."""
    said: str
    """Its answer."""


class Canaries(Noun):
    """How consistent personas are about themselves."""

    readings: list[Reading]
    contradictions: list[str]
    """What was said or remembered against a canary, the first few."""


def canaries(asked: Sequence[Asked]) -> Canaries:
    """Hold what personas remember and say of themselves to what they were given."""
    against = [(one, text) for one in asked for text in contradictions(one)]
    handles = sorted({one.handle for one in asked})
    readings = [
        Reading(
            of="contradictions of facts about oneself",
            whose=CAST,
            value=len({id(one) for one, _ in against}),
            line="0",
            holds=bool(asked) and not against,
            count=len(asked),
        ),
        *(_known(handle, [one for one in asked if one.handle == handle]) for handle in handles),
        *_over_time(asked),
        told(
            "answers that say it",
            _share([_says(one.said, one.value) for one in asked]),
            count=len(asked),
            unit="share",
        ),
    ]
    shown = [f"@{one.handle}, asked “{one.question}”: {text}" for one, text in against[:5]]
    return Canaries(readings=readings, contradictions=shown)


def contradictions(one: Asked) -> Iterator[str]:
    """Yield what the persona remembers of itself, or says, that is true of others instead."""
    for text in (*one.mind, one.said):
        if any(_says(text, other) for other in one.others):
            yield text


def _known(handle: str, asked: Sequence[Asked]) -> Reading:
    share = _share([any(_says(text, one.value) for text in one.mind) for one in asked])
    return Reading(
        of="questions that bring the fact to mind",
        whose=handle,
        value=share,
        line=f"at least {LEAST_KNOWN:.0%}",
        holds=share >= LEAST_KNOWN,
        count=len(asked),
        unit="share",
    )


def _over_time(asked: Sequence[Asked]) -> Iterator[Reading]:
    for days in sorted({one.days for one in asked}):
        then = [one for one in asked if one.days == days]
        known = _share([any(_says(text, one.value) for text in one.mind) for one in then])
        yield told(f"the same after {days:g} days", known, count=len(then), unit="share")


def _says(text: str, value: str) -> bool:
    return value.casefold() in {word.casefold() for word in words(text)}


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 0.0
