"""When an agent does things of its own accord: pure functions of persona, moment and chance."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from puppet_engine.core.models import Behavior, PostFrequency, TradingFrequency

DRAWS_FOR_A_PEAK_HOUR: Final = 3
"""How often the time of a post is drawn anew to fall into a peak hour: a leaning, not a rule."""

FIRST_POST_MINUTES: Final = (1.0, 12.0)
"""A new agent introduces itself soon."""


def next_post_at(behavior: Behavior, *, now: datetime, chance: random.Random) -> datetime:
    """Return when the next post is due: within the persona's range, leaning to its peak hours."""
    due = now
    for _ in range(DRAWS_FOR_A_PEAK_HOUR):
        due = now + _draw_post(behavior.post_frequency, chance)
        if _is_peak(due, behavior.peak_hours, behavior.timezone):
            break
    return due


def first_post_at(*, now: datetime, chance: random.Random) -> datetime:
    """Return when a new agent says its first word."""
    return now + timedelta(minutes=chance.uniform(*FIRST_POST_MINUTES))


def next_trade_at(
    frequency: TradingFrequency, *, now: datetime, chance: random.Random
) -> datetime:
    """Return when the next trade is due."""
    hours = chance.uniform(frequency.min_hours_between_trades, frequency.max_hours_between_trades)
    return now + timedelta(hours=hours)


def _draw_post(frequency: PostFrequency, chance: random.Random) -> timedelta:
    hours = chance.uniform(frequency.min_hours_between_posts, frequency.max_hours_between_posts)
    return timedelta(hours=hours)


def _is_peak(moment: datetime, peak_hours: Sequence[int], timezone: str) -> bool:
    return not peak_hours or moment.astimezone(ZoneInfo(timezone)).hour in peak_hours
