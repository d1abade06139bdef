from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from puppet_engine.core.ids import EventId
from puppet_engine.core.models import Event, Priority
from puppet_engine.events.agenda import Agenda
from puppet_engine.events.turnstile import PATIENCE
from puppet_engine.storage.base import PendingPage

START = datetime(2026, 1, 5, tzinfo=UTC)
LATER = START + timedelta(days=1)

AGENTS = ["ada", "bob", "cy"]


def event(
    sequence: int,
    *,
    minutes: int = 0,
    agent: str | None = "ada",
    priority: Priority = Priority.NORMAL,
) -> Event:
    return Event(
        id=EventId(f"e{sequence}"),
        sequence=sequence,
        type="post.due",
        agent_id=agent,
        due_at=START + timedelta(minutes=minutes),
        priority=priority,
    )


def agenda_of(events: Iterable[Event], *, now: datetime = LATER) -> Agenda:
    agenda = Agenda()
    agenda.add(events, now=now)
    return agenda


def drain(agenda: Agenda) -> list[Event]:
    found = []
    while (first := agenda.next()) is not None:
        agenda.release(first)
        found.append(first)
    return found


plans = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(AGENTS), st.sampled_from(Priority)), max_size=60
)


def planned(plan: list[tuple[int, str, Priority]]) -> list[Event]:
    return [
        event(n, minutes=minutes, agent=agent, priority=priority)
        for n, (minutes, agent, priority) in enumerate(plan)
    ]


@given(plans, st.randoms(use_true_random=False))
def test_events_of_one_agent_and_priority_come_in_the_order_of_due_and_sequence(
    plan: list[tuple[int, str, Priority]], chance: object
) -> None:
    events = planned(plan)
    mixed = sorted(events, key=lambda _: chance.random())  # type: ignore[attr-defined] # a Random

    found = drain(agenda_of(mixed))

    assert sorted(e.id for e in found) == sorted(e.id for e in events)
    for agent in AGENTS:
        for priority in Priority:
            own = [e for e in found if (e.agent_id, e.priority) == (agent, priority)]
            assert own == sorted(own, key=lambda e: (e.due_at, e.sequence))


@given(plans)
def test_the_same_events_come_in_the_same_order_every_time(
    plan: list[tuple[int, str, Priority]],
) -> None:
    events = planned(plan)

    assert drain(agenda_of(events)) == drain(agenda_of(events))


def test_the_more_urgent_comes_first_though_it_came_last() -> None:
    events = [event(n, agent=f"a{n}", priority=p) for n, p in enumerate(reversed(Priority))]

    assert [e.priority for e in drain(agenda_of(events))] == list(Priority)


