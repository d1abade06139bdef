"""Whether texts keep to their personas' style guides: hard rules always, rates within chance."""

from collections.abc import Mapping, Sequence
from typing import Final

from puppet_engine.core.nouns import Noun
from puppet_engine.core.personas import AgentConfig
from puppet_engine.measures.reading import Reading
from puppet_engine.style.linter import StyleLinter
from puppet_engine.style.rates import Rate, interval

MOST_EXAMPLES: Final = 5


class Style(Noun):
    """How well style guides were kept."""

    readings: list[Reading]
    broken: list[str]
    """The first texts that break a hard rule, each with the rule."""


def style(cast: Sequence[tuple[str, AgentConfig]], texts: Mapping[str, Sequence[str]]) -> Style:
    """Hold the texts of each handle to the style guide of its persona.

    A hard rule is kept by every text. A rate is kept when the number of texts that do it lies in
    the middle 95 % of the binomial distribution with the rate asked for.
    """
    readings: list[Reading] = []
    broken: list[str] = []
    for handle, config in cast:
        linter, said = StyleLinter(config), texts.get(handle, ())
        faults = [found.line() for text in said for found in linter.hard(text)[:1]]
        broken += [f"@{handle}: {fault}" for fault in faults]
        readings.append(_hard(handle, len(said), len(faults)))
        readings += [_rate(handle, rate, said) for rate in linter.rates]
    return Style(readings=readings, broken=broken[:MOST_EXAMPLES])


def _hard(handle: str, count: int, faults: int) -> Reading:
    return Reading(
        of="texts that keep every hard rule",
        whose=handle,
        value=1 - faults / count if count else 0,
        line="100 %",
        holds=bool(count) and not faults,
        count=count,
        unit="share",
    )


def _rate(handle: str, rate: Rate, said: Sequence[str]) -> Reading:
    low, high = interval(len(said), rate.target)
    done = sum(map(rate.does, said))
    count = max(1, len(said))
    return Reading(
        of=f"rate of {rate.name.replace('_', ' ').replace('.', ', ')}",
        whose=handle,
        value=done / count,
        line=f"{low / count:.1%} to {high / count:.1%}, for {rate.target:.0%}",
        holds=bool(said) and low <= done <= high,
        count=len(said),
        unit="share",
    )
