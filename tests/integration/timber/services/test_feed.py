"""What a live feed promises: everything that is committed, in order, once."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.forks import forking
from tests.integration.timber.services.conftest import open_services

from timber.common.persistence import feed
from timber.common.persistence.manager import PersistenceManager
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration


def create(manager: PersistenceManager, title: str, user: str = "ada") -> None:
    manager.create_notification(user, "info", title, "Text")


async def titles(news: AsyncGenerator[Any], number: int) -> list[str]:
    async with asyncio.timeout(20):
        return [(await anext(news)).title for _ in range(number)]


async def test_a_feed_tells_what_comes_and_nothing_of_others(manager: PersistenceManager) -> None:
    await manager.call(create, manager, "before")
    async with manager.notifications.feed("ada") as news:
        for number in range(3):
            await manager.call(create, manager, "his", "bob")
            await manager.call(create, manager, str(number))

        assert await titles(news, 3) == ["0", "1", "2"]
        waiting = asyncio.create_task(titles(news, 1))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await manager.call(create, manager, "3")
        assert await waiting == ["3"]


async def test_a_feed_goes_on_where_another_ended(manager: PersistenceManager) -> None:
    with manager.unit_of_work() as unit:
        for number in range(250):
            unit.create_notification("ada", "info", str(number), "Text")

    async with manager.notifications.feed("ada", after=100) as news:
        assert await titles(news, 150) == [str(number) for number in range(100, 250)]


async def test_what_is_undone_is_not_told(manager: PersistenceManager) -> None:
    async with manager.notifications.feed("ada") as news:
        with contextlib.suppress(ZeroDivisionError), manager.unit_of_work() as unit:
            unit.create_notification("ada", "info", "undone", "Text")
            raise ZeroDivisionError
        with manager.unit_of_work() as unit:
            with contextlib.suppress(ZeroDivisionError), unit.session.begin_nested():
                unit.create_notification("ada", "info", "undone, too", "Text")
                raise ZeroDivisionError
            unit.create_notification("ada", "info", "kept", "Text")

        assert await titles(news, 1) == ["kept"]


async def test_many_writers_are_told_in_order_and_completely(manager: PersistenceManager) -> None:
    async with manager.notifications.feed("ada") as news:
        told = asyncio.create_task(_numbers(news, 60))
        await asyncio.gather(*(manager.call(create, manager, str(n)) for n in range(60)))

        assert await told == list(range(1, 61))


async def _numbers(news: AsyncGenerator[Any], number: int) -> list[int]:
    async with asyncio.timeout(20):
        return [(await anext(news)).number for _ in range(number)]


def write_elsewhere(settings: TimberSettings, first: int, number: int) -> None:
    """Store notifications in a process of its own."""
    with Timber().opened(settings) as timber:
        for n in range(first, first + number):
            create(timber.persistence, str(n))


@pytest.mark.parametrize("opened", ["postgresql"], indirect=True)
async def test_other_processes_and_lost_connections_hide_nothing(
    timber: Timber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LOOK_AGAIN_SECONDS", 3600)  # so only what is told of is found
    url = timber.database.engine.url.set(drivername="postgresql")
    settings = open_services(tmp_path / "other", url.render_as_string(hide_password=False))
    elsewhere = forking().Process(target=write_elsewhere, args=(settings, 0, 40))
    async with timber.persistence.notifications.feed("ada") as news:
        elsewhere.start()
        assert await titles(news, 5) == [str(n) for n in range(5)]
        for _ in range(3):
            await asyncio.to_thread(break_listeners, timber)
            await asyncio.sleep(0.1)

        assert await titles(news, 35) == [str(n) for n in range(5, 40)]
    elsewhere.join()
    assert elsewhere.exitcode == 0


def break_listeners(timber: Timber) -> None:
    """End the connections that listen, as a server does that is started anew."""
    with timber.database.engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query LIKE 'LISTEN %' AND pid <> pg_backend_pid()"
            )
        )


@pytest.mark.parametrize("opened", ["postgresql"], indirect=True)
async def test_nothing_listens_when_nobody_waits(timber: Timber) -> None:
    async with timber.persistence.notifications.feed("ada"):
        assert listening(timber) == 1
        async with timber.persistence.notifications.feed("bob"):
            assert listening(timber) == 1

    for _ in range(100):
        if not listening(timber):
            break
        await asyncio.sleep(0.05)
    assert listening(timber) == 0


def listening(timber: Timber) -> int:
    with timber.database.engine.connect() as connection:
        return int(
            connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' "
                    "AND pid <> pg_backend_pid() AND datname = current_database()"
                )
            )
            or 0
        )
