"""What says the same in other words is known by what it means."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import NotRunningError
from puppet_engine.core.ids import random_id
from puppet_engine.core.personas import AgentConfig
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.likeness import likeness_by
from puppet_engine.style.gate import Gate
from puppet_engine.style.repetition import NEAR, RepetitionGuard, near_likeness

SAID = "A good sentence is like a well built chair: you only notice the bad ones"
AGAIN = "You only notice the bad ones: a well made chair is like a good sentence"
OTHER = "A well built chair is worth a day of work, and I sat in one at the fair"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 1, 5, tzinfo=UTC))


@pytest.fixture(params=["static", "minilm"])
async def storage(request: pytest.FixtureRequest, clock: VirtualClock) -> AsyncGenerator[Storage]:
    opened = Storage("sqlite:///:memory:", clock=clock, ids=random_id, embedder=request.param)
    await opened.open()
    yield opened
    await opened.close()


def test_a_planted_paraphrase_is_found_that_no_word_check_finds(storage: Storage) -> None:
    likeness = likeness_by(storage)
    gate = Gate(AgentConfig(id="ada", name="Ada"), likeness=likeness)

    assert near_likeness(AGAIN, SAID) < NEAR
    assert list(RepetitionGuard().check(AGAIN, own=[SAID])) == []
    assert [one.rule for one in gate.judge(AGAIN, own=[SAID]) if one.is_hard] == ["repetition.own"]
    assert [one.rule for one in gate.judge(AGAIN, own=[], cast=[SAID]) if one.is_hard] == [
        "repetition.cast"
    ]


def test_what_merely_has_the_same_theme_may_leave(storage: Storage) -> None:
    found = RepetitionGuard(likeness_by(storage)).check(OTHER, own=[SAID])

    assert [one.rule for one in found if one.is_hard] == []


def test_likeness_is_the_same_both_ways_and_whole_for_oneself(storage: Storage) -> None:
    likeness = likeness_by(storage)
    assert likeness is not None

    assert likeness(SAID, SAID) == pytest.approx(1, abs=1e-4)
    assert likeness(SAID, OTHER) == pytest.approx(likeness(OTHER, SAID), abs=1e-6)
    assert 0 <= likeness(SAID, OTHER) < likeness(SAID, AGAIN)


async def test_without_an_embedder_words_alone_decide(clock: VirtualClock) -> None:
    closed = Storage("sqlite:///:memory:", clock=clock, ids=random_id)

    assert likeness_by(closed) is None
    with pytest.raises(NotRunningError):
        closed.meaning(SAID)
