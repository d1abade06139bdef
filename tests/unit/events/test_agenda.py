from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from puppet_engine.core.ids import EventId
from puppet_engine.core.models import Event
from puppet_engine.events.agenda import Agenda

START = datetime(2026, 1, 5, tzinfo=UTC)


def event(sequence: int, *, minutes: int = 0, agent: str = "ada") -> Event:
    return Event(
        id=EventId(f"e{sequence}"),
        sequence=sequence,
        type="post.due",
        agent_id=agent,
        due_at=START + timedelta(minutes=minutes),
    )


def drain(agenda: Agenda) -> list[Event]:
    found = []
    while (first := agenda.next()) is not None:
        agenda.drop(first.id)
        found.append(first)
    return found


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["ada", "bob"])), max_size=30))
def test_events_come_in_the_order_of_due_agent_and_sequence(
    plan: list[tuple[int, str]],
) -> None:
    events = [event(n, minutes=minutes, agent=agent) for n, (minutes, agent) in enumerate(plan)]
    agenda = Agenda()
    agenda.add(reversed(events))

    found = drain(agenda)

    assert found == sorted(events, key=lambda e: (e.due_at, e.agent_id, e.sequence))


def test_a_busy_agent_lets_the_others_go_first_and_keeps_its_own_order() -> None:
    first, second, other = event(1), event(2), event(3, agent="bob")
    agenda = Agenda()
    agenda.add([first, second, other])

    assert agenda.next(busy={"ada"}) == other
    assert agenda.next() == first


def test_a_dropped_event_never_comes() -> None:
    agenda = Agenda()
    agenda.add([event(1)])

    agenda.drop("e1")

    assert agenda.next() is None
    assert len(agenda) == 0


def test_an_event_added_twice_comes_once() -> None:
    agenda = Agenda()
    agenda.add([event(1)])
    agenda.add([event(1)])

    assert len(drain(agenda)) == 1
