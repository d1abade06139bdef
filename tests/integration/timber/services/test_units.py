"""What holds for all services together: one transaction, and one result for one key."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.integration.timber.services.conftest import Ask

from timber.common.errors import (
    IdempotencyConflictError,
    InvalidRequestError,
    InvalidValueError,
    NotOpenError,
    UserNotFoundError,
)
from timber.common.persistence.manager import PersistenceManager, UnitOfWork
from timber.common.runtime import Timber
from timber.testing.clock import FrozenClock

pytestmark = pytest.mark.integration


def counts(timber: Timber) -> dict[str, int]:
    names = ("ResearchSession", "Notification", "TrackedEvent", "StateTransition")
    with timber.database.session_scope() as session:
        return {
            name: session.scalar(select(func.count()).select_from(timber.models.get(name))) or 0
            for name in names
        }


NOTHING = {"ResearchSession": 0, "Notification": 0, "TrackedEvent": 0, "StateTransition": 0}


def do_all(unit: UnitOfWork) -> Any:
    key = unit.create_research_session("ada", "AAPL", "research")
    unit.update_research_session(key, "research", state="processing", data={"score": 1})
    unit.track_event("ada", "started", {"session": key})
    unit.create_notification("ada", "info", "Begun", "AAPL")
    assert unit.get_research_session(key, "research").data == {"score": 1}
    unit.update_research_session(key, "research", state="completed")
    return key


def test_a_unit_is_kept_whole(ask: Ask, manager: PersistenceManager, timber: Timber) -> None:
    key = ask(manager.run, do_all)

    found = manager.get_research_session(key, "research")
    assert (found.state, found.ticker, found.owner.user_id) == ("completed", "AAPL", "ada")
    assert counts(timber) == NOTHING | {
        "ResearchSession": 1,
        "Notification": 1,
        "TrackedEvent": 1,
        "StateTransition": 3,
    }


def test_or_nothing_of_it(manager: PersistenceManager, timber: Timber) -> None:
    def fail() -> None:
        with manager.unit_of_work() as unit:
            do_all(unit)
            unit.track_event("nobody", "a")

    with pytest.raises(UserNotFoundError):
        fail()

    assert counts(timber) == NOTHING


async def test_so_it_is_on_the_event_loop(manager: PersistenceManager, timber: Timber) -> None:
    async with manager.async_unit_of_work() as unit:
        key = await unit.call(unit.create_research_session, "ada", "AAPL", "research")
        await asyncio.gather(
            *(unit.call(unit.track_event, "ada", "a", {"n": n}) for n in range(10))
        )
    assert counts(timber)["TrackedEvent"] == 10

    async def fail() -> None:
        async with manager.async_unit_of_work() as unit:
            await unit.call(unit.update_research_session, key, "research", state="failed")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    found = await manager.call(manager.get_research_session, key, "research")
    assert found.state == "initialized"


def test_services_say_when_they_are_not_open() -> None:
    closed = Timber().persistence

    for work in (
        lambda: closed.create_notification("ada", "info", "a", "b"),
        lambda: closed.sessions.get_session("a", "research"),
        lambda: closed.tracker.get_event("a"),
        lambda: closed.run(lambda unit: unit),
    ):
        with pytest.raises(NotOpenError):
            work()


Create = Callable[..., Any]


def creating(manager: PersistenceManager) -> dict[str, tuple[Create, dict[str, Any]]]:
    return {
        "session": (
            manager.sessions.create_session,
            {"session_type": "research", "user_id": "ada", "ticker": "A"},
        ),
        "chat": (manager.sessions.create_session, {"session_type": "chat", "user_id": "ada"}),
        "notification": (
            manager.create_notification,
            {"user_id": "ada", "notification_type": "info", "title": "a", "message": "b"},
        ),
        "event": (manager.track_event, {"user_id": "ada", "event_type": "a"}),
    }


KINDS = ["session", "chat", "notification", "event"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_repeated_request_gets_the_first_result(
    ask: Ask, manager: PersistenceManager, timber: Timber, kind: str
) -> None:
    create, request = creating(manager)[kind]

    first = ask(create, **request, idempotency_key="once")
    again = ask(create, **request, idempotency_key="once")
    other = ask(create, **request, idempotency_key="twice")

    assert first == again
    assert type(first) is type(again)
    assert other != first
    his = ask(create, **request | {"user_id": "bob"}, idempotency_key="once")
    assert his not in {first, other}


@pytest.mark.parametrize("kind", ["session", "notification", "event"])
def test_a_key_of_another_request_is_refused(
    ask: Ask, manager: PersistenceManager, timber: Timber, kind: str
) -> None:
    create, request = creating(manager)[kind]
    ask(create, **request, idempotency_key="once")
    before = counts(timber)
    changed: dict[str, Any] = {
        "session": {"ticker": "B"},
        "notification": {"title": "B"},
        "event": {"event_data": {"a": 1}},
    }

    with pytest.raises(IdempotencyConflictError, match="'once' was used for another"):
        ask(create, **request | changed[kind], idempotency_key="once")
    with pytest.raises(InvalidRequestError, match="idempotency_key"):
        ask(create, **request, idempotency_key="")

    assert counts(timber) == before


@pytest.mark.parametrize("kind", KINDS)
def test_of_many_at_once_one_is_done(
    manager: PersistenceManager, timber: Timber, kind: str
) -> None:
    create, request = creating(manager)[kind]
    together = Barrier(6)

    def work(_: int) -> Any:
        together.wait(10)
        return create(**request, idempotency_key="once")

    with ThreadPoolExecutor(6) as threads:
        results = set(threads.map(work, range(6)))

    assert len(results) == 1
    assert sum(counts(timber).values()) <= 2


def test_a_key_comes_free_when_its_request_fails(
    manager: PersistenceManager, timber: Timber
) -> None:
    def fail(unit: UnitOfWork) -> None:
        unit.track_event("ada", "a", idempotency_key="once")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        manager.run(fail)
    with manager.unit_of_work() as unit:
        with pytest.raises(InvalidValueError):
            unit.track_event("ada", "a", {"n": float("nan")}, idempotency_key="once")
        key = unit.track_event("ada", "other", idempotency_key="once")

    assert manager.tracker.get_event(key).event_type == "other"


def test_keys_are_forgotten_after_a_while(
    manager: PersistenceManager, timber: Timber, frozen: FrozenClock
) -> None:
    first = manager.track_event("ada", "a", idempotency_key="once")
    manager.track_event("ada", "a", idempotency_key="old")
    frozen.advance(timedelta(days=1, seconds=1))

    second = manager.track_event("ada", "b", idempotency_key="once")

    assert second != first
    assert manager.purge_idempotency_keys() == 1
    assert manager.track_event("ada", "b", idempotency_key="once") == second


def test_old_keys_go_by_the_way(
    manager: PersistenceManager, timber: Timber, frozen: FrozenClock
) -> None:
    manager.track_event("ada", "a", idempotency_key="old")
    frozen.advance(timedelta(days=2))

    def use(unit: UnitOfWork) -> None:
        for number in range(256):
            unit.track_event("ada", "a", idempotency_key=str(number))

    manager.run(use)

    assert manager.purge_idempotency_keys() == 0
