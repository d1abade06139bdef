"""The nouns of what happens again and again."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from puppet_engine.core.ids import ScheduleId
from puppet_engine.core.models import EventTemplate, Noun, TimeZone

Interval = Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(days=366))]
Jitter = Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=31))]


class Recurrence(Noun):
    """When something happens again: by exactly one of `every`, `cron` and `rrule`."""

    every: Interval | None = None
    """A fixed span, whatever the clocks on the wall do."""
    cron: str | None = None
    """Five fields (minute, hour, day, month, weekday), or six with seconds first."""
    rrule: str | None = None
    """A recurrence rule of RFC 5545, such as `FREQ=MONTHLY;BYDAY=-1FR`."""
    timezone: TimeZone = "UTC"
    """Where the wall hangs that `cron` and `rrule` look at; `every` looks at none."""
    jitter: Jitter = timedelta(0)
    """Each occurrence is late by chance, by so much at the most."""
    starts_at: AwareDatetime | None = None
    """Nothing happens before; the first moment of `every` and the origin of `rrule`.
    The moment at which the schedule was made, when unset."""
    ends_at: AwareDatetime | None = None
    """Nothing happens after."""

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        given = [name for name in ("every", "cron", "rrule") if getattr(self, name) is not None]
        if len(given) != 1:
            said = " and ".join(given) or "none of them"
            raise ValueError(f"give exactly one of every, cron and rrule; given: {said}")
        return self


class Schedule(Noun):
    """Something that happens again and again; each occurrence is an event.

    One occurrence is pending at a time. The next is planned when it is taken,
    for the first moment that is still ahead: those missed meanwhile come as this one.
    """

    id: ScheduleId
    recurrence: Recurrence
    template: EventTemplate
    created_at: AwareDatetime
    next_at: AwareDatetime | None
    """The moment of the pending occurrence, before jitter; None when the schedule is over."""
