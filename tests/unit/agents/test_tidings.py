"""News on their way from an event to a mood and a post, through a whole engine."""

from datetime import UTC, datetime, timedelta

from tests.fakes import FakeFeed, ScriptedLLM
from tests.unit.agents.conftest import ADA
from tests.unit.agents.test_agent_manager import Engine, storage

from puppet_engine.core.decisions import Act
from puppet_engine.core.models import EventDraft, TurnOutcome
from puppet_engine.storage.decisions import StoredDecisions
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger

__all__ = ["storage"]

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
SORROW = {"topic": "the flooded mill", "valence": -1, "arousal": 0.5}


def news(**more: object) -> EventDraft:
    return EventDraft.model_validate(
        {"type": "news.town", "due_at": START, "payload": SORROW, **more}
    )


async def test_an_agent_hears_of_news_in_its_next_turn_and_remembers_what_moved_it(
    storage: Storage, feed: FakeFeed
) -> None:
    engine = Engine(storage, feed)
    await engine.manager.create_agent(ADA)
    await engine.manager.start_agents()
    await engine.events.append([news()])
    await engine.engine.run_until(START + HOUR)

    known = await StoredLedger(storage).mind("ada")
    assert known.mood is not None
    assert known.mood.valence < -0.4
    assert known.mood.heard == known.tidings[0].number
    (decision,) = await StoredDecisions(storage).of_agent("ada", limit=9)
    assert decision.acts == (Act.POST,)
    assert decision.mood.valence == known.mood.valence


async def test_news_for_one_agent_move_nobody_else(storage: Storage, feed: FakeFeed) -> None:
    engine = Engine(storage, feed)
    await engine.manager.create_agent({**ADA, "id": "eve", "handle": "eve"})
    await engine.manager.start_agents()
    await engine.events.append([news(agent_id="bob")])
    await engine.engine.run_until(START + HOUR)

    known = await StoredLedger(storage).mind("eve")
    assert known.tidings == ()
    assert known.mood is not None
    assert known.mood.valence == 0


async def test_a_post_that_is_asked_for_is_moved_and_explained_as_any_other(
    storage: Storage, feed: FakeFeed
) -> None:
    engine = Engine(storage, feed, default_llm_provider=ScriptedLLM("Poor mill."))
    await engine.manager.create_agent(ADA)
    await engine.manager.start_agents()
    (event,) = await engine.events.append([news()])
    assert await engine.manager._turns.consume(event)

    post_id = await engine.manager.trigger_post("ada", {"topic": "grief"})

    decision = await StoredDecisions(storage).why(post_id)
    assert (decision.topic, decision.why) == ("grief", "somebody asked for it")
    assert decision.mood.valence < -0.4


async def test_news_that_were_given_up_are_over_and_told_to_nobody(
    storage: Storage, feed: FakeFeed
) -> None:
    engine = Engine(storage, feed)
    (event,) = await engine.events.append([news()])

    await engine.manager._turns.abandon(event, error="no luck")

    assert [letter.error for letter in await engine.events.dead_letters(before=None, limit=9)] == [
        "no luck"
    ]
    await StoredLedger(storage).commit("ada", None, TurnOutcome())
    assert (await StoredLedger(storage).mind("ada")).tidings == ()
