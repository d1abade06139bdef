"""A process that is killed by the system, anywhere, loses nothing and does nothing twice."""

import random
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from kills.audit import audit
from kills.evidence import Published, of_file
from kills.lives import lives
from kills.on_a_file import Plan, kill_on_a_file
from kills.report import Report

from puppet_engine.core.failpoints import Failpoint

A_POST = "(SELECT min(sequence) FROM events WHERE type = 'post.due' AND settled_as > 20)"
DAMAGES = (
    "DELETE FROM events WHERE settled_at IS NULL AND type = 'post.due' AND agent_id = 'agent-1'",
    f"UPDATE events SET type = 'noted' WHERE sequence = {A_POST}",
    "DELETE FROM events WHERE type = 'mention.received'",
    "UPDATE events SET error = 'LLMError: no' WHERE sequence = 3",
    "UPDATE decisions SET event_id = NULL WHERE sequence = 2",
    "UPDATE moods SET unanswered = unanswered + 100 WHERE agent_id = 'agent-1'",
    "DELETE FROM mood_moments WHERE event = 'mention.received'",
    "DELETE FROM events WHERE settled_at IS NULL AND type = 'reflection.due'",
    "DELETE FROM intents WHERE sequence = 3",
    "UPDATE intents SET state = 'refused' WHERE sequence = 3",
    "DELETE FROM memories WHERE trust = 'self' AND sequence % 2",
    # The last event of an agent is over before all others.
    "UPDATE events SET settled_as = 1 - settled_as WHERE agent_id = 'agent-1'",
    (
        "INSERT INTO model_answers (occasion, call, request, answer, created_at)"
        f" SELECT agent_id || ' ' || sequence, 0, '', x'5401{'00' * 47}', due_at"
        " FROM events WHERE settled_as = 5"
    ),
)
"""What an audit must find."""


def faults(database: Path, published: Sequence[Published], *, keys: Path) -> list[str]:
    return audit(of_file(database, published, keys=keys)).faults


@pytest.mark.timeout(120)
async def test_a_life_killed_at_every_failpoint_and_at_random_is_sound(tmp_path: Path) -> None:
    chance = random.Random("kills")
    async with lives(tmp_path) as life:
        for point in Failpoint:
            await life.die_at(point, passage=chance.randint(3, 8))
        for _ in range(3):
            await life.die_young(chance.uniform(0.01, 0.5))
            death = await life.die_after(chance.uniform(0, 0.4))
            assert death.turns
        found = await life.settle()
        published = await life.published()

    assert found.faults == []
    assert found.turns > 20
    assert found.effects > 5
    # The auditor is no yes-man.
    keys = Path(f"{life.database}.keys")
    assert faults(life.database, [*published, published[0]], keys=keys)
    assert faults(life.database, published[1:], keys=keys)
    for damage in DAMAGES:
        spoilt = Path(shutil.copy(life.database, tmp_path / "spoilt.db"))
        with closing(sqlite3.connect(spoilt)) as database:
            database.executescript(damage)
        assert faults(spoilt, published, keys=keys), damage


@pytest.mark.parametrize(
    ("defect", "point", "passages"),
    [
        ("sends_blindly", Failpoint.EFFECT_DONE, (1, 2, 3, 5, 7, 8, 9)),
        # Wherever it is killed: what it keeps is of no turn.
        ("forgets", Failpoint.COMMIT_DURABLE, (10,)),
        ("forgets", Failpoint.COMMIT_DURABLE, (13,)),
    ],
)
async def test_an_engine_with_a_defect_is_found_out_by_a_few_kills(
    defect: str, point: Failpoint, passages: Sequence[int], tmp_path: Path
) -> None:
    async with lives(tmp_path, module=f"tests.scenarios.{defect}") as life:
        for passage in passages:
            await life.die_at(point, passage)
        found = await life.settle()

    assert found.faults


@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
async def test_a_life_killed_a_thousand_times_is_sound(tmp_path: Path) -> None:
    report = Report(command="make test-slow", began_at="now", seed=2)
    plan = Plan(kills=1_000, kills_at_each_point=10, audit_every=100, seed=2)

    await kill_on_a_file(tmp_path, plan, report, advance=lambda: None)

    assert report.is_sound, report.lines()
    assert report.turns_per_life["p50"] >= 1
