"""What is kept of moods, relationships, tidings and decisions, by every ledger that is there."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from tests.lent_storages import LendStorage
from tests.unit.storage.test_ledger_contract import ADA, POST, START, Books, books, enrol

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.decisions import Act, Decision, Recalled
from puppet_engine.core.errors import DecisionNotFoundError, DecisionTidiedAwayError
from puppet_engine.core.ids import EventId, MemoryId, seeded_ids
from puppet_engine.core.minds import KnownMind, Tiding
from puppet_engine.core.models import Effect, Event, EventDraft, Memory, TurnOutcome
from puppet_engine.core.moods import Impulse, MoodChange, MoodState
from puppet_engine.core.relationships import Reason, Relationship
from puppet_engine.storage.base import Arrival
from puppet_engine.storage.decisions import StoredDecisions
from puppet_engine.storage.events import StoredEvents
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger

__all__ = ["books"]

HOUR = timedelta(hours=1)
MOOD = MoodState(valence=0.25, arousal=-0.5, as_of=START, unanswered=2, heard=3, told=1)
BOB = Relationship(
    handle="bob",
    familiarity=0.5,
    affinity=-0.25,
    trust=0.75,
    as_of=START,
    reasons=(Reason(at=START, what="they spoke"),),
)
DECISION = Decision(
    occasion="post.due",
    acts=(Act.POST,),
    why="an interest",
    topic="tea",
    mood=MOOD,
    mood_name="calm",
    relationship=BOB,
    chances={Act.REPLY: 0.5},
    memories=(Recalled(id=MemoryId("m1"), content="I like tea"),),
    prompt="Write about tea. " * 50,
    drafts=({"text": "Tea.", "findings": [], "score": 1.0},),
)


async def test_an_agent_that_nothing_has_moved_has_no_mind_to_read(books: Books) -> None:
    await enrol(books)

    assert await books.ledger.mind("ada") == KnownMind()


async def test_mood_and_relationships_are_kept_with_the_turn_that_changed_them(
    books: Books,
) -> None:
    await enrol(books)
    await books.ledger.commit("ada", None, TurnOutcome(mood=MOOD, relationships=(BOB,)))
    later = MOOD.model_copy(update={"valence": -1.0, "as_of": START + HOUR})

    await books.ledger.commit("ada", None, TurnOutcome(mood=later))

    known = await books.ledger.mind("ada")
    assert known.mood == later
    assert known.relationships == (BOB,)


async def test_a_turn_about_somebody_reads_the_relationship_to_them_only(books: Books) -> None:
    await enrol(books)
    eve = BOB.model_copy(update={"handle": "eve", "familiarity": 0.9})
    await books.ledger.commit("ada", None, TurnOutcome(relationships=(BOB, eve)))

    assert (await books.ledger.mind("ada", about="bob")).relationships == (BOB,)
    assert (await books.ledger.mind("ada", about="joe")).relationships == ()
    assert [known.handle for known in (await books.ledger.mind("ada")).relationships] == [
        "eve",
        "bob",
    ]


async def test_a_tiding_is_heard_by_all_or_by_the_one_it_is_for_and_grows_old(
    books: Books,
) -> None:
    await enrol(books)
    tiding = Tiding(type="news.weather", text="rain", impulse=Impulse(), happened_at=START)
    for number, agent_id in enumerate((None, "ada", "bob")):
        event = Event(
            id=EventId(f"e{number}"),
            sequence=number,
            type=tiding.type,
            agent_id=agent_id,
            due_at=START,
        )
        if isinstance(books.ledger, StoredLedger):
            storage = books.ledger._storage
            (event,) = await StoredEvents(storage).append([event_draft(event)])
        await books.ledger.tell(event, tiding)

    heard = (await books.ledger.mind("ada")).tidings

    assert [one.text for one in heard] == ["rain", "rain"]
    assert heard[0].number < heard[1].number
    books.clock.set(START + timedelta(days=3))
    assert (await books.ledger.mind("ada")).tidings == ()


def event_draft(event: Event) -> EventDraft:
    return EventDraft(type=event.type, agent_id=event.agent_id, due_at=event.due_at)


# ------------------------------------------------------------------ what only a database promises


@pytest.fixture
async def storage(lend_storage: LendStorage) -> Storage:
    storage = await lend_storage(clock=VirtualClock(START), ids=seeded_ids(1))
    await StoredLedger(storage).enrol(Arrival(config=ADA))
    return storage


async def test_a_decision_is_found_by_its_event_its_intent_and_its_post(storage: Storage) -> None:
    ledger, decisions = StoredLedger(storage), StoredDecisions(storage)
    await ledger.commit("ada", None, TurnOutcome(intents=(POST,), decision=DECISION))
    (intent,) = await ledger.intents.open("x:ada")

    found = await decisions.why(intent.id)
    await ledger.intents.complete(
        intent, Effect(result="77", memory=Memory(content="x"), events=())
    )

    assert found.model_dump(include=set(Decision.model_fields)) == DECISION.model_dump()
    assert found.intent_id == intent.id
    assert await decisions.why("77") == found
    assert await decisions.of_agent("ada", limit=9) == [found]
    assert await decisions.of_agent("ada", before=found.number, limit=9) == []
    with pytest.raises(DecisionNotFoundError, match="'nothing'"):
        await decisions.why("nothing")


async def test_silence_is_kept_with_the_event_that_it_answered(storage: Storage) -> None:
    silent = DECISION.model_copy(update={"acts": (Act.SILENCE,), "prompt": ""})
    (event,) = await StoredEvents(storage).append(
        [event_draft(Event(id=EventId("e"), sequence=1, type="post.due", due_at=START))]
    )

    await StoredLedger(storage).commit("ada", event, TurnOutcome(decision=silent))

    kept = await StoredDecisions(storage).why(event.id)
    assert (kept.acts, kept.prompt, kept.intent_id) == ((Act.SILENCE,), "", None)


async def test_a_turn_that_another_process_took_changes_no_mood(storage: Storage) -> None:
    ledger = StoredLedger(storage)
    (event,) = await StoredEvents(storage).append(
        [event_draft(Event(id=EventId("e"), sequence=1, type="post.due", due_at=START))]
    )
    await ledger.commit("ada", event, TurnOutcome(mood=MOOD))

    again = MOOD.model_copy(update={"valence": 1.0})
    await ledger.commit("ada", event, TurnOutcome(mood=again, decision=DECISION))

    assert (await ledger.mind("ada")).mood == MOOD
    assert await StoredDecisions(storage).of_agent("ada", limit=9) == []


async def test_what_was_felt_and_decided_is_let_go_with_the_events_of_its_time(
    storage: Storage,
) -> None:
    ledger = StoredLedger(storage)
    felt = MoodChange(event="x", impulse=Impulse(), before=MOOD, after=MOOD, reason="a reason")
    outcome = TurnOutcome(mood=MOOD, mood_changes=(felt,), decision=DECISION)
    await ledger.commit("ada", None, outcome)

    await StoredEvents(storage).purge(START + HOUR, limit=100)

    table = storage.model("MoodMoment")
    count = select(func.count()).select_from(table)
    assert await storage.read(lambda session: session.scalar(count)) == 0
    assert await StoredDecisions(storage).of_agent("ada", limit=9) == []
    assert (await ledger.mind("ada")).mood == MOOD


async def test_what_led_to_a_post_is_said_to_be_tidied_away_when_it_was(storage: Storage) -> None:
    ledger, decisions = StoredLedger(storage), StoredDecisions(storage)
    await ledger.commit("ada", None, TurnOutcome(intents=(POST,), decision=DECISION))
    (intent,) = await ledger.intents.open("x:ada")
    done = Effect(result="77", memory=Memory(content="x"), events=())
    await ledger.intents.complete(intent, done)

    await StoredEvents(storage).purge(START + HOUR, limit=100)

    for of in ("77", intent.id):
        with pytest.raises(DecisionTidiedAwayError, match=f"ada wanted the post '{of}'.* tidied"):
            await decisions.why(of)
    with pytest.raises(DecisionNotFoundError, match=r"none is kept now.* tidied away"):
        await decisions.why("88")
