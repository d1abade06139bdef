"""How relationships begin, change and fade: pure functions of persona, moment and event.

Familiarity grows with every exchange, affinity with what was said in it, and trust slowly,
by exchanges that did no harm; one that did costs more than many have brought.
All three fade, by half within a half-life each, to what the persona's file says of somebody,
which for a stranger is nothing. They never leave their bounds, whatever happens.
"""

from datetime import datetime, timedelta
from typing import Final

from puppet_engine.core.models import AgentConfig
from puppet_engine.core.relationships import REASONS, Reason, Relationship
from puppet_engine.style.sentiment import valence_of

FAMILIARITY_HALF_LIFE: Final = timedelta(days=30)
AFFINITY_HALF_LIFE: Final = timedelta(days=45)
TRUST_HALF_LIFE: Final = timedelta(days=90)

FAMILIAR_BY: Final = 0.08
"""Which share of what is unknown of somebody an exchange makes known."""

LIKED_BY: Final = 0.3
"""Which share of the way to love, or to dislike, the warmest or coldest words make."""

TRUSTED_BY: Final = 0.05
"""Which share of the way to full trust a harmless exchange makes."""

DISTRUSTED_BY: Final = 0.25
"""Which share of the way to full distrust a hostile one makes, at its worst."""

HOSTILE: Final = -0.4
"""From which valence on words do harm."""

KNOWN, LIKED, TRUSTED = 0.5, 0.2, 0.2
"""How a persona stands with those that its file names; what it says of them comes on top."""

SAID_COUNTS: Final = 0.6
"""How much what a persona's file says of somebody moves its affinity to them."""


def key_of(handle: str) -> str:
    """Return a handle as relationships are kept by it: networks know no capitals."""
    return handle.removeprefix("@").lower()


def at_rest(config: AgentConfig, handle: str, moment: datetime) -> Relationship:
    """Return how a persona stands with somebody of whom it has heard nothing for long."""
    key = key_of(handle)
    for friend in config.initial_memory.relationships:
        if key_of(friend.handle) == key:
            affinity = _bounded(LIKED + SAID_COUNTS * valence_of(friend.attitude))
            return Relationship(
                handle=key, familiarity=KNOWN, affinity=affinity, trust=TRUSTED, as_of=moment
            )
    return Relationship(handle=key, as_of=moment)


def faded(known: Relationship, rest: Relationship, moment: datetime) -> Relationship:
    """Return what a relationship has become by a moment, on its way to where it rests."""
    if moment <= known.as_of:
        return known
    span = moment - known.as_of

    def towards(value: float, end: float, half_life: timedelta) -> float:
        return _bounded(end + (value - end) * 0.5 ** (span / half_life))

    return known.model_copy(
        update={
            "familiarity": max(
                0.0, towards(known.familiarity, rest.familiarity, FAMILIARITY_HALF_LIFE)
            ),
            "affinity": towards(known.affinity, rest.affinity, AFFINITY_HALF_LIFE),
            "trust": towards(known.trust, rest.trust, TRUST_HALF_LIFE),
            "as_of": moment,
        }
    )


def after_hearing(known: Relationship, valence: float, *, what: str) -> Relationship:
    """Return a relationship after somebody said something of such a valence, from -1 to 1."""
    harm = max(0.0, (HOSTILE - valence) / (1 + HOSTILE))
    trust = -DISTRUSTED_BY * harm if harm else TRUSTED_BY
    return known.model_copy(
        update={
            "familiarity": _share(known.familiarity, FAMILIAR_BY),
            "affinity": _share(known.affinity, LIKED_BY * valence),
            "trust": _share(known.trust, trust),
            "reasons": (Reason(at=known.as_of, what=what), *known.reasons)[:REASONS],
        }
    )


def after_speaking(known: Relationship, *, what: str) -> Relationship:
    """Return a relationship after the agent itself said something to somebody."""
    return known.model_copy(
        update={
            "familiarity": _share(known.familiarity, FAMILIAR_BY / 2),
            "reasons": (Reason(at=known.as_of, what=what), *known.reasons)[:REASONS],
        }
    )


def closeness(known: Relationship) -> float:
    """Return how much one likes to speak to somebody, from 0 to 1."""
    return known.familiarity * (1 + known.affinity) / 2


def _share(value: float, step: float) -> float:
    """Go a share of the way that is left to one end, so that it is never passed."""
    return _bounded(value + step * (1 - value if step > 0 else 1 + value))


def _bounded(value: float) -> float:
    return max(-1.0, min(1.0, value))
