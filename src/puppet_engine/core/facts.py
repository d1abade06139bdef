"""What is known of people, and since when: facts in two times, and what becomes of them.

Valid time is when something was so, known time when the agent knew of it (Snodgrass, "Developing
Time-Oriented Database Applications in SQL", 1999). Nothing is overwritten: what was believed at a
moment can be told for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

SOONEST_CHANGE: Final = timedelta(days=1)
"""Who says two things of one moment, so far apart at the most, contradicts themselves."""

MOST_EVIDENCE: Final = 20
"""How many memories are the evidence of a fact at the most, however often it is said."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What somebody has said of a subject: an attribute of it has a value from a moment on."""

    subject: str
    """A name, as names are compared."""
    attribute: str
    value: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Fact:
    """An attribute of a subject has a value, in a span of time, as known in another."""

    subject: str
    attribute: str
    value: str
    valid_from: datetime
    valid_to: datetime | None = None
    """None: it is so still."""
    known_from: datetime
    known_to: datetime | None = None
    """None: it is known still."""
    evidence: tuple[str, ...] = ()
    """The ids of the memories that say so."""
    id: str = ""
    """Empty before it is stored."""

    def holds(self, as_of: datetime, *, known_at: datetime) -> bool:
        """Tell whether it was so at a moment, as far as was known at another."""
        is_valid = self.valid_from <= as_of and (self.valid_to is None or as_of < self.valid_to)
        is_known = self.known_from <= known_at and (
            self.known_to is None or known_at < self.known_to
        )
        return is_valid and is_known


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What a claim changes."""

    ended: tuple[Fact, ...] = ()
    """Facts that are known to be so no more, from now on; each has its `known_to`."""
    begun: tuple[Fact, ...] = ()
    """Facts that are known from now on."""
    superseded: tuple[str, ...] = ()
    """The memories that say what is past, by their ids."""
    contradicted: tuple[str, ...] = ()
    """The memories that say otherwise of nearly the same moment: nothing changes so fast."""
    confirmed: Fact | None = None
    """The fact that the claim only repeats, with its evidence."""


def revised(known: Iterable[Fact], claim: Claim, *, evidence: str, now: datetime) -> Revision:
    """Return what a claim changes of what is known now of its subject and attribute.

    It holds from its moment up to that of the next claim that is known: one that is heard late
    changes nothing of what has become since.
    """
    current = sorted(
        (fact for fact in known if fact.known_to is None), key=lambda fact: fact.valid_from
    )
    standing = next((fact for fact in reversed(current) if fact.valid_from <= claim.at), None)
    if standing is not None and _same(standing.value, claim.value):
        told = tuple(dict.fromkeys((*standing.evidence, evidence)))
        # The first tells since when, the last that it is so still; what is between adds nothing.
        kept = told if len(told) <= MOST_EVIDENCE else (told[0], *told[1 - MOST_EVIDENCE :])
        return Revision(confirmed=replace(standing, evidence=kept))
    later = next((fact for fact in current if fact.valid_from > claim.at), None)
    new = Fact(
        subject=claim.subject,
        attribute=claim.attribute,
        value=claim.value,
        valid_from=claim.at,
        valid_to=None if later is None else later.valid_from,
        known_from=now,
        evidence=(evidence,),
    )
    if standing is None:
        return Revision(begun=(new,))
    return _after(standing, new, now)


def _after(standing: Fact, new: Fact, now: datetime) -> Revision:
    """Return how a fact ends where another begins."""
    ended = replace(standing, known_to=now)
    shortened = replace(standing, valid_to=new.valid_from, known_from=now, id="")
    # Of two claims of one moment the later one is right: nothing is left of the other.
    before = (shortened,) if standing.valid_from < new.valid_from else ()
    if new.valid_from - standing.valid_from < SOONEST_CHANGE:
        return Revision(ended=(ended,), begun=(*before, new), contradicted=standing.evidence)
    return Revision(ended=(ended,), begun=(*before, new), superseded=standing.evidence)


def known(facts: Sequence[Fact], *, as_of: datetime, known_at: datetime) -> list[Fact]:
    """Return the facts that were so at a moment, as far as was known at another."""
    return [fact for fact in facts if fact.holds(as_of, known_at=known_at)]


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
