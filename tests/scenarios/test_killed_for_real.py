"""A process that is killed by the system, anywhere, loses nothing and does nothing twice."""

import random
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.kills.audit import audit
from tests.kills.harness import Lives, lives

from puppet_engine.core.failpoints import Failpoint

KILLS = 1_000

A_POST = "(SELECT min(sequence) FROM events WHERE type = 'post.due' AND settled_as > 20)"
DAMAGES = (
    "DELETE FROM events WHERE settled_at IS NULL AND type = 'post.due' AND agent_id = 'agent-1'",
    f"UPDATE events SET type = 'noted' WHERE sequence = {A_POST}",
    "DELETE FROM intents WHERE sequence = 3",
    "UPDATE intents SET state = 'refused' WHERE sequence = 3",
    "DELETE FROM memories WHERE json_extract(details, '$.source') = 'self' AND sequence % 2",
    # The last event of an agent is over before all others.
    "UPDATE events SET settled_as = 1 - settled_as WHERE agent_id = 'agent-1'",
)
"""What an audit must find."""


async def settle(life: Lives) -> None:
    """Let the outbox be cleared of what was unknown, and the agents be quiet at the end."""
    await life.live(4)


@pytest.mark.timeout(120)
async def test_a_life_killed_at_every_failpoint_and_at_random_is_sound(tmp_path: Path) -> None:
    chance = random.Random("kills")
    async with lives(tmp_path) as life:
        for point in Failpoint:
            await life.die_at(point, passage=chance.randint(3, 8))
        for _ in range(3):
            await life.die_young(chance.uniform(0.01, 0.5))
            await life.die_after(chance.uniform(0, 0.8))
        await settle(life)
        published = await life.published()
    found = audit(tmp_path / "life.db", published)

    assert found.faults == []
    assert found.turns > 20
    assert found.posts > 5
    # The auditor is no yes-man.
    assert audit(tmp_path / "life.db", [*published, published[0]]).faults
    assert audit(tmp_path / "life.db", published[1:]).faults
    for damage in DAMAGES:
        spoilt = Path(shutil.copy(tmp_path / "life.db", tmp_path / "spoilt.db"))
        with closing(sqlite3.connect(spoilt)) as database:
            database.executescript(damage)
        assert audit(spoilt, published).faults, damage


@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
async def test_a_life_killed_a_thousand_times_is_sound(tmp_path: Path) -> None:
    chance = random.Random("a thousand kills")
    async with lives(tmp_path) as life:
        for done in range(1, KILLS + 1):
            match done % 5:
                case 0:
                    await life.die_at(chance.choice(list(Failpoint)), chance.randint(1, 12))
                case 1:
                    await life.die_young(chance.uniform(0.01, 0.5))
                case _:
                    await life.die_after(chance.uniform(0, 0.8))
            if not done % 50:
                posts = len(await life.published())
                print(f"killed {done} times of {KILLS}; {posts} posts", file=sys.__stderr__)
        await settle(life)
        found = audit(tmp_path / "life.db", await life.published())

    print(found, file=sys.__stderr__)
    assert found.faults == []
    assert found.turns > KILLS // 4
