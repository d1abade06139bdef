"""Workers that share agents are killed at any moment; what they did is whole, and done once."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kills.audit import audit
from kills.many_machines import Machines, kill_on_many_machines
from kills.report import Report
from kills.workers import Place, Worker, place, until
from scripts.restate_server import RestateServer

from puppet_engine.core.failpoints import Failpoint
from puppet_engine.storage.agent_locks import libpq_url

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("restate"), pytest.mark.timeout(120)]

DAMAGES = (
    "UPDATE intents SET state = 'refused' WHERE sequence = 1",
    "DELETE FROM events WHERE settled_at IS NULL AND type = 'post.due' AND agent_id = 'agent-1'",
    "DELETE FROM memories WHERE trust = 'self'",
    "UPDATE events SET settled_as = 1 - settled_as WHERE agent_id = 'agent-1'",
    (
        "INSERT INTO journal_entries (journal, kind, record)"
        " SELECT journal, kind, record FROM journal_entries WHERE kind = 'post' LIMIT 1"
    ),
)
"""What an audit must find, one after the other."""


@pytest.fixture
async def shared(
    postgresql_url: str, restate: RestateServer, tmp_path: Path
) -> AsyncGenerator[Place]:
    async with place(tmp_path, postgresql_url, restate, agents=6) as found:
        yield found


async def aside(work: Any, *arguments: Any) -> Any:
    """Do what blocks in a thread: the world in this process has to go on answering."""
    return await asyncio.to_thread(work, *arguments)


def wait_for_more(shared: Place, more: int) -> None:
    enough = shared.turns() + more
    until(lambda: shared.turns() >= enough, f"{more} more turns")


async def end(shared: Place, worker: Worker) -> None:
    """Wait until all is over that is due or under way now, and end in good order."""
    now = shared.clock.now()
    await aside(until, lambda: not shared.unsettled(now), "what is overdue")
    assert await aside(worker.end) == 0, worker.log()


async def test_a_killed_worker_and_a_killed_restate_lose_nothing_and_do_nothing_twice(
    shared: Place,
) -> None:
    with contextlib.ExitStack() as stack:
        first, second = (Worker(shared, name) for name in ("first", "second"))
        for one in (first, second):
            stack.callback(one.kill_if_alive)
            await aside(until, one.is_at_work, "a worker")
        await aside(wait_for_more, shared, 3)

        first.kill()
        await aside(wait_for_more, shared, 3)
        shared.restate.kill()
        await asyncio.sleep(1)
        await aside(shared.restate.start)
        await aside(wait_for_more, shared, 6)

        await end(shared, second)
    found = audit(await aside(shared.evidence))

    assert found.faults == []
    assert found.turns >= 12
    assert found.effects
    for damage in DAMAGES:  # the auditor is no yes-man
        known = len(audit(shared.evidence()).faults)
        with psycopg.connect(libpq_url(shared.database_url)) as connection:
            connection.execute(damage.encode())
        assert len(audit(shared.evidence()).faults) > known, damage


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_a_hundred_kills_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    report = Report(command="make test-slow", began_at="now", seed=2)
    machines = Machines(kills=100, seed=2, timers=10_000)

    await kill_on_many_machines(tmp_path, machines, report, advance=lambda: None)

    assert report.is_sound, report.lines()


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_a_worker_dies_at_each_failpoint_and_another_finishes_its_work_once(
    shared: Place,
) -> None:
    with contextlib.ExitStack() as stack:
        survivor = Worker(shared, "survivor")
        stack.callback(survivor.kill_if_alive)
        await aside(until, survivor.is_at_work, "a worker")
        for point in Failpoint:
            doom = (sys.executable, "-m", "tests.e2e.doomed_worker", point, "1")
            doomed = Worker(shared, f"doomed-{point}", command=doom)
            stack.callback(doomed.kill_if_alive)
            await aside(until, doomed.is_dead, f"the end of a worker at {point}")
            assert doomed.process.returncode == -signal.SIGKILL, doomed.log()
            await aside(wait_for_more, shared, 6)
        await end(shared, survivor)

    assert audit(await aside(shared.evidence)).faults == []
