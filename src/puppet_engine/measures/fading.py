"""By what half-life something faded, seen after it moved and before it moved again.

Of what was `then` away from where it rests, and is `now`, so many halvings have passed:
log2(then / now). The half-life is the slope of the time that passed over them, by least squares.
"""

from collections.abc import Iterable, Iterator
from math import log2
from typing import Final

OFF_BY: Final = 0.05
"""By how much a half-life may differ from what it should be."""

FEWEST: Final = 10
"""Of fewer spans nothing is said."""

_SMALLEST: Final = 1e-4
"""What is nearer to its rest tells of rounding only."""

Span = tuple[float, float]
"""How long something had time to fade, and how often it was halved."""


def spans(then: float, now: float, *, rest: float, passed: float) -> Iterator[Span]:
    """Yield the span between two looks, if it tells anything."""
    before, after = then - rest, now - rest
    if passed > 0 and abs(after) > _SMALLEST and before / after > 0:
        yield passed, log2(before / after)


def half_life_of(found: Iterable[Span]) -> float:
    """Return the half-life that fits best, in the unit of the spans; 0 when nothing fades."""
    listed = list(found)
    fading = sum(passed * halvings for passed, halvings in listed)
    return sum(passed**2 for passed, _ in listed) / fading if fading > 0 else 0.0
