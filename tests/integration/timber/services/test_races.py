"""Transitions and merges of many threads and processes at once: nothing is lost."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.forks import forking
from tests.integration.timber.services.conftest import open_services

from timber.common.errors import InvalidStateTransitionError
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration

THREADS = 8
PROCESSES = 2


def race(settings: TimberSettings, keys: list[Any], name: str, start: Any, done: Any) -> None:
    """Merge a key of one's own into each session, and try to take it to `processing`."""
    with Timber().opened(settings) as timber, ThreadPoolExecutor(THREADS) as threads:
        service = timber.persistence.sessions

        def attempt(number: int, key: Any) -> bool:
            own = f"{name}-{number}"
            service.update_session_data(key, "research", {own: 1, "all": {own: [number]}})
            try:
                return service.transition_state(key, "research", "processing")
            except InvalidStateTransitionError:
                return False

        start.wait(60)
        won: Counter[Any] = Counter()
        for key in keys:
            results = threads.map(lambda number, key=key: attempt(number, key), range(THREADS))
            won[key] += sum(results)
        done.put(won)


def races(timber: Timber, folder: Path, *, sessions: int) -> None:
    url = timber.database.engine.url
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql")
    settings = open_services(folder, url.render_as_string(hide_password=False))
    service = timber.persistence.sessions
    keys = [service.create_session("research", "ada") for _ in range(sessions)]
    context = forking()
    start, done = context.Barrier(PROCESSES), context.Queue()
    racers = [
        context.Process(target=race, args=(settings, keys, f"p{n}", start, done))
        for n in range(PROCESSES)
    ]
    for one in racers:
        one.start()
    won: Counter[Any] = sum((done.get(timeout=1800) for _ in racers), Counter())
    for one in racers:
        one.join()

    everybody = {f"p{n}-{number}" for n in range(PROCESSES) for number in range(THREADS)}
    for key in keys:
        data = service.get_session(key, "research").data
        assert set(data) == everybody | {"all"}
        assert set(data["all"]) == everybody
        assert won[key] == 1
        steps = service.get_history(key, "research")
        assert [one.to_state for one in steps] == ["initialized", "processing"]


@pytest.mark.parametrize("opened", ["file", "postgresql"], indirect=True)
def test_no_update_of_many_at_once_is_lost(timber: Timber, tmp_path: Path) -> None:
    races(timber, tmp_path / "models", sessions=3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("opened", ["postgresql"], indirect=True)
def test_none_of_ten_thousand_is_lost(timber: Timber, tmp_path: Path) -> None:
    # 16 threads merge once and try one transition in each: 320 updates in ten sessions.
    races(timber, tmp_path / "models", sessions=320)
