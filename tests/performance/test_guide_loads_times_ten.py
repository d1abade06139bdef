"""The loads of Timber's testing guide, with ten times its rows, time and memory."""

import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = [pytest.mark.performance, pytest.mark.slow, pytest.mark.timeout(600)]

MIB = 1024 * 1024


@pytest.fixture(params=["memory", "file", "postgresql"])
def timber(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Timber]:
    """Open a Timber over an empty database of each kind."""
    match request.param:
        case "memory":
            url = "sqlite:///:memory:"
        case "file":
            url = f"sqlite:///{tmp_path}/load.db"
        case _:
            url = request.getfixturevalue("postgresql_url")
    with Timber().opened(TimberSettings(database_url=url, packaged_models=False)) as opened:
        yield opened


@pytest.fixture
def user(timber: Timber) -> type[Any]:
    return timber.models.get("User")


def made(user: type[Any], number: int) -> list[Any]:
    return [
        user(user_id=f"user-{i}", email=f"user{i}@example.com", username=f"user{i}")
        for i in range(number)
    ]


def test_ten_thousand_rows_are_stored_in_fifty_seconds(timber: Timber, user: type[Any]) -> None:
    started = time.perf_counter()

    with timber.database.session_scope() as session:
        session.bulk_save_objects(made(user, 10_000))

    assert time.perf_counter() - started < 50
    with timber.database.session_scope() as session:
        assert session.scalar(select(func.count()).select_from(user)) == 10_000


def test_a_thousand_requests_at_once_take_a_hundred_seconds(
    timber: Timber, user: type[Any]
) -> None:
    def create_and_find(number: int) -> bool:
        name = f"concurrent-{number}"
        with timber.database.session_scope() as session:
            session.add(user(user_id=name, email=f"{name}@example.com", username=name))
            session.commit()
            return session.query(user).filter_by(user_id=name).first() is not None

    started = time.perf_counter()
    with ThreadPoolExecutor(max_workers=10) as threads:
        results = list(threads.map(create_and_find, range(1_000)))

    assert all(results)
    assert time.perf_counter() - started < 100


def test_a_hundred_thousand_rows_are_read_in_a_thousand_mebibytes(
    timber: Timber, user: type[Any]
) -> None:
    with timber.database.session_scope() as session:
        session.bulk_save_objects(made(user, 100_000))

    tracemalloc.start()
    try:
        with timber.database.session_scope() as session:
            found = session.query(user).all()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(found) == 100_000
    assert peak / MIB < 1_000
