"""Moods, relationships, tidings and decisions on PostgreSQL."""

from datetime import timedelta

import pytest
from tests.unit.storage.test_ledger_contract import ADA, POST, START
from tests.unit.storage.test_minds import BOB, DECISION, MOOD

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.minds import Tiding
from puppet_engine.core.models import EventDraft, TurnOutcome
from puppet_engine.core.moods import Impulse, MoodChange
from puppet_engine.storage.base import Arrival
from puppet_engine.storage.decisions import StoredDecisions
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger

pytestmark = pytest.mark.integration


async def test_they_are_kept_replaced_read_and_let_go(postgresql_url: str) -> None:
    storage = Storage(postgresql_url, clock=VirtualClock(START), ids=seeded_ids(1))
    await storage.open()
    ledger, events = StoredLedger(storage), StoredEvents(storage)
    decisions = StoredDecisions(storage)
    await ledger.enrol(Arrival(config=ADA))
    felt = MoodChange(event="x", impulse=Impulse(), before=MOOD, after=MOOD, reason="a reason")
    later = MOOD.model_copy(update={"valence": 0.1})
    closer = BOB.model_copy(update={"affinity": 1.0})
    (rain,) = await events.append([EventDraft(type="news.rain", due_at=START)])

    first = TurnOutcome(
        mood=MOOD,
        mood_changes=(felt,),
        relationships=(BOB,),
        intents=(POST,),
        decision=DECISION,
    )
    await ledger.commit("ada", None, first)
    await ledger.commit("ada", None, TurnOutcome(mood=later, relationships=(closer,)))
    for _ in range(2):
        await ledger.tell(
            rain, Tiding(type="news.rain", text="rain", impulse=Impulse(), happened_at=START)
        )
    (decision,) = await decisions.of_agent("ada", limit=9)

    known = await ledger.mind("ada")
    assert (known.mood, known.relationships) == (later, (closer,))
    assert [tiding.text for tiding in known.tidings] == ["rain"]
    assert decision.prompt == DECISION.prompt
    assert await decisions.why(decision.intent_id or "") == decision
    await events.purge(START + timedelta(days=1), limit=9)
    assert await decisions.of_agent("ada", limit=9) == []
    assert (await ledger.mind("ada")).mood == later
    await storage.close()
