"""When an agent does things of its own accord: distributions, pure, of persona and moment.

Each can be drawn from (`sample`), and asked how likely it is that something comes by a moment
(`cdf`), so that what has happened can be held against what it was drawn from.
"""

import random
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate, pairwise
from math import exp, log, log2
from statistics import NormalDist
from typing import Final
from zoneinfo import ZoneInfo

from puppet_engine.core.models import Behavior, TradingFrequency
from puppet_engine.core.personas import ResponseTimes

PEAK: Final = 4.0
"""How much likelier a moment in a peak hour is than the same moment would be in another."""

FIRST_POST_MINUTES: Final = (1.0, 12.0)
"""A new agent introduces itself soon."""

STEEPNESS: Final = 2.0
"""By how much a mood that halves the pace turns the power law."""

DRAWN_AT, FACTOR = "drawn_at", "factor"
"""The keys under which the event of a post says what its moment was drawn from."""

SHORTEST_ANSWER: Final = 1 / 60
"""Of the longest answer's time, when a persona may answer at once: a logarithm needs some."""

SPREAD: Final = 2.0
"""How many standard deviations lie between the median of answers' times and their ends."""


@dataclass(frozen=True, kw_only=True)
class PostTimes:
    """When the next post comes: a distribution of the persona, the moment and the mood's pace.

    The wait follows a power law, cut off at the persona's shortest and longest: as human delays
    between posts do (C. M. Tavares and A. Faisal, "Scaling-Laws of Human Broadcast Communication
    Enable Distinction between Human, Corporate and Robot Twitter Users", PLoS ONE 8, 2013), so
    that short waits come in bursts. At a `factor` of 1 each doubling of the wait is as likely;
    a hasty mood, below 1, leans to the short end, a slow one to the long. In the peak hours of
    the persona's own time zone every moment counts `PEAK` times.
    """

    behavior: Behavior
    now: datetime
    factor: float = 1.0

    def sample(self, chance: random.Random) -> datetime:
        """Return a moment drawn from the distribution."""
        share = chance.random()
        starts, masses = self._pieces
        if not masses:  # the shortest wait is the longest, too
            return self.now + timedelta(hours=self._low)
        wanted = share * masses[-1]
        place = min(bisect_left(masses, wanted), len(masses) - 1)
        before = masses[place - 1] if place else 0.0
        inside = (wanted - before) / (masses[place] - before)
        hours = self._inverse(starts[place], starts[place + 1], inside)
        return self.now + timedelta(hours=min(max(hours, self._low), self._high))

    def cdf(self, moment: datetime) -> float:
        """Return how likely it is that the post comes by a moment, from 0 to 1."""
        waited = (moment - self.now) / timedelta(hours=1)
        if waited < self._low:
            return 0.0
        if waited >= self._high:
            return 1.0
        starts, masses = self._pieces
        place = min(max(bisect_left(starts, waited) - 1, 0), len(masses) - 1)
        before = masses[place - 1] if place else 0.0
        whole = self._law(starts[place], starts[place + 1])
        inside = self._law(starts[place], waited) / whole if whole else 0.0
        return (before + inside * (masses[place] - before)) / masses[-1]

    def by_hour(self) -> dict[int, float]:
        """Return how likely each hour of the persona's local week is, from midnight on Monday."""
        starts, masses = self._pieces
        found: dict[int, float] = {}
        before = 0.0
        for (start, end), mass in zip(pairwise(starts), masses, strict=True):
            # Within one hour of the local clock, so its middle tells which.
            hour = self.hour_of_week(self.now + timedelta(hours=(start + end) / 2))
            found[hour] = found.get(hour, 0.0) + (mass - before) / masses[-1]
            before = mass
        return found or {self.hour_of_week(self.now + timedelta(hours=self._low)): 1.0}

    def hour_of_week(self, moment: datetime) -> int:
        """Return in which hour of the persona's local week a moment lies, 0 to 167."""
        local = moment.astimezone(ZoneInfo(self.behavior.timezone))
        return local.weekday() * 24 + local.hour

    @property
    def _low(self) -> float:
        return self.behavior.post_frequency.min_hours_between_posts

    @property
    def _high(self) -> float:
        return self.behavior.post_frequency.max_hours_between_posts

    @property
    def _lean(self) -> float:
        """The exponent of the integral of the power law; 0 is that of the logarithm."""
        return STEEPNESS * log2(self.factor)

    def _law(self, start: float, end: float) -> float:
        """Return how much of the power law lies between two waits, in hours."""
        if abs(self._lean) < 1e-9:  # noqa: PLR2004 - there the quotient is the logarithm
            return log(end / start)
        return float((end**self._lean - start**self._lean) / self._lean)

    def _inverse(self, start: float, end: float, share: float) -> float:
        """Return the wait by which a share of what lies between two waits has come."""
        if abs(self._lean) < 1e-9:  # noqa: PLR2004
            return float(start * (end / start) ** share)
        low, high = start**self._lean, end**self._lean
        return float((low + share * (high - low)) ** (1 / self._lean))

    @cached_property
    def _pieces(self) -> tuple[list[float], list[float]]:
        """The hours of the local clock, as waits, and how much has come by the end of each."""
        ends = list(self._hours())
        starts = [self._low, *(end for end, _ in ends)]
        weights = (
            self._law(start, end) * (PEAK if is_peak else 1.0)
            for start, (end, is_peak) in zip(starts, ends, strict=False)
        )
        return starts, list(accumulate(weights))

    def _hours(self) -> Iterator[tuple[float, bool]]:
        """Yield the wait at which each hour of the local clock ends, and whether it is a peak."""
        zone, peaks = ZoneInfo(self.behavior.timezone), frozenset(self.behavior.peak_hours)
        waited = self._low
        while waited < self._high:
            local = (self.now + timedelta(hours=waited)).astimezone(zone)
            passed = timedelta(
                minutes=local.minute, seconds=local.second, microseconds=local.microsecond
            )
            # A microsecond at the least, or rounding could hold the clock at the same hour.
            left = max(timedelta(hours=1) - passed, timedelta(microseconds=1))
            waited = min(waited + left / timedelta(hours=1), self._high)
            yield waited, local.hour in peaks


