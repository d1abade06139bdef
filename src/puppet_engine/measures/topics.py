"""Whether somebody speaks of all that interests them, or has worn down to a few topics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log
from typing import Final

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.reading import Reading

LEAST_EVEN: Final = 0.8
"""So even the interests have to be, of 1 when each is spoken of as often."""


class Topics(Noun):
    """What was spoken of."""

    readings: list[Reading]
    counts: dict[str, dict[str, int]]
    """How often each interest was, by handle."""


def topics(
    interests: Mapping[str, Sequence[str]], spoken_of: Mapping[str, Sequence[str]]
) -> Topics:
    """Hold what each handle posted about to its interests; other topics do not count."""
    readings: list[Reading] = []
    found: dict[str, dict[str, int]] = {}
    for handle, wanted in interests.items():
        counts = Counter(spoken_of.get(handle, ()))
        found[handle] = {interest: counts[interest] for interest in wanted}
        readings += _readings(handle, list(found[handle].values()))
    return Topics(readings=readings, counts=found)


def _readings(handle: str, counts: Sequence[int]) -> list[Reading]:
    total, some = sum(counts), sum(map(bool, counts))
    entropy = -sum(count / total * log(count / total) for count in counts if count)
    even = entropy / log(len(counts)) if len(counts) > 1 else 1.0
    return [
        Reading(
            of="interests that were spoken of",
            whose=handle,
            value=some / max(1, len(counts)),
            line="100 %",
            holds=bool(counts) and some == len(counts),
            count=total,
            unit="share",
        ),
        Reading(
            of="evenness of the interests",
            whose=handle,
            value=even if total else 0.0,
            line=f"at least {LEAST_EVEN:g}",
            holds=total > 0 and even >= LEAST_EVEN,
            count=total,
        ),
    ]
