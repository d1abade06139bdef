"""Intents in this process's memory: for engines whose life need not outlast them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from typing_extensions import override

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import StorageError
from puppet_engine.core.ids import AgentId, IdFactory, IntentId
from puppet_engine.core.models import (
    FOLLOWS,
    Effect,
    Event,
    EventDraft,
    Intent,
    IntentDraft,
    IntentKind,
    IntentState,
    Memory,
)
from puppet_engine.storage.intent_store import Drop, IntentStore, Meter, Past, Standing
from puppet_engine.storage.said_prints import MARKS

REMEMBERED: Final = timedelta(days=2)
"""How long what is settled counts: longer than any budget or limit looks back."""

OPEN: Final = frozenset({IntentState.PENDING, IntentState.SENDING})
COUNTED: Final = frozenset({IntentState.SENDING, IntentState.DONE})


class InMemoryIntents(IntentStore):
    """Keeps intents in a dictionary; memories and events go to where they belong."""

    def __init__(
        self,
        *,
        clock: Clock,
        ids: IdFactory,
        remember: Callable[[str, Memory], Awaitable[object]],
        number: Callable[[Sequence[EventDraft]], list[Event]],
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._remember = remember
        self._number = number
        self._intents: dict[str, Intent] = {}
        self._settled_at: dict[str, datetime] = {}
        self._meters: dict[str, Meter] = {}

    def add(self, agent_id: str, drafts: Sequence[IntentDraft]) -> None:
        """Keep what an agent wants done outside."""
        last = ""
        for draft in drafts:
            wanted = draft.model_dump()
            if draft.goes_on:
                wanted["payload"] = {**draft.payload, FOLLOWS: last}
            last = self._ids()
            intent = Intent(
                **wanted,
                id=IntentId(last),
                agent_id=AgentId(agent_id),
                created_at=self._clock.now(),
            )
            self._intents[intent.id] = intent

    @override
    async def open(self, account: str) -> list[Intent]:
        return [each for each in self._of(account) if each.state in OPEN]

    @override
    async def find(self, intent_id: str) -> Intent | None:
        return self._intents.get(intent_id)

    @override
    async def unfinished(self, *, limit: int) -> list[Intent]:
        return [each for each in self._intents.values() if each.state in OPEN][:limit]

    @override
    async def waiting(self) -> list[tuple[str, str]]:
        unfinished = (each for each in self._intents.values() if each.state in OPEN)
        return sorted({(each.account, str(each.agent_id)) for each in unfinished})

    @override
    async def standing(self, agent_id: str, account: str, *, since: datetime) -> Standing:
        used = [
            each
            for each in self._of(account)
            if each.agent_id == agent_id and each.state in COUNTED and _begun_since(each, since)
        ]
        meter = self._meters.get(account, Meter())
        return Standing(intents=len(used), cost=sum(each.cost for each in used), meter=meter)

    @override
    async def journals(
        self, agent_id: str, kind: IntentKind, *, since: datetime
    ) -> list[Mapping[str, Any]]:
        return [
            each.journal
            for each in self._intents.values()
            if each.agent_id == agent_id and each.kind is kind and _begun_since(each, since)
        ]

    @override
    async def results(self, account: str, *, since: datetime) -> set[str]:
        done = (each for each in self._of(account) if each.state is IntentState.DONE)
        return {each.result for each in done if self._settled_at[each.id] >= since}

    @override
    async def past(self, agent_id: str, *, limit: int) -> Past:
        said = [
            (each.agent_id, str(each.payload["text"]))
            for each in reversed(self._intents.values())
            if "text" in each.payload and each.state in {*OPEN, IntentState.DONE}
        ]
        own = [text for whose, text in said if whose == agent_id]
        cast = [text for whose, text in said[:limit] if whose != agent_id]
        return Past(own=tuple(own[:limit]), cast=tuple(cast))

    @override
    async def alike(self, agent_id: str, marks: Sequence[int], *, limit: int) -> Past:
        wanted = frozenset(marks)
        sharing = [
            (len(wanted.intersection(each.payload.get(MARKS, ()))), each)
            for each in reversed(self._intents.values())
            if each.state in {*OPEN, IntentState.DONE}
        ]
        sharing.sort(key=lambda entry: -entry[0])  # of those that share as much, the newest
        said = [
            (each.agent_id, str(each.payload["text"]))
            for shared, each in sharing[:limit]
            if shared
        ]
        return Past(
            own=tuple(dict.fromkeys(text for whose, text in said if whose == agent_id)),
            cast=tuple(dict.fromkeys(text for whose, text in said if whose != agent_id)),
        )

    def _of(self, account: str) -> list[Intent]:
        return [each for each in self._intents.values() if each.account == account]

    @override
    async def begin(
        self, intent: Intent, journal: Mapping[str, Any], *, cost: int, meter: Meter
    ) -> Intent:
        self._meters[intent.account] = meter
        return self._change(
            intent,
            state=IntentState.SENDING,
            journal=dict(journal),
            cost=cost,
            begun_at=self._clock.now(),
            attempts=intent.attempts + 1,
        )

    @override
    async def release(self, intent: Intent) -> Intent:
        return self._change(intent, state=IntentState.PENDING)

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
        self._change(
            intent, state=state, error=error, not_before=not_before, failures=intent.failures
        )
        if meter is not None:
            self._meters[intent.account] = meter
        return self._number(events)

    @override
    async def complete(
        self, intent: Intent, effect: Effect, *, meter: Meter | None = None
    ) -> list[Event]:
        self._end(intent, IntentState.DONE, effect.result)
        if meter is not None:
            self._meters[intent.account] = meter
        await self._remember(intent.agent_id, effect.memory)
        return self._number(effect.events)

    @override
    async def drop(self, intent: Intent, end: Drop) -> list[Event]:
        self._end(intent, end.state, end.reason)
        if end.memory is not None:
            await self._remember(intent.agent_id, end.memory)
        return self._number(end.events)

    def _end(self, intent: Intent, state: IntentState, result: str) -> None:
        now = self._clock.now()
        self._change(intent, state=state, result=result)
        self._settled_at[intent.id] = now
        for old in [each for each, at in self._settled_at.items() if at < now - REMEMBERED]:
            del self._settled_at[old], self._intents[old]

    def _change(self, intent: Intent, **change: Any) -> Intent:
        known = self._intents[intent.id]
        if (known.state, known.attempts) != (intent.state, intent.attempts):
            raise StorageError(f"the intent {intent.id} was changed by somebody else")
        self._intents[intent.id] = changed = known.model_copy(update=change)
        return changed


def _begun_since(intent: Intent, moment: datetime) -> bool:
    return intent.begun_at is not None and intent.begun_at >= moment