@dataclass(frozen=True, kw_only=True)
class AnswerTimes:
    """How long somebody takes to answer: log-normal, within the persona's range.

    The median lies in the geometric middle, and the ends are cut off at `SPREAD` standard
    deviations. Answering times of people are about log-normal: D. B. Stouffer, R. D. Malmgren and
    L. A. N. Amaral, "Log-normal statistics in e-mail communication patterns" (2006).
    """

    times: ResponseTimes

    def sample(self, chance: random.Random) -> timedelta:
        """Return a time drawn from the distribution; nothing of chance is used for none."""
        low, high = self._ends
        if low == high:
            return timedelta(minutes=low)
        normal = NormalDist()
        first, last = normal.cdf(-SPREAD), normal.cdf(SPREAD)
        z = normal.inv_cdf(first + chance.random() * (last - first))
        middle, half = (log(low) + log(high)) / 2, (log(high) - log(low)) / 2
        minutes = exp(middle + z / SPREAD * half)
        return timedelta(minutes=min(max(minutes, low), high))

    def cdf(self, taken: timedelta) -> float:
        """Return how likely it is that an answer takes so long at the most, from 0 to 1."""
        low, high = self._ends
        minutes = taken / timedelta(minutes=1)
        if minutes < low:
            return 0.0
        if minutes >= high:
            return 1.0
        normal = NormalDist()
        first, last = normal.cdf(-SPREAD), normal.cdf(SPREAD)
        middle, half = (log(low) + log(high)) / 2, (log(high) - log(low)) / 2
        z = (log(minutes) - middle) / half * SPREAD
        return (normal.cdf(z) - first) / (last - first)

    @property
    def _ends(self) -> tuple[float, float]:
        """The shortest and the longest time, in minutes."""
        high = self.times.max_minutes
        return max(self.times.min_minutes, high * SHORTEST_ANSWER), high


def first_post_at(*, now: datetime, chance: random.Random) -> datetime:
    """Return when a new agent says its first word."""
    return now + timedelta(minutes=chance.uniform(*FIRST_POST_MINUTES))


def next_trade_at(
    frequency: TradingFrequency, *, now: datetime, chance: random.Random
) -> datetime:
    """Return when the next trade is due."""
    hours = chance.uniform(frequency.min_hours_between_trades, frequency.max_hours_between_trades)
    return now + timedelta(hours=hours)
