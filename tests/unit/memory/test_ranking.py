import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from puppet_engine.core.ids import AgentId, MemoryId
from puppet_engine.core.models import StoredMemory
from puppet_engine.memory.ranking import initialisms, rank, score

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def remembered(content: str, *, hours: float = 0, importance: float = 0.5) -> StoredMemory:
    return StoredMemory(
        id=MemoryId(content),
        agent_id=AgentId("ada"),
        content=content,
        created_at=NOW - timedelta(hours=hours),
        importance=importance,
    )


def test_a_memory_that_shares_words_with_the_cue_comes_before_fresher_ones() -> None:
    about_tea = remembered("The tea house by the canal is closed on Mondays", hours=500)
    fresher = remembered("It rained all morning")

    assert rank([fresher, about_tea], "where is the tea house", now=NOW, limit=1) == [about_tea]


def test_an_abbreviation_is_found_by_what_it_stands_for() -> None:
    about_ai = remembered("AI is amazing")
    other = remembered("Blockchain technology")

    assert rank([other, about_ai], "artificial intelligence", now=NOW, limit=2)[0] == about_ai


def test_rare_words_weigh_more_than_common_ones() -> None:
    common = [remembered(f"the cat number {n}") for n in range(20)]
    rare = remembered("an axolotl lives here")

    assert rank([*common, rare], "the axolotl", now=NOW, limit=1) == [rare]


@given(st.integers(0, 12), st.integers(0, 8), st.text(max_size=40))
def test_something_always_comes_to_mind(count: int, limit: int, cue: str) -> None:
    memories = [remembered(f"memory {n}") for n in range(count)]

    assert len(rank(memories, cue, now=NOW, limit=limit)) == min(count, limit)


share = st.floats(0, 1)
hours = st.floats(0, 10_000)


@given(share, share, hours, hours, share, share)
def test_the_score_rises_with_relevance_recency_and_importance(
    r1: float, r2: float, h1: float, h2: float, i1: float, i2: float
) -> None:
    better = score(
        remembered("a", hours=min(h1, h2), importance=max(i1, i2)), relevance=max(r1, r2), now=NOW
    )
    worse = score(
        remembered("a", hours=max(h1, h2), importance=min(i1, i2)), relevance=min(r1, r2), now=NOW
    )

    assert better >= worse


def test_initialisms_are_of_neighbouring_words() -> None:
    assert "ai" in initialisms("all artificial intelligence")
    assert "aa" in initialisms("all artificial intelligence")
    assert "al" not in initialisms("all artificial intelligence")


def test_how_well_a_text_answers_is_the_same_in_every_process() -> None:
    program = """
import random
from puppet_engine.memory.ranking import _relevance
chance = random.Random(1)
rarity = {f"word{n}": chance.uniform(0.1, 7) for n in range(200)}
for _ in range(300):
    wanted, text = (frozenset(chance.sample(sorted(rarity), 40)) for _ in range(2))
    print(_relevance(text, wanted, rarity).hex())
"""
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(told) == 1
