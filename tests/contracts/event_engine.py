"""What every event engine promises; a subclass gives the `rig` that drives one of them."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import pytest
from typing_extensions import override

from puppet_engine.core.errors import ConfigurationError, EventNotFoundError, NotRunningError
from puppet_engine.core.history import EventRecord, Fate, HistoryQuery
from puppet_engine.core.models import Event, EventDraft, EventTemplate
from puppet_engine.core.schedules import Recurrence
from puppet_engine.events.base import Consumer, Engine

MINUTE = timedelta(minutes=1)
NOTED = EventTemplate(type="noted", agent_id="ada")

Action = Callable[[Event], Awaitable[None]]


class Recorder(Consumer):
    """Takes what happens to agents, does what the test says, and settles."""

    def __init__(self, rig: "Rig") -> None:
        self._rig = rig

    @override
    def takes(self, event: Event) -> bool:
        return event.agent_id is not None

    @override
    async def consume(self, event: Event) -> bool:
        await self._rig.action(event)
        await self._rig.engine.settle(event)
        self._rig.taken.append(event)
        return True

    @override
    async def abandon(self, event: Event, *, error: str) -> None:
        await self._rig.give_up(event, error)


class Rig(ABC):
    """One engine under test, with a clock on which some minutes pass in the time of a test."""

    engine: Engine

    def __init__(self) -> None:
        self.taken: list[Event] = []
        """What was settled by the consumer, in order."""
        self.action: Action = _nothing

    @abstractmethod
    def now(self) -> datetime:
        """Return the engine's present moment."""

    @abstractmethod
    async def keep(self, *drafts: EventDraft) -> list[Event]:
        """Keep events as somebody else's transaction would, without telling the engine."""

    @abstractmethod
    async def give_up(self, event: Event, error: str) -> None:
        """Settle an event as a dead letter."""

    @abstractmethod
    async def restart(self) -> None:
        """End the engine as a process does, and start another on what it left, in `engine`."""

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so; the test's own timeout ends it."""
        while not is_so():  # noqa: ASYNC110 - the condition is the test's, not an event's
            await asyncio.sleep(0.005)

    async def first_dead_letters(self) -> list[EventRecord]:
        """Wait until there are dead letters, and return them."""
        while not (dead := await self.engine.dead_letters()):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
        return dead

    def draft(
        self,
        kind: str = "noted",
        *,
        after: timedelta = timedelta(0),
        agent: str | None = "ada",
    ) -> EventDraft:
        return EventDraft(type=kind, due_at=self.now() + after, agent_id=agent)


async def _nothing(event: Event) -> None: ...


def _ids(events: Sequence[Event]) -> list[str]:
    return [event.id for event in events]


