"""A network that does all that networks do, a store that dies, and one agent between them."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from tests.fakes import FakeFeed, FakeNetwork
from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.publishing import Publisher
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import (
    NetworkRefusedError,
    NetworkUnavailableError,
    RateLimitedError,
)
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import (
    AgentConfig,
    Effect,
    Event,
    EventDraft,
    Intent,
    IntentDraft,
    IntentKind,
    IntentState,
    Post,
    TurnOutcome,
)
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.networks.capabilities import Capabilities
from puppet_engine.outbox.base import Carrier
from puppet_engine.outbox.dispatcher import Outbox
from puppet_engine.storage.base import Arrival, Ledger
from puppet_engine.storage.intent_store import Drop, IntentStore, Meter, Past, Standing

T = TypeVar("T")

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
ACCOUNT = "fickle:ada"


class Mood(StrEnum):
    """What a network does with the next request."""

    FINE = "fine"
    REQUEST_LOST = "request lost"
    REPLY_LOST = "reply lost"
    BUSY = "429"
    BUSY_WITHIN = "503, retry after"
    REFUSES = "403"
    GARBLED = "an answer nobody foresaw"


class Killed(BaseException):
    """What `kill -9` is to a test: nothing may catch it."""


class Fate:
    """Ends a process at a step from now; 0 lets it live."""

    def __init__(self) -> None:
        self.left = 0

    def step(self) -> None:
        if self.left:
            self.left -= 1
            if not self.left:
                raise Killed


class FickleNetwork(FakeNetwork):
    """One account on a feed, with a mood for each of the next requests."""

    name = "fickle"

    def __init__(
        self, feed: FakeFeed, *, can: Capabilities, refuses_repeats: bool = False
    ) -> None:
        super().__init__(feed, "ada")
        self.capabilities = can
        self.moods: list[Mood] = []
        self.fate = Fate()
        self._refuses_repeats = refuses_repeats
        self._keys: dict[str, PostId] = {}

    @override
    async def publish(
        self, text: str, *, in_reply_to: PostId | None = None, idempotency_key: str | None = None
    ) -> PostId:
        self.fate.step()
        mood = self._next_mood(knows=idempotency_key in self._keys)
        if idempotency_key in self._keys:
            post_id = self._keys[idempotency_key]
        else:
            if self._refuses_repeats and any(text == p.text for p in self._feed.posts.values()):
                raise NetworkRefusedError("said already")
            post_id = await super().publish(text, in_reply_to=in_reply_to)
        if idempotency_key is not None:
            self._keys[idempotency_key] = post_id
        self.fate.step()
        if mood is Mood.REPLY_LOST:
            raise NetworkUnavailableError("the cable is out")
        if mood is Mood.GARBLED:
            raise KeyError("id")
        return post_id

    @override
    async def own_posts(self, *, not_before: datetime) -> Sequence[Post]:
        self._next_mood()
        visible = self._feed.clock.now() - self.capabilities.visible_within
        posts = await super().own_posts(not_before=not_before)
        return [post for post in posts if post.created_at <= visible]

    def _next_mood(self, *, knows: bool = False) -> Mood:
        mood = self.moods.pop(0) if self.moods else Mood.FINE
        now = self._feed.clock.now()
        match mood:
            case Mood.REQUEST_LOST:
                raise NetworkUnavailableError("no route")
            case Mood.BUSY:
                raise RateLimitedError("fickle", resets_at=now + timedelta(minutes=15))
            case Mood.BUSY_WITHIN:
                raise NetworkUnavailableError("503", retry_at=now + timedelta(minutes=5))
            case Mood.REFUSES if not knows:
                raise NetworkRefusedError("not here")
            case _:
                return mood


class MortalIntents(IntentStore):
    """May be killed before and after each transaction."""

    def __init__(self, inner: IntentStore, fate: Fate) -> None:
        self._inner = inner
        self._fate = fate

    async def _mortally(self, work: Awaitable[T]) -> T:
        try:
            self._fate.step()
        except Killed:
            work.close()  # type: ignore[attr-defined] # a coroutine that nobody awaits
            raise
        result = await work
        self._fate.step()
        return result

    @override
    async def open(self, account: str) -> list[Intent]:
        return await self._inner.open(account)

    @override
    async def find(self, intent_id: str) -> Intent | None:
        return await self._inner.find(intent_id)

    @override
    async def unfinished(self, *, limit: int) -> list[Intent]:
        return await self._inner.unfinished(limit=limit)

    @override
    async def waiting(self) -> list[tuple[str, str]]:
        return await self._inner.waiting()

    @override
    async def standing(self, agent_id: str, account: str, *, since: datetime) -> Standing:
        return await self._inner.standing(agent_id, account, since=since)

    @override
    async def journals(
        self, agent_id: str, kind: IntentKind, *, since: datetime
    ) -> list[Mapping[str, Any]]:
        return await self._inner.journals(agent_id, kind, since=since)

    @override
    async def results(self, account: str, *, since: datetime) -> set[str]:
        return await self._inner.results(account, since=since)

    @override
    async def past(self, agent_id: str, *, limit: int) -> Past:
        return await self._inner.past(agent_id, limit=limit)

    @override
    async def alike(self, agent_id: str, marks: Sequence[int], *, limit: int) -> Past:
        return await self._inner.alike(agent_id, marks, limit=limit)

    @override
    async def begin(
        self, intent: Intent, journal: Mapping[str, Any], *, cost: int, meter: Meter
    ) -> Intent:
        return await self._mortally(self._inner.begin(intent, journal, cost=cost, meter=meter))

    @override
    async def release(self, intent: Intent) -> Intent:
        return await self._mortally(self._inner.release(intent))

    @override
    async def hold(
        self,
        intent: Intent,
        *,
        state: IntentState,
        error: str,
        not_before: datetime,
        meter: Meter | None = None,
        events: Sequence[EventDraft] = (),
    ) -> list[Event]:
        return await self._mortally(
            self._inner.hold(
                intent,
                state=state,
                error=error,
                not_before=not_before,
                meter=meter,
                events=events,
            )
        )

    @override
    async def complete(
        self, intent: Intent, effect: Effect, *, meter: Meter | None = None
    ) -> list[Event]:
        return await self._mortally(self._inner.complete(intent, effect, meter=meter))

    @override
    async def drop(self, intent: Intent, end: Drop) -> list[Event]:
        return await self._mortally(self._inner.drop(intent, end))


class Stage:
    """Ada, her fickle network, and an outbox that can be killed and built anew."""

    def __init__(
        self, ledger: Ledger, clock: VirtualClock, network: FickleNetwork, **terms: Any
    ) -> None:
        self.ledger = ledger
        self.clock = clock
        self.network = network
        self.told: list[Event] = []
        self.intents = MortalIntents(ledger.intents, network.fate)
        self._terms = terms
        self._more: dict[str, Any] = {"patience": terms.pop("patience", None)}
        self.outbox = self._new_outbox()

    def restart(self) -> None:
        """Be a new process on the same database."""
        self.network.fate.left = 0
        self.outbox = self._new_outbox()

    def _new_outbox(self) -> Outbox:
        return Outbox(
            intents=self.intents,
            clock=self.clock,
            accept=self.told.extend,
            find=self.carrier,
            **self._more,
        )

    @asynccontextmanager
    async def carrier(self, intent: Intent) -> AsyncGenerator[Carrier | None]:
        agent = Agent(AgentConfig(id=intent.agent_id, name="Ada"))
        publisher = Publisher(
            agent=agent, network=self.network, intents=self.intents, clock=self.clock
        )
        yield Carrier(performer=publisher, network="fickle", **self._terms)

    async def enrol(self) -> None:
        await self.ledger.enrol(Arrival(config=AgentConfig(id="ada", name="Ada")))

    async def want(self, *texts: str, expires_after: timedelta = timedelta(hours=6)) -> None:
        """Let Ada want to say these."""
        drafts = tuple(
            IntentDraft(
                kind=IntentKind.POST,
                payload={"text": text},
                account=ACCOUNT,
                expires_at=self.clock.now() + expires_after,
            )
            for text in texts
        )
        await self.ledger.commit("ada", None, TurnOutcome(intents=drafts))

    async def until_idle(self) -> None:
        """Let time pass until nothing is open."""
        for _ in range(100):
            await self.outbox.clear(ACCOUNT)
            if not await self.intents.open(ACCOUNT):
                return
            self.clock.advance(timedelta(minutes=20))
        raise AssertionError(f"still open: {await self.intents.open(ACCOUNT)}")

    def said(self) -> list[str]:
        """Return what can be read on the network."""
        return [post.text for post in self._posts()]

    def _posts(self) -> Sequence[Post]:
        return list(self.network._feed.posts.values())

    def failures(self) -> list[str]:
        """Return the errors that were told."""
        return [str(e.payload["error"]) for e in self.told if e.type == "agent.failed"]


MakeNetwork = Callable[[FakeFeed], SocialNetwork]
