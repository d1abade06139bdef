"""Carries out what agents want done outside: one at a time per account, oldest first.

An intent is journalled before each attempt.
When an attempt ends without an answer, or the process is killed in its midst,
the outcome is looked up before anything else of that account goes out.
"""

import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Protocol

from puppet_engine.core.agent_locks import AgentLocks, LocalAgentLocks
from puppet_engine.core.breaker import BreakerReading, CircuitBreaker
from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import (
    ChainUnavailableError,
    CircuitOpenError,
    MissingCredentialError,
    NetworkRefusedError,
    NetworkUnavailableError,
    OutboxError,
    RateLimitedError,
    StorageError,
    TradeError,
)
from puppet_engine.core.models import Event, Intent, IntentState
from puppet_engine.outbox.base import Carrier, Clearance, FindCarrier
from puppet_engine.outbox.book import Book
from puppet_engine.outbox.lanes import Lanes
from puppet_engine.outbox.passage import NotYetError, Passage, is_late, too_late
from puppet_engine.outbox.patience import Patience
from puppet_engine.storage.intent_store import IntentStore

log = logging.getLogger(__name__)

WAITS: Final = (
    RateLimitedError,
    CircuitOpenError,
    MissingCredentialError,
    NetworkUnavailableError,
    ChainUnavailableError,
)
"""What keeps an intent in the outbox; all else ends it."""


class Clear(Protocol):
    """Carries out the open intents of an account that is reserved."""

    def __call__(self, *, at_once: bool) -> Awaitable[Clearance]: ...


class Outbox:
    """The intents of all agents, on their way out."""

    def __init__(  # noqa: PLR0913 - the parts of the way out, handed in once
        self,
        *,
        intents: IntentStore,
        clock: Clock,
        accept: Callable[[Sequence[Event]], None],
        find: FindCarrier,
        locks: AgentLocks | None = None,
        seed: int = 0,
        patience: Patience | None = None,
    ) -> None:
        self._intents = intents
        self._clock = clock
        self._accept = accept
        self._find = find
        self._locks = locks or LocalAgentLocks()
        self._patience = patience or Patience()
        self._book = Book(intents, clock=clock, accept=accept, patience=self._patience, seed=seed)
        self._lanes = Lanes(self.clear, clock=clock)
        self._breakers: dict[str, CircuitBreaker] = {}

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
        self._lanes.kick(account)

    async def drain(self) -> None:
        """Wait until all that was kicked is done. Raises what `kick` raises."""
        await self._lanes.drain()

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
        async with self._locks.hold(f"account {account}"):
            yield partial(self._pass, account)

    def remind(self, account: str) -> None:
        """Take note that an account's `CLEAR_OUTBOX` has come."""
        self._book.remind(account)

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
            await self._book.put_off(passage.intent, error.until)
        elif is_final and not isinstance(error, WAITS):
            await self._drop(passage.intent, error, clearance, carrier)
            return None
        else:
            if not isinstance(error, WAITS):  # what no adapter foresaw
                log.error("%s %s failed", passage.intent.kind, passage.intent.id, exc_info=error)
            await self._book.hold(passage, error)
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

    async def _miss(self, intent: Intent, clearance: Clearance) -> Exception | None:
        """Hold up an intent that nobody can carry out in this process.

        Not refused: the operator may only have forgotten a key, this time.
        """
        if is_late(intent, self._clock.now()):
            await self._drop(intent, too_late(intent), clearance, None)
            return None
        error = MissingCredentialError(f"what {intent.agent_id!r} wants done", [intent.kind])
        await self._book.miss(intent, error)
        return error

    async def _drop(
        self, intent: Intent, error: Exception, clearance: Clearance, carrier: Carrier | None
    ) -> None:
        await self._book.drop(intent, error, carrier)
        clearance.drops.append((intent, error))