class EventEngineContract:
    """The promises; `rig` is a fixture of the subclass, with the engine started."""

    # -------------------------------------------------------------- what is to happen

    async def test_what_is_due_is_taken(self, rig: Rig) -> None:
        published = await rig.engine.publish(rig.draft(), rig.draft(agent="bob"))

        await rig.until(lambda: len(rig.taken) == 2)

        assert set(_ids(rig.taken)) == set(_ids(published))

    async def test_one_agents_events_come_in_the_order_of_due_and_sequence(self, rig: Rig) -> None:
        drafts = [rig.draft(after=-n * MINUTE) for n in (1, 3, 3, 2)]
        kept = await rig.keep(*drafts)
        rig.engine.accept(kept)

        await rig.until(lambda: len(rig.taken) == 4)

        assert _ids(rig.taken) == [kept[n].id for n in (1, 2, 3, 0)]

    async def test_one_agent_is_never_in_two_turns(self, rig: Rig) -> None:
        under_way: list[str] = []
        together: list[int] = []

        async def overlap(event: Event) -> None:
            agent = event.agent_id or ""
            assert agent not in under_way
            under_way.append(agent)
            await asyncio.sleep(0.002)
            together.append(len(under_way))
            under_way.remove(agent)

        rig.action = overlap
        await rig.engine.publish(*[rig.draft(agent=a) for a in ("ada", "bob") for _ in range(3)])

        await rig.until(lambda: len(rig.taken) == 6)

        assert len(together) == 6

    async def test_a_scheduled_event_comes_at_its_moment_and_not_before(self, rig: Rig) -> None:
        came: list[datetime] = []

        async def note(event: Event) -> None:
            came.append(rig.now())

        rig.action = note
        later = await rig.engine.schedule_after(2 * MINUTE, NOTED)
        sooner = await rig.engine.schedule_at(rig.now() + MINUTE, NOTED)

        await rig.until(lambda: len(rig.taken) == 2)

        assert _ids(rig.taken) == [sooner.id, later.id]
        assert [moment >= e.due_at for moment, e in zip(came, rig.taken, strict=True)] == [
            True,
            True,
        ]

    async def test_a_cancelled_event_never_comes(self, rig: Rig) -> None:
        doomed = await rig.engine.schedule_after(MINUTE, NOTED)
        other = await rig.engine.schedule_after(2 * MINUTE, NOTED)

        assert await rig.engine.cancel(doomed.id)
        await rig.until(lambda: len(rig.taken) == 1)

        assert _ids(rig.taken) == [other.id]
        assert not await rig.engine.cancel(doomed.id)
        assert not await rig.engine.cancel("nobody-knows-it")

    async def test_an_event_under_way_can_no_longer_be_cancelled(self, rig: Rig) -> None:
        cancelled: list[bool] = []

        async def cancel_itself(event: Event) -> None:
            cancelled.append(await rig.engine.cancel(event.id))

        rig.action = cancel_itself
        await rig.engine.publish(rig.draft())

        await rig.until(lambda: len(rig.taken) == 1)

        assert cancelled == [False]

    # -------------------------------------------------------------- again and again

    async def test_a_schedule_comes_again_and_again_until_it_is_cancelled(self, rig: Rig) -> None:
        schedule = await rig.engine.schedule_every(Recurrence(every=MINUTE), NOTED)
        assert [each.id for each in await rig.engine.schedules()] == [schedule.id]

        await rig.until(lambda: len(rig.taken) >= 3)
        assert await rig.engine.cancel(schedule.id)

        assert {event.schedule_id for event in rig.taken} == {schedule.id}
        dues = [event.due_at for event in rig.taken]
        assert dues == sorted(set(dues))
        assert await rig.engine.schedules() == []
        assert not await rig.engine.cancel(schedule.id)
        await rig.engine.publish(rig.draft("after", after=3 * MINUTE, agent="bob"))
        await rig.until(lambda: rig.taken[-1].type == "after")
        assert len([event for event in rig.taken if event.type == "noted"]) <= len(dues) + 1

    async def test_a_rule_that_cannot_be_read_is_refused(self, rig: Rig) -> None:
        with pytest.raises(ConfigurationError, match="cannot be read"):
            await rig.engine.schedule_every(Recurrence(cron="every full moon"), NOTED)

        assert await rig.engine.schedules() == []

    # -------------------------------------------------------------- another process

    async def test_what_was_pending_comes_after_a_restart_and_nothing_comes_twice(
        self, rig: Rig
    ) -> None:
        first, later = await rig.engine.publish(rig.draft(), rig.draft(after=5 * MINUTE))
        await rig.until(lambda: len(rig.taken) == 1)

        await rig.restart()
        await rig.until(lambda: len(rig.taken) == 2)

        assert _ids(rig.taken) == [first.id, later.id]

    async def test_a_schedule_goes_on_after_a_restart(self, rig: Rig) -> None:
        schedule = await rig.engine.schedule_every(Recurrence(every=MINUTE), NOTED)
        await rig.until(lambda: len(rig.taken) >= 1)

        await rig.restart()
        seen = len(rig.taken)
        await rig.until(lambda: len(rig.taken) >= seen + 2)

        assert [each.id for each in await rig.engine.schedules()] == [schedule.id]
        assert await rig.engine.cancel(schedule.id)
        dues = [event.due_at for event in rig.taken]
        assert dues == sorted(set(dues))

    # -------------------------------------------------------------- what fails

    async def test_what_fails_too_often_is_a_dead_letter_with_the_reason_and_can_be_replayed(
        self, rig: Rig
    ) -> None:
        async def fail(event: Event) -> None:
            raise ValueError("no luck")

        rig.action = fail
        (event,) = await rig.engine.publish(rig.draft())
        dead = await rig.first_dead_letters()
        rig.action = _nothing

        again = await rig.engine.replay(event.id)
        await rig.until(lambda: len(rig.taken) == 1)

        (record,) = dead
        assert (record.event.id, record.fate) == (event.id, Fate.DEAD)
        assert "ValueError: no luck" in record.error
        assert _ids(rig.taken) == [again.id]
        assert again.id != event.id
        assert await rig.engine.dead_letters() == []
        with pytest.raises(EventNotFoundError, match="dead letter"):
            await rig.engine.replay(event.id)

    async def test_an_event_that_fails_once_comes_again(self, rig: Rig) -> None:
        failures: list[str] = []

        async def fail_once(event: Event) -> None:
            if not failures:
                failures.append(event.id)
                raise ValueError("not yet")

        rig.action = fail_once
        (event,) = await rig.engine.publish(rig.draft())

        await rig.until(lambda: len(rig.taken) == 1)

        assert _ids(rig.taken) == [event.id]
        assert await rig.engine.dead_letters() == []

    # -------------------------------------------------------------- what has happened

    async def test_history_comes_in_pages_newest_first(self, rig: Rig) -> None:
        for agent in ("ada", "bob", "ada"):
            await rig.engine.publish(rig.draft(agent=agent))
            count = len(rig.taken) + 1
            await rig.until(lambda count=count: len(rig.taken) == count)  # type: ignore[misc] # bound now

        page = await rig.engine.history(HistoryQuery(limit=2))
        rest = await rig.engine.history(HistoryQuery(limit=2, before=page[-1].settled_as))

        assert _ids([r.event for r in (*page, *rest)]) == _ids(rig.taken)[::-1]
        assert {record.fate for record in page} == {Fate.DONE}
        of_ada = await rig.engine.history(HistoryQuery(agent_id="ada"))
        assert _ids([record.event for record in of_ada]) == _ids([rig.taken[2], rig.taken[0]])
        assert await rig.engine.history(HistoryQuery(types=["unheard_of"])) == []
        assert len(await rig.engine.history(HistoryQuery(until=page[0].settled_at))) == 3
        assert await rig.engine.recent(limit=9) == rig.taken

    async def test_what_was_pending_at_a_moment_can_be_asked(self, rig: Rig) -> None:
        before = rig.now() - MINUTE
        (soon, late) = await rig.engine.publish(
            rig.draft(after=MINUTE), rig.draft(after=600 * MINUTE)
        )
        then = rig.now()
        await rig.until(lambda: len(rig.taken) == 1)

        was_pending = await rig.engine.as_of(then)

        assert [(r.event.id, r.fate) for r in was_pending] == [
            (soon.id, Fate.DONE),
            (late.id, Fate.PENDING),
        ]
        assert await rig.engine.as_of(before) == []
        assert _ids([r.event for r in await rig.engine.as_of(then, after=soon.sequence)]) == [
            late.id
        ]
        assert await rig.engine.as_of(then, agent_id="bob") == []

    # -------------------------------------------------------------- who listens

    async def test_a_listener_that_raises_or_hangs_harms_nobody_else(self, rig: Rig) -> None:
        heard: list[str] = []

        async def raise_(event: Event) -> None:
            raise RuntimeError("not today")

        async def hang(event: Event) -> None:
            await asyncio.Event().wait()

        async def hear(event: Event) -> None:
            heard.append(event.type)

        ends = [rig.engine.subscribe("*", listener) for listener in (raise_, hang, hear)]
        ends.append(rig.engine.subscribe("other", hear))
        await rig.engine.publish(rig.draft(), rig.draft("news", agent=None))

        await rig.until(lambda: len(heard) == 2)

        assert sorted(heard) == ["news", "noted"]
        for end in ends:
            end()

    async def test_a_watcher_sees_everything_from_then_on(self, rig: Rig) -> None:
        await rig.engine.publish(rig.draft("earlier"))
        await rig.until(lambda: len(rig.taken) == 1)
        await asyncio.sleep(0.05)

        async with rig.engine.watch() as events:
            await rig.engine.publish(rig.draft("later"))
            seen = await _first(events)

        assert seen.type == "later"

    # -------------------------------------------------------------- life

    async def test_stopping_lets_the_turn_under_way_end(self, rig: Rig) -> None:
        begun = asyncio.Event()

        async def slowly(event: Event) -> None:
            begun.set()
            await asyncio.sleep(0.05)

        rig.action = slowly
        await rig.engine.publish(rig.draft())
        await begun.wait()

        await rig.engine.stop()

        assert len(rig.taken) == 1
        assert not rig.engine.is_running

    async def test_joining_an_engine_that_is_stopped_is_refused(self, rig: Rig) -> None:
        await rig.engine.stop()

        with pytest.raises(NotRunningError):
            await rig.engine.join()


async def _first(events: AsyncIterator[Event]) -> Event:
    async with contextlib.aclosing(events):  # type: ignore[type-var] # a generator in fact
        return await anext(events)
