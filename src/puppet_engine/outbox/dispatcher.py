"""Carries out what agents want done outside: one at a time per account, oldest first.

An intent is journalled before each attempt.
When an attempt ends without an answer, or the process is killed in its midst,
the outcome is looked up before anything else of that account goes out.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import (
    ChainUnavailableError,
    CircuitOpenError,
    IntentExpiredError,
    MissingCredentialError,
    NetworkRefusedError,
    NetworkUnavailableError,
    OutboxError,
    RateLimitedError,
    StorageError,
    TradeError,
)
from puppet_engine.core.models import Event, EventDraft, Intent, IntentState
from puppet_engine.outbox.backoff import full_jitter
from puppet_engine.outbox.base import CLEAR_OUTBOX, Carrier, Clearance, FindCarrier
from puppet_engine.outbox.breaker import BreakerReading, CircuitBreaker
from puppet_engine.outbox.passage import NotYetError, Passage, is_late, too_late
from puppet_engine.outbox.patience import Patience
from puppet_engine.storage.intent_store import Drop, IntentStore, Meter

log = logging.getLogger(__name__)

WAITS: Final = (
    RateLimitedError,
    CircuitOpenError,
    MissingCredentialError,
    NetworkUnavailableError,
    ChainUnavailableError,
)
"""What keeps an intent in the outbox; all else ends it."""


@dataclass
class _Lane:
    """The way out of one account."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    task: asyncio.Task[None] | None = None
    is_wanted: bool = False
    users: int = 0
    """How many hold the lock or wait for it."""


class Clear(Protocol):
    """Carries out the open intents of an account that is reserved."""

    def __call__(self, *, at_once: bool) -> Awaitable[Clearance]: ...


