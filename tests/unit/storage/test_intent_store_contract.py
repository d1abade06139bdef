"""What every store of intents promises, of all that are there."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes import FakeMemoryStore
from tests.lent_storages import LendStorage

from puppet_engine.agents.direct_ledger import DirectLedger
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import StorageError
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.models import (
    AgentConfig,
    Effect,
    EventDraft,
    Intent,
    IntentDraft,
    IntentKind,
    IntentState,
    Memory,
    TurnOutcome,
)
from puppet_engine.core.settings import Settings
from puppet_engine.memory.base import MemoryStore
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.base import Arrival, Ledger
from puppet_engine.storage.intent_store import Drop, IntentStore, Meter
from puppet_engine.storage.ledger import StoredLedger

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
POST = IntentDraft(
    kind=IntentKind.POST, payload={"text": "hello"}, account="x:ada", expires_at=START + HOUR
)
TOLD = EventDraft(type="post.published", due_at=START, agent_id="ada")
EFFECT = Effect(result="77", memory=Memory(content="I posted: hello"), events=(TOLD,))


@dataclass
class Books:
    ledger: Ledger
    memory: MemoryStore
    clock: VirtualClock

    @property
    def intents(self) -> IntentStore:
        return self.ledger.intents

    async def want(self, *drafts: IntentDraft, agent_id: str = "ada") -> list[Intent]:
        """Commit a turn that wants these, and return what is open on the account of the last."""
        await self.ledger.enrol(Arrival(config=AgentConfig(id=agent_id, name=agent_id.title())))
        await self.ledger.commit(agent_id, None, TurnOutcome(intents=drafts))
        return await self.intents.open(drafts[-1].account)

    async def begin(self, intent: Intent, **journal: Any) -> Intent:
        return await self.intents.begin(intent, journal, cost=5, meter=Meter())

    async def contents(self) -> list[str]:
        return [memory.content for memory in await self.memory.get_memories("ada")]


@pytest.fixture(
    params=["direct", "memory", pytest.param("postgresql", marks=pytest.mark.integration)]
)
async def books(request: pytest.FixtureRequest, lend_storage: LendStorage) -> Books:
    clock = VirtualClock(START)
    if request.param == "direct":
        memory = FakeMemoryStore(clock)
        return Books(DirectLedger(memory=memory, clock=clock, ids=seeded_ids(1)), memory, clock)
    storage = await lend_storage(clock=clock, ids=seeded_ids(1), kind=request.param)
    return Books(StoredLedger(storage), SQLiteStore(Settings(), storage=storage), clock)


async def test_an_intent_is_kept_as_it_was_wanted(books: Books) -> None:
    (intent,) = await books.want(POST)

    assert (intent.kind, intent.payload, intent.account) == (
        IntentKind.POST,
        {"text": "hello"},
        "x:ada",
    )
    assert (intent.state, intent.created_at) == (IntentState.PENDING, START)
    assert (intent.expires_at, intent.attempts, intent.failures) == (START + HOUR, 0, 0)


async def test_an_intent_is_journalled_then_done_with_its_memory(books: Books) -> None:
    (intent,) = await books.want(POST)

    begun = await books.begin(intent, note="before")
    (open_one,) = await books.intents.open("x:ada")
    events = await books.intents.complete(begun, EFFECT)

    assert open_one == begun
    assert (begun.state, begun.journal) == (IntentState.SENDING, {"note": "before"})
    assert (begun.attempts, begun.begun_at, begun.cost) == (1, START, 5)
    assert [event.type for event in events] == ["post.published"]
    assert await books.intents.open("x:ada") == []
    assert await books.contents() == ["I posted: hello"]


async def test_a_released_intent_is_pending_again_and_knows_its_attempts(books: Books) -> None:
    (intent,) = await books.want(POST)

    await books.intents.release(await books.begin(intent))

    (again,) = await books.intents.open("x:ada")
    assert (again.id, again.state, again.attempts) == (intent.id, IntentState.PENDING, 1)


async def test_an_intent_that_waits_says_why_and_until_when(books: Books) -> None:
    (intent,) = await books.want(POST)
    begun = (await books.begin(intent)).model_copy(update={"failures": 1})

    events = await books.intents.hold(
        begun,
        state=IntentState.SENDING,
        error="no answer",
        not_before=START + HOUR,
        meter=Meter(closed_until=START + HOUR),
        events=[TOLD],
    )

    (held,) = await books.intents.open("x:ada")
    assert (held.state, held.error, held.failures) == (IntentState.SENDING, "no answer", 1)
    assert held.not_before == START + HOUR
    assert len(events) == 1
    standing = await books.intents.standing("ada", "x:ada", since=START)
    assert standing.meter == Meter(closed_until=START + HOUR)


@pytest.mark.parametrize("state", [IntentState.REFUSED, IntentState.EXPIRED])
async def test_a_dropped_intent_is_over_and_leaves_what_it_is_told_to(
    books: Books, state: IntentState
) -> None:
    (intent,) = await books.want(POST)
    regret = Memory(content="I did not say it")

    events = await books.intents.drop(
        intent, Drop(state=state, reason="late", memory=regret, events=[TOLD])
    )

    assert len(events) == 1
    assert await books.intents.open("x:ada") == []
    assert await books.contents() == ["I did not say it"]


async def test_open_intents_come_in_their_order_and_only_of_the_account(books: Books) -> None:
    drafts = [POST.model_copy(update={"payload": {"text": str(n)}}) for n in range(3)]
    await books.want(POST.model_copy(update={"account": "x:bob"}), agent_id="bob")

    intents = await books.want(*drafts)

    assert [intent.payload["text"] for intent in intents] == ["0", "1", "2"]
    assert await books.intents.waiting() == [("x:ada", "ada"), ("x:bob", "bob")]
    oldest = await books.intents.unfinished(limit=2)
    assert [intent.account for intent in oldest] == ["x:bob", "x:ada"]


async def test_what_is_over_waits_no_longer(books: Books) -> None:
    (intent,) = await books.want(POST)

    await books.intents.complete(await books.begin(intent), EFFECT)

    assert await books.intents.waiting() == []


async def test_journals_of_attempts_can_be_looked_back_at(books: Books) -> None:
    trade = IntentDraft(kind=IntentKind.TRADE, payload={}, account="x:ada")
    old, post, new = await books.want(trade, POST, trade)
    await books.intents.complete(await books.begin(old, n=1), EFFECT)
    books.clock.advance(2 * HOUR)
    await books.begin(post, n=2)
    await books.begin(new, n=3)

    async def since(moment: datetime) -> list[Any]:
        found = await books.intents.journals("ada", IntentKind.TRADE, since=moment)
        return [dict(journal) for journal in found]

    assert await since(START) == [{"n": 1}, {"n": 3}]
    assert await since(START + HOUR) == [{"n": 3}]


async def test_a_budget_counts_what_was_done_and_what_may_have_been(books: Books) -> None:
    done, unknown, released, refused, _ = await books.want(POST, POST, POST, POST, POST)
    await books.intents.complete(await books.begin(done), EFFECT)
    await books.begin(unknown)
    await books.intents.release(await books.begin(released))
    await books.intents.drop(
        await books.begin(refused), Drop(state=IntentState.REFUSED, reason="no")
    )

    standing = await books.intents.standing("ada", "x:ada", since=START)
    books.clock.advance(HOUR)
    later = await books.intents.standing("ada", "x:ada", since=START + HOUR)
    other = await books.intents.standing("bob", "x:ada", since=START)

    assert (standing.intents, standing.cost) == (2, 10)
    assert (later.intents, later.cost) == (0, 0)
    assert (other.intents, other.cost) == (0, 0)


async def test_the_ids_of_what_an_account_did_are_known(books: Books) -> None:
    done, _ = await books.want(POST, POST)
    await books.intents.complete(await books.begin(done), EFFECT)

    assert await books.intents.results("x:ada", since=START) == {"77"}
    assert await books.intents.results("x:bob", since=START) == set()
    assert await books.intents.results("x:ada", since=START + HOUR) == set()


async def test_an_intent_that_somebody_else_has_begun_is_not_begun_again(books: Books) -> None:
    (intent,) = await books.want(POST)
    await books.begin(intent)

    with pytest.raises(StorageError, match="changed by somebody else"):
        await books.begin(intent)


async def test_an_intent_that_is_over_cannot_be_ended_again(books: Books) -> None:
    (intent,) = await books.want(POST)
    begun = await books.begin(intent)
    await books.intents.complete(begun, EFFECT)

    with pytest.raises(StorageError, match="changed by somebody else"):
        await books.intents.drop(begun, Drop(state=IntentState.REFUSED, reason="no"))

    assert await books.contents() == ["I posted: hello"]


async def test_what_shares_a_mark_is_found_however_long_ago_it_was_said(books: Books) -> None:
    def say(text: str, handle: str, *marks: int) -> IntentDraft:
        payload = {"text": text, "marks": list(marks)}
        return IntentDraft(kind=IntentKind.POST, payload=payload, account=f"x:{handle}")

    (first,) = await books.want(say("long ago", "ada", 1, -(2**63)))
    await books.intents.complete(await books.begin(first), EFFECT)
    (refused,) = await books.want(say("never heard", "ada", 1))
    await books.intents.drop(refused, Drop(state=IntentState.REFUSED, reason="no"))
    for number in range(5):
        await books.want(say(f"of something else {number}", "ada", 7 + number))
    await books.want(say("of another", "bob", 2**63 - 1), agent_id="bob")
    await books.want(say("again", "ada", 5, 1))

    alike = await books.intents.alike("ada", [1, 2**63 - 1, 4], limit=10)

    assert alike.own == ("again", "long ago")
    assert alike.cast == ("of another",)
    assert (await books.intents.alike("ada", [-(2**63)], limit=10)).own == ("long ago",)
    assert (await books.intents.alike("ada", [1], limit=1)).own == ("again",)
    assert (await books.intents.alike("ada", [4], limit=10)).own == ()


async def test_what_shares_most_marks_is_found_though_many_later_texts_share_one(
    books: Books,
) -> None:
    def say(text: str, *marks: int) -> IntentDraft:
        payload = {"text": text, "marks": list(marks)}
        return IntentDraft(kind=IntentKind.POST, payload=payload, account="x:ada")

    await books.want(say("as good as the same", 1, 2, 3))
    for number in range(5):
        await books.want(say(f"alike in part {number}", 1, 10 + number))

    alike = await books.intents.alike("ada", [1, 2, 3, 4], limit=3)

    assert alike.own == ("as good as the same", "alike in part 4", "alike in part 3")


async def test_what_was_said_is_told_newest_first_and_apart_from_what_others_said(
    books: Books,
) -> None:
    def say(text: str, handle: str) -> IntentDraft:
        return IntentDraft(kind=IntentKind.POST, payload={"text": text}, account=f"x:{handle}")

    (first,) = await books.want(say("first", "ada"))
    await books.intents.complete(await books.begin(first), EFFECT)
    (refused,) = await books.want(say("never heard", "ada"))
    await books.intents.drop(refused, Drop(state=IntentState.REFUSED, reason="no"))
    await books.want(say("of another", "bob"), agent_id="bob")
    books.clock.set(START + HOUR)
    (begun,) = await books.want(say("begun", "ada"))
    await books.begin(begun)
    await books.want(IntentDraft(kind=IntentKind.TRADE, payload={}, account="chain:ada"))
    await books.want(say("waiting", "ada"))

    past = await books.intents.past("ada", limit=10)

    assert past.own == ("waiting", "begun", "first")
    assert past.cast == ("of another",)
    assert (await books.intents.past("ada", limit=2)).own == ("waiting", "begun")


async def test_what_goes_on_names_what_it_follows_which_can_be_found(books: Books) -> None:
    first, second = await books.want(POST, POST.model_copy(update={"goes_on": True}))

    assert (first.follows, second.follows) == (None, first.id)
    assert await books.intents.find(first.id) == first
    assert await books.intents.find("nobody") is None

    await books.intents.complete(await books.begin(first, under="9"), EFFECT)

    done = await books.intents.find(first.id)
    assert done is not None
    assert (done.state, done.result, done.journal) == (IntentState.DONE, "77", {"under": "9"})
