"""Cuts time into hours, days, weeks, months and years, in any timezone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from timber.common.errors import InvalidRequestError

Unit: TypeAlias = Literal["hour", "day", "week", "month", "year"]
"""How long a bucket is; a week begins on Monday."""

MOST_BUCKETS: Final = 10_000

_MONTHS: Final = {"month": 1, "year": 12}
_DAYS: Final = {"day": 1, "week": 7}


def zone_of(name: str) -> ZoneInfo:
    """Return the timezone of that name, as `Europe/Berlin`.

    Raises:
        InvalidRequestError: there is none.

    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
        raise InvalidRequestError(
            f"timezone: no {name!r}; give a name such as 'UTC' or 'Europe/Berlin', "
            "and install `tzdata` where the system has no timezones"
        ) from error


def edges(since: datetime, until: datetime, unit: Unit, zone: ZoneInfo) -> Sequence[datetime]:
    """Return where the buckets begin that `since` (included) to `until` (excluded) falls into.

    The last edge is where the last bucket ends; all are moments in UTC. A day is from midnight
    to midnight by the clocks of the zone, so it may have 23 or 25 hours. An hour is 3,600 s.

    Raises:
        InvalidRequestError: there would be more than 10,000, or no such unit.

    """
    if unit not in get_args(Unit):
        raise InvalidRequestError(f"bucket: no {unit!r}, but {', '.join(get_args(Unit))}")
    found = [_floor(since, unit, zone)]
    while found[-1] < until:
        if len(found) > MOST_BUCKETS:
            raise InvalidRequestError(
                f"bucket: more than {MOST_BUCKETS:,} in that time; choose a longer unit"
            )
        found.append(_next(found[-1], unit, zone))
    return found


def _floor(moment: datetime, unit: Unit, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone)
    if unit == "hour":
        # Counted back in real time: where clocks go back, an hour comes twice.
        past = timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        return moment.astimezone(UTC) - past
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0, tzinfo=None)
    if unit == "week":
        day -= timedelta(days=day.weekday())
    elif unit != "day":
        day = day.replace(day=1, month=1 if unit == "year" else day.month)
    return _moment(day, zone)


def _next(start: datetime, unit: Unit, zone: ZoneInfo) -> datetime:
    if unit == "hour":
        return start + timedelta(hours=1)
    # A bucket can begin after midnight, where clocks skip it; its day is the same.
    day = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if unit in _DAYS:
        return _moment(day + timedelta(days=_DAYS[unit]), zone)
    months = day.year * 12 + day.month - 1 + _MONTHS[unit]
    return _moment(day.replace(year=months // 12, month=months % 12 + 1), zone)


def _moment(midnight: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment in UTC when the clocks of the zone show it, or would have."""
    return midnight.replace(tzinfo=zone).astimezone(UTC)