class Outbox:
    """The intents of all agents, on their way out."""

    def __init__(
        self,
        *,
        intents: IntentStore,
        clock: Clock,
        accept: Callable[[Sequence[Event]], None],
        find: FindCarrier,
        seed: int = 0,
        patience: Patience | None = None,
    ) -> None:
        self._intents = intents
        self._clock = clock
        self._accept = accept
        self._find = find
        self._seed = seed
        self._patience = patience or Patience()
        self._lanes: dict[str, _Lane] = {}
        self._breakers: dict[str, CircuitBreaker] = {}
        self._reminded: dict[str, datetime] = {}
        """When the next `CLEAR_OUTBOX` of an account that this process has set is due."""
        self._failure: Exception | None = None

    def networks(self) -> list[BreakerReading]:
        """Return how each network does that was asked since the process began."""
        return [self._breakers[name].read() for name in sorted(self._breakers)]

    async def unfinished(self, *, limit: int) -> list[Intent]:
        """Return what is on its way out, oldest first, `limit` at the most."""
        return await self._intents.unfinished(limit=limit)

    # -------------------------------------------------------------- when

    def kick(self, account: str) -> None:
        """Have an account's intents carried out in the background; does not wait for it.

        Raises:
            StorageError: an earlier one could not be noted.

        """
        self._raise_failure()
        lane = self._lane(account)
        lane.is_wanted = True
        if lane.task is None:
            lane.task = asyncio.create_task(self._run(account, lane), name=f"outbox {account}")

    async def drain(self) -> None:
        """Wait until all that was kicked is done. Raises what `kick` raises."""
        while tasks := [lane.task for lane in self._lanes.values() if lane.task is not None]:
            await asyncio.gather(*tasks)
        self._raise_failure()

    async def clear(self, account: str, *, at_once: bool = False) -> Clearance:
        """Carry out an account's open intents, oldest first, and return what came of them.

        What is refused holds nobody up; an intent whose outcome is unknown, or that has to wait,
        holds up all that came after it. It is tried again when its moment has come.
        """
        async with self.reserved(account) as clear:
            return await clear(at_once=at_once)

    @contextlib.asynccontextmanager
    async def reserved(self, account: str) -> AsyncGenerator[Clear]:
        """Keep an account to oneself, and get what clears it, `at_once` or with patience."""
        lane = self._lane(account)
        lane.users += 1
        try:
            async with lane.lock:
                yield partial(self._pass, account)
        finally:
            lane.users -= 1
            self._leave(account, lane)

    def remind(self, account: str) -> None:
        """Take note that an account's `CLEAR_OUTBOX` has come."""
        self._reminded.pop(account, None)

    def _lane(self, account: str) -> _Lane:
        return self._lanes.setdefault(account, _Lane())

    async def _run(self, account: str, lane: _Lane) -> None:
        try:
            with self._clock.in_flight():
                while lane.is_wanted:
                    lane.is_wanted = False
                    await self.clear(account)
        except Exception as error:  # the border of a background task
            log.exception("the outbox of %s cannot be noted", account)
            self._failure = error
        finally:
            lane.task = None
            self._leave(account, lane)

    def _leave(self, account: str, lane: _Lane) -> None:
        """Forget the way out of an account that nobody uses: there may be a million of them."""
        if lane.task is None and not lane.users:
            self._lanes.pop(account, None)

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    # -------------------------------------------------------------- what

    async def _pass(self, account: str, *, at_once: bool) -> Clearance:
        clearance = Clearance()
        held_up: Exception | None = None
        unfinished = await self._intents.open(account)
        # What may have happened comes before what certainly has not.
        for intent in sorted(unfinished, key=lambda one: one.state is not IntentState.SENDING):
            async with self._find(intent) as carrier:
                if held_up is None:
                    held_up = await self._advance(intent, carrier, clearance, at_once=at_once)
                elif is_late(intent, self._clock.now()):
                    await self._drop(intent, too_late(intent), clearance, carrier)
        return Clearance(clearance.effects, clearance.drops, held_up)

    async def _advance(
        self, intent: Intent, carrier: Carrier | None, clearance: Clearance, *, at_once: bool
    ) -> Exception | None:
        """Carry an intent out as far as it goes, and return what holds it up, if anything."""
        if carrier is None:
            return await self._miss(intent, clearance)
        passage = self._passage(intent, carrier)
        try:
            effect = await passage.go(at_once=at_once)
        except StorageError:
            raise  # nothing can be noted; what was begun is looked up later
        except Exception as error:  # noqa: BLE001 - whatever it is becomes fact, and is told
            return await self._settle(passage, error, clearance, carrier)
        events = await self._intents.complete(passage.intent, effect, meter=passage.meter)
        self._accept(events)
        clearance.effects.append((passage.intent, effect))
        return None

    async def _settle(
        self, passage: Passage, error: Exception, clearance: Clearance, carrier: Carrier
    ) -> Exception | None:
        """Note what an error means to an intent; return it when the intent has to wait."""
        is_final = isinstance(error, OutboxError | NetworkRefusedError | TradeError)
        if isinstance(error, NotYetError):
            await self._put_off(passage.intent, error.until)
        elif is_final and not isinstance(error, WAITS):
            await self._drop(passage.intent, error, clearance, carrier)
            return None
        else:
            if not isinstance(error, WAITS):  # what no adapter foresaw
                log.error("%s %s failed", passage.intent.kind, passage.intent.id, exc_info=error)
            await self._hold(passage, error)
        return error

    def _passage(self, intent: Intent, carrier: Carrier) -> Passage:
        breaker = self._breakers.get(carrier.network)
        if breaker is None:
            breaker = CircuitBreaker(carrier.network, clock=self._clock)
            self._breakers[carrier.network] = breaker
        return Passage(
            intent,
            carrier,
            intents=self._intents,
            clock=self._clock,
            breaker=breaker,
            patience=self._patience,
        )

    # -------------------------------------------------------------- what is noted of it

    async def _miss(self, intent: Intent, clearance: Clearance) -> Exception | None:
        """Hold up an intent that nobody can carry out in this process.

        Not refused: the operator may only have forgotten a key, this time.
        """
        now = self._clock.now()
        if is_late(intent, now):
            await self._drop(intent, too_late(intent), clearance, None)
            return None
        error = MissingCredentialError(f"what {intent.agent_id!r} wants done", [intent.kind])
        await self._keep(intent, error, now + self._patience.missing_wait, state=intent.state)
        return error

    async def _hold(self, passage: Passage, error: Exception) -> None:
        intent = passage.intent
        until = self._until(intent, error)
        log.warning("%s of %s waits: %s", intent.kind, intent.agent_id, _told(error))
        await self._keep(intent, error, until, state=passage.state, meter=passage.meter)

    def _until(self, intent: Intent, error: Exception) -> datetime:
        now = self._clock.now()
        if isinstance(error, RateLimitedError | CircuitOpenError):
            return error.resets_at
        if isinstance(error, MissingCredentialError):
            return now + self._patience.missing_wait
        chance = random.Random(  # noqa: S311 - no secret
            f"{self._seed}:outbox:{intent.id}:{intent.failures}"
        )
        first, longest = self._patience.first_wait, self._patience.longest_wait
        until = now + full_jitter(intent.failures + 1, first=first, longest=longest, chance=chance)
        if isinstance(error, NetworkUnavailableError) and error.retry_at is not None:
            until = max(until, error.retry_at)
        return until

    async def _keep(
        self,
        intent: Intent,
        error: Exception,
        until: datetime,
        *,
        state: IntentState,
        meter: Meter | None = None,
    ) -> None:
        is_failure = not isinstance(error, RateLimitedError | CircuitOpenError)
        events = [self._failed(intent, error)] if is_failure and not intent.failures else []
        await self._intents_hold(
            intent.model_copy(update={"failures": intent.failures + is_failure}),
            _told(error),
            until,
            state=state,
            meter=meter,
            events=events,
        )

    async def _put_off(self, intent: Intent, until: datetime) -> None:
        if self._wake(intent, until) is not None:
            await self._intents_hold(intent, intent.error, until, state=intent.state)

    async def _intents_hold(
        self,
        intent: Intent,
        error: str,
        until: datetime,
        *,
        state: IntentState,
        meter: Meter | None = None,
        events: Sequence[EventDraft] = (),
    ) -> None:
        wake = self._wake(intent.model_copy(update={"state": state}), until)
        if wake is not None:
            events = [*events, self._reminder(intent, wake)]
        kept = await self._intents.hold(
            intent, state=state, error=error, not_before=until, meter=meter, events=events
        )
        if wake is not None:
            self._reminded[intent.account] = wake
        self._accept(kept)

    def _wake(self, intent: Intent, until: datetime) -> datetime | None:
        """Return when an account must be looked at again; None when it will be before that."""
        if intent.state is IntentState.PENDING and intent.expires_at is not None:
            until = min(until, intent.expires_at)
        known = self._reminded.get(intent.account)
        return until if known is None or known > until else None

    def _reminder(self, intent: Intent, due_at: datetime) -> EventDraft:
        payload = {"account": intent.account}
        return EventDraft(
            type=CLEAR_OUTBOX, due_at=due_at, agent_id=intent.agent_id, payload=payload
        )

    async def _drop(
        self, intent: Intent, error: Exception, clearance: Clearance, carrier: Carrier | None
    ) -> None:
        log.warning("%s of %s is dropped: %s", intent.kind, intent.agent_id, _told(error))
        events = [self._failed(intent, error)]
        end = Drop(state=IntentState.REFUSED, reason=_told(error), events=events)
        if isinstance(error, IntentExpiredError):
            regret = carrier.performer.regret(intent) if carrier is not None else None
            end = Drop(
                state=IntentState.EXPIRED,
                reason=_told(error),
                memory=regret.memory if regret else None,
                events=[*events, *(regret.events if regret else ())],
            )
        self._accept(await self._intents.drop(intent, end))
        clearance.drops.append((intent, error))

    def _failed(self, intent: Intent, error: Exception) -> EventDraft:
        payload = {
            "agent_id": intent.agent_id,
            "event": str(intent.kind),
            "error": _told(error),
            "intent_id": intent.id,
            "account": intent.account,
        }
        return EventDraft(type="agent.failed", due_at=self._clock.now(), payload=payload)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
