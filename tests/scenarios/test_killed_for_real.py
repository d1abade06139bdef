"""A process that is killed by the system, anywhere, loses nothing and does nothing twice."""

import random
import sys
from pathlib import Path

import pytest
from tests.kills.audit import audit
from tests.kills.harness import Lives, lives

from puppet_engine.core.failpoints import Failpoint

KILLS = 1_000


async def settle(life: Lives) -> None:
    """Let the outbox be cleared of what was unknown, and the agents be quiet at the end."""
    await life.live(4)


@pytest.mark.timeout(120)
async def test_a_life_killed_at_every_failpoint_and_at_random_is_sound(tmp_path: Path) -> None:
    chance = random.Random("kills")
    async with lives(tmp_path) as life:
        for point in Failpoint:
            await life.die_at(point, passage=chance.randint(3, 8))
        for _ in range(6):
            await life.die_after(chance.uniform(0.05, 1.2))
        await settle(life)
        found = audit(tmp_path / "life.db", await life.published())

    assert found.faults == []
    assert found.turns > 50
    assert found.posts > 20


@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
async def test_a_life_killed_a_thousand_times_is_sound(tmp_path: Path) -> None:
    chance = random.Random("a thousand kills")
    async with lives(tmp_path) as life:
        for done in range(1, KILLS + 1):
            if done % 4:
                await life.die_after(chance.uniform(0.05, 1.0))
            else:
                await life.die_at(chance.choice(list(Failpoint)), chance.randint(1, 12))
            if not done % 50:
                posts = len(await life.published())
                print(f"killed {done} times of {KILLS}; {posts} posts", file=sys.__stderr__)
        await settle(life)
        found = audit(tmp_path / "life.db", await life.published())

    print(found, file=sys.__stderr__)
    assert found.faults == []
    assert found.turns > KILLS
