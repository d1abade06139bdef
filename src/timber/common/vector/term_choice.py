"""By which terms of a query texts are ranked, where very many texts have some of them; pure."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final

_FREQUENT: Final = 0.05
"""What more texts have than this share tells them apart no more."""
_ENTRIES_PER_PIECE: Final = 50
"""To look at a piece takes as long as to read so many entries of the index."""


def telling(terms: Sequence[str], frequencies: Mapping[str, float], *, most: float) -> list[str]:
    """Return the rarest terms, rarest first: as many as together are in that share of all pieces.

    One at least; all, where none is rare. What has no frequency is in hardly any piece.
    Each piece that has one of them is ranked, and what the rarest have ranks highest.
    """
    rarest = sorted(terms, key=lambda term: frequencies.get(term, 0.0))
    shares = [frequencies.get(term, 0.0) for term in rarest]
    if shares and shares[0] > _FREQUENT:
        return rarest  # none tells by itself, but together they may
    pairs = zip(rarest, accumulate(shares), strict=True)
    return [term for term, share in pairs if share <= most] or rarest[:1]


def is_looked_up_sooner(in_scope: float, *, having: float) -> bool:
    """Tell whether a scope of so many pieces is looked up sooner than that many are looked at."""
    return in_scope < _ENTRIES_PER_PIECE * having


def expected(terms: Sequence[str], frequencies: Mapping[str, float]) -> float:
    """Return in which share of all pieces the terms are at the most, as far as is known.

    What has no frequency is in fewer than whatever has one.
    """
    rare = min(frequencies.values(), default=0.0)
    return sum(frequencies.get(term, rare) for term in terms)
