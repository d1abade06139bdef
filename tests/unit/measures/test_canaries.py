"""Personas that know themselves hold; who forgets, or takes others' lives for theirs, fails."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.unit.measures.speech import cast

from puppet_engine.appraisal import canaries as asking
from puppet_engine.appraisal.canaries import canaries_asked
from puppet_engine.core.models import AgentConfig, Memory
from puppet_engine.measures.canaries import Asked, canaries
from puppet_engine.measures.reading import hold
from puppet_engine.memory.sqlite_store import SQLiteStore

pytestmark = [pytest.mark.unit, pytest.mark.xdist_group("measures")]

CONTRADICTIONS = "contradictions of facts about oneself"
KNOWN = "questions that bring the fact to mind"
ONE = Asked(
    handle="ann",
    days=30,
    question="Where did you grow up?",
    value="Lisbon",
    others=("Kyoto", "Galway"),
    mind=("I grew up in Lisbon, above a bakery.",),
    said="By the water.",
)


def failing(asked: Sequence[Asked]) -> list[str]:
    return [one.of for one in canaries(asked).readings if not one.holds]


def first_of_the_cast() -> list[AgentConfig]:
    return list(cast(1).values())


def test_who_remembers_and_says_what_is_true_holds() -> None:
    assert failing([ONE, replace(ONE, said="Lisbon, where else.")]) == []


@pytest.mark.parametrize(
    "planted",
    [
        replace(ONE, said="I come from Kyoto!"),
        replace(ONE, mind=(*ONE.mind, "I grew up in Galway, I think.")),
    ],
)
def test_what_is_true_of_others_is_a_contradiction(planted: Asked) -> None:
    found = canaries([ONE] * 30 + [planted])

    assert [one.of for one in found.readings if not one.holds] == [CONTRADICTIONS]
    assert found.contradictions[0].startswith("@ann, asked “Where did you grow up?”")


def test_who_forgets_fails_and_of_nobody_nothing_is_said() -> None:
    assert failing([ONE] * 3 + [replace(ONE, mind=())]) == [KNOWN]
    assert not hold(canaries([]).readings)


async def test_one_of_the_cast_is_itself_still_after_three_months() -> None:
    asked = await canaries_asked(first_of_the_cast(), seed=7)

    assert len(asked) == 50
    assert {one.days for one in asked} == {1, 30, 90}
    assert failing(asked) == []


async def test_a_persona_whose_facts_are_lost_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "first_memories", lambda _config: [])

    assert failing(await canaries_asked(first_of_the_cast(), seed=7)) == [KNOWN]


async def test_a_memory_that_takes_what_others_say_for_its_own_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep = SQLiteStore.add_memory

    async def muddled(store: SQLiteStore, agent_id: str, memory: Memory) -> str:
        own = {**memory.metadata, "source": "self"}
        return await keep(store, agent_id, memory.model_copy(update={"metadata": own}))

    monkeypatch.setattr(SQLiteStore, "add_memory", muddled)

    assert CONTRADICTIONS in failing(await canaries_asked(first_of_the_cast(), seed=7))
