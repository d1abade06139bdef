"""Plans the occurrences of what happens again and again."""

import logging
from datetime import datetime

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.ids import IdFactory, ScheduleId
from puppet_engine.core.models import Event, EventDraft, EventTemplate
from puppet_engine.core.schedules import Recurrence, Schedule
from puppet_engine.events.agenda import Agenda
from puppet_engine.events.recurrence import delayed, next_moment
from puppet_engine.storage.base import EventStore

log = logging.getLogger(__name__)


class Planner:
    """Sees that of each schedule one occurrence is pending.

    The moments missed while nothing took events come as one occurrence, the pending one;
    the next is the first that is still ahead. So nothing piles up, and nothing comes twice.
    """

    def __init__(
        self, *, store: EventStore, clock: Clock, agenda: Agenda, ids: IdFactory, seed: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._agenda = agenda
        self._ids = ids
        self._seed = seed

    async def begin(self, recurrence: Recurrence, template: EventTemplate) -> Schedule:
        """Keep a schedule with its first occurrence. Raises `ConfigurationError`."""
        now = self._clock.now()
        first = next_moment(recurrence, after=now, origin=now)
        if first is None:
            raise ConfigurationError(f"this never comes true: {_told(recurrence)}")
        schedule = Schedule(
            id=ScheduleId(self._ids()),
            recurrence=recurrence,
            template=template,
            created_at=now,
            next_at=first,
        )
        event = await self._store.add_schedule(schedule, self._draft(schedule, first))
        self._agenda.add([event], now=now)
        return schedule

    async def plan_after(self, event: Event) -> None:
        """Plan what comes after an occurrence that is being taken; once, however often asked."""
        schedule = await self._store.schedule(event.schedule_id or "")
        if schedule is None or schedule.next_at is None:
            return
        after = max(self._clock.now(), schedule.next_at)
        following = next_moment(schedule.recurrence, after=after, origin=schedule.created_at)
        draft = None if following is None else self._draft(schedule, following)
        planned = await self._store.plan_next(event, next_at=following, draft=draft)
        if planned is not None:
            self._agenda.add([planned], now=self._clock.now())

    async def end(self, schedule_id: str) -> bool:
        """End a schedule, and drop what it has pending; False when it is over or unknown."""
        pending = await self._store.end_schedule(schedule_id)
        if pending is None:
            return False
        if not self._agenda.is_under_way(pending):
            self._agenda.drop(pending)
            await self._store.cancel(pending)
        return True

    def _draft(self, schedule: Schedule, moment: datetime) -> EventDraft:
        due_at = delayed(schedule.recurrence, moment, seed=f"{self._seed}:{schedule.id}")
        return EventDraft.model_validate({**schedule.template.model_dump(), "due_at": due_at})


def _told(recurrence: Recurrence) -> str:
    return recurrence.model_dump_json(exclude_defaults=True)
