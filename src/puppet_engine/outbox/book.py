"""What is noted of intents that wait or have ended, and when an account is looked at again."""

import logging
import random
from collections.abc import Callable, Sequence
from datetime import datetime

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import (
    CircuitOpenError,
    IntentExpiredError,
    MissingCredentialError,
    NetworkUnavailableError,
    RateLimitedError,
)
from puppet_engine.core.models import Event, EventDraft, Intent, IntentState
from puppet_engine.outbox.backoff import full_jitter
from puppet_engine.outbox.base import CLEAR_OUTBOX, Carrier
from puppet_engine.outbox.passage import Passage
from puppet_engine.outbox.patience import Patience
from puppet_engine.storage.intent_store import Drop, IntentStore, Meter

log = logging.getLogger(__name__)


class Book:
    """Keeps what holds intents up and what has ended them, with the reminders that it takes."""

    def __init__(
        self,
        intents: IntentStore,
        *,
        clock: Clock,
        accept: Callable[[Sequence[Event]], None],
        patience: Patience,
        seed: int,
    ) -> None:
        self._intents = intents
        self._clock = clock
        self._accept = accept
        self._patience = patience
        self._seed = seed
        self._reminded: dict[str, datetime] = {}
        """When the next `CLEAR_OUTBOX` of an account that this process has set is due."""

    def remind(self, account: str) -> None:
        """Take note that an account's `CLEAR_OUTBOX` has come."""
        self._reminded.pop(account, None)

    # -------------------------------------------------------------- what waits

    async def hold(self, passage: Passage, error: Exception) -> None:
        """Let an intent wait after an attempt that came to nothing."""
        intent = passage.intent
        until = self._until(intent, error)
        log.warning("%s of %s waits: %s", intent.kind, intent.agent_id, _told(error))
        await self._keep(intent, error, until, state=passage.state, meter=passage.meter)

    async def miss(self, intent: Intent, error: MissingCredentialError) -> None:
        """Let an intent wait that nobody can carry out in this process."""
        until = self._clock.now() + self._patience.missing_wait
        await self._keep(intent, error, until, state=intent.state)

    async def put_off(self, intent: Intent, until: datetime) -> None:
        """Let an intent wait whose moment has not come."""
        if self._wake(intent, until) is not None:
            await self._wait(intent, intent.error, until, state=intent.state)

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
        await self._wait(
            intent.model_copy(update={"failures": intent.failures + is_failure}),
            _told(error),
            until,
            state=state,
            meter=meter,
            events=events,
        )

    async def _wait(
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
            events = [*events, _reminder(intent, wake)]
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
        # One that is due may be over already: another process may have taken it.
        is_ahead = known is not None and self._clock.now() < known <= until
        return None if is_ahead else until

    # -------------------------------------------------------------- what has ended

    async def drop(self, intent: Intent, error: Exception, carrier: Carrier | None) -> None:
        """End an intent that came to nothing."""
        log.warning("%s of %s is dropped: %s", intent.kind, intent.agent_id, _told(error))
        events = [self._failed(intent, error)]
        end = Drop(state=IntentState.REFUSED, reason=_told(error), events=events)
        is_late = isinstance(error, IntentExpiredError)
        # Who has begun to tell something knows, too, that they did not come to its end.
        if is_late or intent.follows is not None:
            regret = carrier.performer.regret(intent) if carrier is not None else None
            end = Drop(
                state=IntentState.EXPIRED if is_late else IntentState.REFUSED,
                reason=_told(error),
                memory=regret.memory if regret else None,
                events=[*events, *(regret.events if regret else ())],
            )
        self._accept(await self._intents.drop(intent, end))

    def _failed(self, intent: Intent, error: Exception) -> EventDraft:
        payload = {
            "agent_id": intent.agent_id,
            "event": str(intent.kind),
            "error": _told(error),
            "intent_id": intent.id,
            "account": intent.account,
        }
        return EventDraft(type="agent.failed", due_at=self._clock.now(), payload=payload)


def _reminder(intent: Intent, due_at: datetime) -> EventDraft:
    payload = {"account": intent.account}
    return EventDraft(type=CLEAR_OUTBOX, due_at=due_at, agent_id=intent.agent_id, payload=payload)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