@settings(deadline=None)  # many events an example
@given(
    urgent=st.integers(1, 200),
    waiting=st.sampled_from([Priority.HIGH, Priority.NORMAL, Priority.LOW]),
    agents=st.integers(1, 5),
)
def test_no_priority_waits_for_ever_however_many_more_urgent_events_come(
    urgent: int, waiting: Priority, agents: int
) -> None:
    patient = [event(10_000 + n, agent=f"p{n}", priority=waiting) for n in range(agents)]
    agenda = agenda_of(patient)
    found: list[Event] = []
    for n in range(urgent * 2):
        # Something more urgent is always there: for each that is taken, another comes.
        agenda.add([event(n, agent=f"u{n % 7}", priority=Priority.URGENT)], now=LATER)
        if (first := agenda.next()) is not None:
            agenda.release(first)
            found.append(first)

    places = [place for place, e in enumerate(found) if e.priority is waiting]
    bound = PATIENCE + len(Priority) - 1
    expected = min(agents, len(found) // bound)
    assert len(places) >= expected
    assert all(place < (nth + 1) * bound for nth, place in enumerate(places))


@settings(deadline=None)  # many events an example
@given(
    hog=st.integers(0, 300),
    others=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    priority=st.sampled_from(Priority),
)
def test_an_agent_with_many_events_holds_nobody_up(
    hog: int, others: list[int], priority: Priority
) -> None:
    events = [event(n, agent="hog", priority=priority) for n in range(hog)]
    for which, many in enumerate(others):
        for _ in range(many):
            events.append(event(len(events), agent=f"other{which}", priority=priority))

    found = drain(agenda_of(events))

    # Between two events of one agent each other agent comes once at the most.
    queue = len(others) + 1
    for which in range(len(others)):
        places = [place for place, e in enumerate(found) if e.agent_id == f"other{which}"]
        assert all(place < (nth + 1) * queue for nth, place in enumerate(places))


def test_a_busy_agent_lets_the_others_go_first_and_keeps_its_own_order() -> None:
    first, second, other = event(1), event(2), event(3, agent="bob")
    agenda = agenda_of([first, second, other])

    assert agenda.next() == first
    assert agenda.next() == other
    assert agenda.next() is None
    agenda.release(first)

    assert agenda.next() == second


def test_what_a_busy_agent_could_not_take_at_its_turn_is_first_when_it_is_free() -> None:
    low, *urgent = [
        event(0, priority=Priority.LOW),
        *(event(n, priority=Priority.URGENT) for n in range(1, 60)),
    ]
    agenda = agenda_of([low, *urgent])
    taken = []
    for _ in range(2 * PATIENCE):
        first = agenda.next()
        assert first is not None
        assert agenda.next() is None
        agenda.release(first)
        taken.append(first)

    assert low in taken


def test_what_happens_to_nobody_waits_for_nobody() -> None:
    agenda = agenda_of([event(1, agent=None), event(2, agent=None)])

    assert [agenda.next(), agenda.next()] == [event(1, agent=None), event(2, agent=None)]


def test_nothing_comes_before_it_is_due() -> None:
    agenda = agenda_of([event(1, minutes=5)], now=START)

    assert agenda.next() is None
    assert agenda.next_due_at() == START + timedelta(minutes=5)
    agenda.ripen(START + timedelta(minutes=5))

    assert agenda.next() == event(1, minutes=5)


@pytest.mark.parametrize("now", [START - timedelta(hours=1), LATER])
def test_a_dropped_event_never_comes(now: datetime) -> None:
    agenda = agenda_of([event(1)], now=now)

    agenda.drop("e1")
    agenda.ripen(LATER)

    assert agenda.next() is None
    assert len(agenda) == 0
    assert agenda.next_due_at() is None


def test_dropped_timers_leave_no_litter() -> None:
    agenda = agenda_of((event(n) for n in range(10_000)), now=START - timedelta(hours=1))

    for n in range(9_999):
        agenda.drop(f"e{n}")

    assert len(agenda._timers) < 200


def test_an_event_added_twice_comes_once() -> None:
    agenda = agenda_of([event(1)])
    agenda.add([event(1)], now=LATER)

    assert len(drain(agenda)) == 1


def test_an_event_under_way_does_not_come_again() -> None:
    agenda = agenda_of([event(1)])
    agenda.next()
    agenda.add([event(1)], now=LATER)
    agenda.release(event(1))

    assert agenda.is_under_way("e1") is False
    assert agenda.next() is None


# ------------------------------------------------------------------ a window of the store


class Rows:
    """What a store has, read page by page as an engine does."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.pending = {e.id: e for e in events}

    def page(self, asked: PendingPage) -> list[Event]:
        found = [
            e
            for e in sorted(self.pending.values(), key=lambda e: (e.due_at, e.sequence))
            if e.priority is asked.priority
            and (asked.after is None or (e.due_at, e.sequence) > asked.after)
            and (asked.until is None or (e.due_at, e.sequence) <= asked.until)
            and (not asked.agents or e.agent_id in asked.agents)
            and e.agent_id not in asked.without
        ]
        return found[: asked.limit]

    def read_into(self, agenda: Agenda, *, now: datetime, meanwhile: Iterable[Event] = ()) -> None:
        while (asked := agenda.gap()) is not None:
            agenda.begin_reading()
            page = self.page(asked)
            for e in meanwhile:
                self.pending[e.id] = e
                agenda.add([e], now=now)
            meanwhile = ()
            agenda.fill(asked, page, now=now)


steps = st.lists(
    st.tuples(
        st.integers(-3, 30), st.sampled_from(["hog", *AGENTS, None]), st.sampled_from(Priority)
    ),
    max_size=150,
)


@settings(deadline=None)  # the model sorts everything for each page
@given(before=steps, meanwhile=steps, live=steps, window=st.sampled_from([16, 32]))
def test_with_a_window_everything_comes_once_at_its_moment_and_in_its_order(
    before: list[tuple[int, str | None, Priority]],
    meanwhile: list[tuple[int, str | None, Priority]],
    live: list[tuple[int, str | None, Priority]],
    window: int,
) -> None:
    numbers = iter(range(10_000))

    def new(step: tuple[int, str | None, Priority]) -> Event:
        minutes, agent, priority = step
        return event(next(numbers), minutes=minutes, agent=agent, priority=priority)

    rows = Rows(new(step) for step in before)
    agenda = Agenda(window=window)
    agenda.begin_partial()
    rows.read_into(agenda, now=START, meanwhile=[new(step) for step in meanwhile])
    coming = [new(step) for step in live]
    everything = {*rows.pending, *(e.id for e in coming)}
    found: list[Event] = []
    for minute in range(32):
        now = START + timedelta(minutes=minute)
        for e in coming[minute * 5 : minute * 5 + 5]:
            rows.pending[e.id] = e
            agenda.add([e], now=now)
        while True:
            agenda.ripen(now)
            rows.read_into(agenda, now=now)
            if (first := agenda.next()) is None:
                break
            assert first.due_at <= now
            del rows.pending[first.id]
            agenda.release(first)
            found.append(first)

    assert len(found) == len(everything)
    assert {e.id for e in found} == everything
    assert not rows.pending
    assert agenda.waiting == 0


@settings(deadline=None)  # many events an example
@given(st.integers(200, 2_000))
def test_with_a_window_one_agents_rows_neither_fill_the_memory_nor_hold_others_up(
    hog: int,
) -> None:
    events = [event(n, agent="hog") for n in range(hog)]
    rows = Rows([*events, event(hog + 1, agent="bob", minutes=1)])
    agenda = Agenda(window=64)
    agenda.begin_partial()
    rows.read_into(agenda, now=LATER)

    first, second = agenda.next(), agenda.next()

    assert {e.agent_id for e in (first, second) if e} == {"hog", "bob"}
    assert len(agenda) < 200


def test_timers_beyond_the_window_are_let_go_of_and_read_again() -> None:
    events = [event(n, minutes=n) for n in range(1_000)]
    rows = Rows(events)
    agenda = Agenda(window=16)
    agenda.add(events, now=START - timedelta(minutes=1))

    held = len(agenda)
    found = []
    for e in events:
        agenda.ripen(e.due_at)
        rows.read_into(agenda, now=e.due_at)
        while (first := agenda.next()) is not None:
            del rows.pending[first.id]
            agenda.release(first)
            found.append(first)
        rows.read_into(agenda, now=e.due_at)
        agenda.ripen(e.due_at)

    assert held < 200
    assert found == events
