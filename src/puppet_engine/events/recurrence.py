"""When something happens again: pure functions of a rule and a moment.

Daylight saving time. `every` counts elapsed time and knows none.
Times that a clock on the wall skips: `cron` comes right after the gap,
`rrule` by so much later as the gap is long (RFC 5545, section 3.3.5).
Times that the clock shows twice come once, the first time;
a `cron` of every hour or oftener (`*`) goes on through both.
"""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from dateutil.rrule import rrule, rrulestr

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.schedules import Recurrence

_PERIODS: Final = {
    "HOURLY": timedelta(days=1),  # as a rule of every n hours is the same n days later
    "DAILY": timedelta(days=1),
    "WEEKLY": timedelta(days=7),
}


def next_moment(recurrence: Recurrence, *, after: datetime, origin: datetime) -> datetime | None:
    """Return the first moment of a rule after a moment, in UTC; None when there is none.

    `origin` is when the schedule was made; the rule counts from its `starts_at` or from there.

    Raises:
        ConfigurationError: the rule cannot be read.

    """
    starts_at = recurrence.starts_at or origin
    # The start itself may be an occurrence: the search begins right before it.
    after = max(after, starts_at - timedelta(microseconds=1))
    found = _rule_of(recurrence)(recurrence, after, starts_at)
    if found is None or (recurrence.ends_at is not None and found > recurrence.ends_at):
        return None
    return found


def delayed(recurrence: Recurrence, moment: datetime, *, seed: str) -> datetime:
    """Return when the occurrence of a moment is due: late by chance, the same for one seed."""
    if not recurrence.jitter:
        return moment
    chance = random.Random(f"{seed}:{moment.isoformat()}")  # noqa: S311 - no secret
    return moment + recurrence.jitter * chance.random()


Rule = Callable[[Recurrence, datetime, datetime], datetime | None]


def _rule_of(recurrence: Recurrence) -> Rule:
    if recurrence.every is not None:
        return _every
    return _cron if recurrence.cron is not None else _rrule


def _every(recurrence: Recurrence, after: datetime, starts_at: datetime) -> datetime | None:
    span = recurrence.every or timedelta(0)
    steps = (after - starts_at) // span + 1
    # Without a start of its own, the first time is one span from now, not now.
    first = 0 if recurrence.starts_at is not None else 1
    return (starts_at + span * max(steps, first)).astimezone(UTC)


def _cron(recurrence: Recurrence, after: datetime, _starts_at: datetime) -> datetime | None:
    local = after.astimezone(ZoneInfo(recurrence.timezone))
    try:
        found = next(CronSim(recurrence.cron or "", local), None)
    except CronSimError as error:
        raise ConfigurationError(
            f"cron {recurrence.cron!r} cannot be read ({error}): give five fields, "
            "minute hour day month weekday, such as '30 9 * * 1-5'"
        ) from error
    return None if found is None else found.astimezone(UTC)


def _rrule(recurrence: Recurrence, after: datetime, starts_at: datetime) -> datetime | None:
    zone = ZoneInfo(recurrence.timezone)
    text = (recurrence.rrule or "").strip().upper().removeprefix("RRULE:")
    parts = dict(part.partition("=")[::2] for part in text.split(";"))
    if parts.get("FREQ") in {"MINUTELY", "SECONDLY"}:
        raise _unreadable(text, "such a rule is `every` or `cron`")
    if not parts.get("INTERVAL", "1").lstrip("0").isdecimal():
        raise _unreadable(text, "INTERVAL is no number above 0")
    begin = starts_at.astimezone(zone).replace(microsecond=0)
    wanted = after.astimezone(zone)
    try:
        rule = rrulestr(text, dtstart=begin + _skippable(parts, wanted - begin))
    except (ValueError, TypeError, AttributeError) as error:
        raise _unreadable(text, str(error)) from error
    if not isinstance(rule, rrule):
        raise _unreadable(text, "it is more than one rule")
    found = rule.after(wanted)
    return None if found is None else _as_utc(found)


def _skippable(parts: Mapping[str, str], span: timedelta) -> timedelta:
    """Return how far the start can be moved without changing what comes after a span.

    The search looks at every occurrence from the start on, which may be years ago.
    """
    period = _PERIODS.get(parts.get("FREQ", ""))
    if period is None or "COUNT" in parts:
        return timedelta(0)
    period *= int(parts.get("INTERVAL", "1"))
    return period * max(span // period - 1, 0)


def _as_utc(wall: datetime) -> datetime:
    # `fold` 0: the first of two; in a gap, as the clock showed before it.
    return wall.replace(fold=0).astimezone(UTC)


def _unreadable(text: str, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"rrule {text!r} cannot be read ({problem}): give one rule of RFC 5545, "
        "such as 'FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9;BYMINUTE=30;BYSECOND=0'"
    )
