"""What a population felt, hour by hour, and how its members stand with each other."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from statistics import fmean, quantiles

from puppet_engine.agents.mood import at_rest, faded
from puppet_engine.core.models import Noun
from puppet_engine.core.moods import MoodState
from puppet_engine.core.personas import EmotionalRange
from puppet_engine.simulation.scenario import FIRST_MOMENT
from puppet_engine.storage.census import MoodFact

HOUR = timedelta(hours=1)


class MoodHour(Noun):
    """What was felt at the end of one hour, by all; valence and arousal go from -1 to 1."""

    valence: float
    low: float
    """The valence that one in ten is below."""
    high: float
    """The valence that one in ten is above."""
    arousal: float


class Standing(Noun):
    """How one stands with another in the end."""

    who: str
    whom: str
    familiarity: float
    affinity: float
    trust: float


def moods_by_hour(
    moments: Sequence[MoodFact], ranges: Mapping[str, EmotionalRange], *, until: datetime
) -> list[MoodHour]:
    """Return what was felt at the end of each hour of a life, by those whose range is given.

    `moments` are ordered by agent, and those of one agent as they came.
    """
    hours = ceil((until - FIRST_MOMENT) / HOUR)
    felt: list[list[MoodState]] = [[] for _ in range(hours)]
    moved = {agent: list(group) for agent, group in groupby(moments, lambda one: one.agent_id)}
    for agent_id, range_ in ranges.items():
        own = moved.get(agent_id, [])
        starts = [one.after.as_of for one in own]
        for hour in range(hours):
            end = FIRST_MOMENT + (hour + 1) * HOUR
            place = bisect_right(starts, end)
            last = own[place - 1].after if place else at_rest(range_, FIRST_MOMENT)
            felt[hour].append(faded(last, range_, end))
    return [_together(moods) for moods in felt if moods]


def _together(moods: Sequence[MoodState]) -> MoodHour:
    valences = [mood.valence for mood in moods]
    tenths = quantiles(valences, n=10, method="inclusive") if len(valences) > 1 else valences
    return MoodHour(
        valence=round(fmean(valences), 4),
        low=round(tenths[0], 4),
        high=round(tenths[-1], 4),
        arousal=round(fmean(mood.arousal for mood in moods), 4),
    )
