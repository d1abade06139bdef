"""Workers that share agents are killed at any moment; what they did is whole, and done once."""

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncGenerator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from scripts.restate_server import RestateServer
from tests.e2e.many_machines import PACE, Place, Worker, place
from tests.e2e.puppets import until

from puppet_engine.core.failpoints import Failpoint

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("restate"), pytest.mark.timeout(120)]

TURNS = "('post.due', 'mentions.due', 'mention.received')"

PENDING_OF = f"""
    SELECT agent_id, type, count(*) FROM events
    WHERE settled_at IS NULL AND type IN {TURNS} AND type <> 'mention.received' GROUP BY 1, 2
"""
REFUSED_FOR_ANOTHER_REASON = """
    SELECT * FROM intents refused WHERE state = 'refused' AND NOT EXISTS (
        SELECT 1 FROM intents done WHERE done.state = 'done' AND done.agent_id = refused.agent_id
        AND done.payload->>'text' = refused.payload->>'text' AND done.id <> refused.id
        AND done.settled_at <= refused.begun_at
    )
"""

REMINDED = "SELECT agent_id FROM events WHERE settled_at IS NULL AND type = 'outbox.due'"

SECONDS_LATE = timedelta(seconds=3)


@pytest.fixture
async def shared(
    postgresql_url: str, restate: RestateServer, tmp_path: Path
) -> AsyncGenerator[Place]:
    async with place(tmp_path, postgresql_url, restate, agents=6) as found:
        yield found


async def aside(work: Any, *arguments: Any) -> Any:
    """Do what blocks in a thread: the world in this process has to go on answering."""
    return await asyncio.to_thread(work, *arguments)


def turns(shared: Place) -> int:
    return int(
        shared.one(f"SELECT count(*) FROM events WHERE settled_at IS NOT NULL AND type IN {TURNS}")
    )


def wait_for_more(shared: Place, more: int) -> None:
    enough = turns(shared) + more
    until(lambda: turns(shared) >= enough, f"{more} more turns")


def published(shared: Place) -> list[str]:
    """Ask the world itself for the ids of all that anybody said."""
    posts = shared.rows("SELECT record FROM journal_entries WHERE journal = 'x' AND kind = 'post'")
    return sorted(str(post["record"]["id"]) for post in posts)


def nothing_is_overdue(shared: Place) -> bool:
    """Say whether all that was due some seconds ago has happened."""
    long_ago = shared.clock.now() - SECONDS_LATE * PACE
    late = shared.one(
        f"SELECT count(*) FROM events WHERE settled_at IS NULL AND due_at <= '{long_ago}'"
    )
    return bool(late == 0)


def assert_whole(shared: Place) -> None:
    """Nothing was lost, nothing was done twice, and everybody's order was kept."""
    assert shared.rows("SELECT id, type, error FROM events WHERE error IS NOT NULL") == []
    # Each routine goes on, and goes on once.
    pending = {(row["agent_id"], row["type"]): row["count"] for row in shared.rows(PENDING_OF)}
    agents = [row["id"] for row in shared.rows("SELECT id FROM agents")]
    routine = ("post.due", "mentions.due")
    assert pending == {(one, kind): 1 for one in agents for kind in routine}
    # What went out is what was wanted: each once, and known by its id.
    # One that waits for an answer is looked up when its agent's reminder comes.
    waiting = shared.rows(
        "SELECT agent_id, state FROM intents WHERE state IN ('pending', 'sending')"
    )
    reminded = {row["agent_id"] for row in shared.rows(REMINDED)}
    assert {intent["agent_id"] for intent in waiting} <= reminded
    done = shared.rows("SELECT result FROM intents WHERE state = 'done'")
    results = [row["result"] for row in done]
    assert len(set(results)) == len(results)
    # What X refuses is what somebody has said before, in another intent that is done.
    assert shared.rows(REFUSED_FOR_ANOTHER_REASON) == []
    more = set(published(shared)) - set(results)
    assert len(published(shared)) - len(results) == len(more)
    assert len(more) <= sum(intent["state"] == "sending" for intent in waiting)
    told = shared.rows(
        "SELECT payload->>'post_id' AS id FROM events WHERE type = 'post.published'"
    )
    assert sorted(row["id"] for row in told) == sorted(results)
    # Of two turns of an agent that were known at once the one that was due first was first.
    over = shared.rows(
        "SELECT agent_id, due_at, sequence FROM events WHERE settled_at IS NOT NULL"
        f" AND type IN {TURNS} ORDER BY agent_id, settled_as"
    )
    for one, other in pairwise(over):
        if one["agent_id"] == other["agent_id"] and other["sequence"] < one["sequence"]:
            assert one["due_at"] < other["due_at"], (one, other)


def kill_all(workers: list[Worker]) -> None:
    for one in workers:
        one.kill_if_alive()


async def kill_and_live_on(shared: Place, *, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    with contextlib.ExitStack() as stack:
        workers = [Worker(shared, f"worker-{number}") for number in range(2)]
        stack.callback(kill_all, workers)
        for one in workers:
            await aside(until, one.is_at_work, "a worker")
        for kill in range(kills):
            await aside(wait_for_more, shared, 2)
            await asyncio.sleep(chance.uniform(0, 1))
            victim = chance.randrange(2)
            workers[victim].kill()
            workers[victim] = Worker(shared, f"worker-{victim}-{kill}")
            await aside(until, workers[victim].is_at_work, "a worker")
        await aside(wait_for_more, shared, 6)
        await aside(until, lambda: nothing_is_overdue(shared), "what is overdue")
        for one in workers:
            assert await aside(one.end) == 0, one.log()
    await aside(assert_whole, shared)


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

        await aside(until, lambda: nothing_is_overdue(shared), "what was to happen meanwhile")
        assert await aside(second.end) == 0, second.log()
    await aside(assert_whole, shared)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_a_hundred_kills_lose_nothing_and_do_nothing_twice(shared: Place) -> None:
    await kill_and_live_on(shared, kills=100, seed=2)


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
            doomed = Worker(shared, f"doomed-{point}", point, "1")
            stack.callback(doomed.kill_if_alive)
            await aside(until, doomed.is_dead, f"the end of a worker at {point}")
            assert doomed.process.returncode == -signal.SIGKILL, doomed.log()
            await aside(wait_for_more, shared, 6)
        await aside(until, lambda: nothing_is_overdue(shared), "what they left")
        assert await aside(survivor.end) == 0, survivor.log()
    await aside(assert_whole, shared)
