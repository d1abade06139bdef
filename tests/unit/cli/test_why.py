import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from puppet_engine.cli import cli
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.decisions import Act, Decision, Recalled
from puppet_engine.core.ids import MemoryId, seeded_ids
from puppet_engine.core.models import AgentConfig, IntentDraft, IntentKind, TurnOutcome
from puppet_engine.core.moods import MoodState
from puppet_engine.core.relationships import Relationship
from puppet_engine.storage.base import Arrival
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)


@pytest.fixture
async def intent_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the id of an intent of Ada's, whose reasons are kept in `life.db`."""
    monkeypatch.chdir(tmp_path)
    storage = Storage("sqlite:///life.db", clock=VirtualClock(NOW), ids=seeded_ids(1))
    await storage.open()
    ledger = StoredLedger(storage)
    await ledger.enrol(Arrival(config=AgentConfig(id="ada", name="Ada")))
    decision = Decision(
        occasion="post.due",
        acts=(Act.POST,),
        why="an interest",
        topic="tea",
        mood=MoodState(valence=0.5, arousal=0, as_of=NOW),
        mood_name="content",
        relationship=Relationship(handle="bob", affinity=0.25, as_of=NOW),
        chances={Act.REPLY: 0.5},
        memories=(Recalled(id=MemoryId("m-1"), content="I like tea"),),
        prompt="Write.\nNow.",
        drafts=({"text": "Tea!", "findings": ["too loud"], "score": 1},),
    )
    wanted = IntentDraft(kind=IntentKind.POST, payload={"text": "Tea!"}, account="x:ada")
    await ledger.commit("ada", None, TurnOutcome(intents=(wanted,), decision=decision))
    (intent,) = await ledger.intents.open("x:ada")
    await storage.close()
    return intent.id


def test_it_tells_mood_people_memories_checks_and_prompt(intent_id: str) -> None:
    answer = CliRunner().invoke(cli, ["why", intent_id, "--database", "sqlite:///life.db"])

    assert answer.exit_code == 0, answer.output
    for told in ("tea", "content", "@bob", "I like tea", "m-1", "too loud", "Write.", "50%"):
        assert told in answer.output


def test_it_tells_the_same_to_programs(intent_id: str) -> None:
    asked = ["why", intent_id, "--json", "--database", "sqlite:///life.db"]
    answer = CliRunner().invoke(cli, asked)

    told = json.loads(answer.stdout)
    assert (told["topic"], told["intent_id"]) == ("tea", intent_id)


def test_an_id_of_nothing_is_told_with_what_to_give(intent_id: str) -> None:
    answer = CliRunner().invoke(cli, ["why", "99", "--database", "sqlite:///life.db"])

    assert answer.exit_code == 2
    assert "no decision is kept for '99': give the id of a post" in answer.stderr
