"""One intent on its way out: what may keep it back, and what is noted at each step."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from puppet_engine.core.breaker import CircuitBreaker
from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import (
    ChainUnavailableError,
    CircuitOpenError,
    GivenUpError,
    IntentExpiredError,
    MissingCredentialError,
    NetworkRefusedError,
    NetworkUnavailableError,
    RateLimitedError,
)
from puppet_engine.core.failpoints import Failpoint
from puppet_engine.core.models import Effect, Intent, IntentState
from puppet_engine.outbox.base import Carrier
from puppet_engine.outbox.budget import DAY
from puppet_engine.outbox.limits import free_at, take
from puppet_engine.outbox.patience import Patience
from puppet_engine.storage.intent_store import IntentStore, Meter
from timber.common.failpoints import reach

T = TypeVar("T")


class NotYetError(NetworkUnavailableError):
    """The intent waits for a moment that has not come; nothing was asked of anybody."""

    def __init__(self, intent: Intent, *, until: datetime) -> None:
        self.until = until
        why = f" after {intent.error}" if intent.error else ""
        super().__init__(f"the {intent.kind} {intent.id} waits until {until.isoformat()}{why}")


class Passage:
    """Takes an intent from where it stands to its effect, or raises what keeps it back."""

    def __init__(
        self,
        intent: Intent,
        carrier: Carrier,
        *,
        intents: IntentStore,
        clock: Clock,
        breaker: CircuitBreaker,
        patience: Patience,
    ) -> None:
        self.intent = intent
        """As far as it has come."""
        self.meter: Meter | None = None
        """What is to be kept of the account's limits; None when nothing new is known."""
        self._carrier = carrier
        self._performer = carrier.performer
        self._intents = intents
        self._clock = clock
        self._breaker = breaker
        self._patience = patience
        self._did_nothing = False

    @property
    def state(self) -> IntentState:
        """Return `SENDING` while the outcome is unknown, else `PENDING`."""
        return IntentState.PENDING if self._did_nothing else self.intent.state

    async def go(self, *, at_once: bool) -> Effect:
        """Carry the intent out, and return its effect; `at_once` does not wait after a failure.

        Raises:
            NotYetError: its moment has not come.
            OutboxError: it must not go out, ever.
            CircuitOpenError, RateLimitedError, MissingCredentialError: it has to wait.
            NetworkUnavailableError, ChainUnavailableError: no answer; `state` says what is known.
            NetworkRefusedError, TradeError: the answer was no.

        """
        if self.intent.state is IntentState.SENDING:
            self._require_moment(at_once=at_once)
            found = await self._call(lambda: self._performer.look_up(self.intent))
            if found is not None:
                return found
            self.intent = await self._intents.release(self.intent)
        self._require_wanted()
        self._require_moment(at_once=at_once)
        self._carrier.policy.check(self.intent)
        price = self._performer.price(self.intent)
        meter = await self._require_room(price)
        journal = await self._call(lambda: self._performer.prepare(self.intent))
        self.intent = await self._intents.begin(self.intent, journal, cost=price, meter=meter)
        reach(Failpoint.EFFECT_NOTED)
        effect = await self._perform(meter)
        reach(Failpoint.EFFECT_DONE)
        return effect

    async def _perform(self, meter: Meter) -> Effect:
        try:
            effect = await self._call(lambda: self._performer.perform(self.intent))
        except RateLimitedError as error:
            self._did_nothing = True
            self.meter = meter.model_copy(update={"closed_until": error.resets_at})
            raise
        except (CircuitOpenError, MissingCredentialError):
            self._did_nothing = True
            raise
        except NetworkRefusedError:
            # "Said already" may mean: by an earlier attempt that the timeline did not show yet.
            found = None
            if self.intent.attempts > 1:
                found = await self._call(lambda: self._performer.look_up(self.intent))
            if found is None:
                raise
            return found
        quota = self._performer.quota()
        if quota is not None and quota.remaining <= 0:
            self.meter = meter.model_copy(update={"closed_until": quota.resets_at})
        return effect

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        """Ask the network, unless it is left alone, and note whether it answered."""
        self._breaker.admit()
        try:
            answer = await call()
        except (NetworkUnavailableError, ChainUnavailableError):
            self._breaker.fail()
            raise
        except NetworkRefusedError:
            self._breaker.succeed()
            raise
        except BaseException:
            self._breaker.withdraw()
            raise
        self._breaker.succeed()
        return answer

    # -------------------------------------------------------------- what may keep it back

    def _require_moment(self, *, at_once: bool) -> None:
        now, intent = self._clock.now(), self.intent
        until = now
        if intent.not_before is not None and not at_once:
            until = max(until, intent.not_before)
        if intent.state is IntentState.SENDING and intent.begun_at is not None:
            until = max(until, intent.begun_at + self._performer.settles_within)
        if until > now:
            raise NotYetError(intent, until=until)

    def _require_wanted(self) -> None:
        if is_late(self.intent, self._clock.now()):
            raise too_late(self.intent)
        if self.intent.attempts >= self._patience.attempts:
            raise GivenUpError(
                f"{self.intent.kind} failed {self.intent.attempts} times, the last time with"
                f" {self.intent.error}; nothing came of any attempt"
            )

    async def _require_room(self, price: int) -> Meter:
        """Return the meter with this attempt counted."""
        intent, now = self.intent, self._clock.now()
        used = await self._intents.standing(intent.agent_id, intent.account, since=now - DAY)
        self._carrier.budget.check(price, used, account=intent.account)
        free = free_at(used.meter, self._carrier.caps, now)
        if free > now:
            raise RateLimitedError(intent.account, resets_at=free)
        return take(used.meter, self._carrier.caps, now)


def is_late(intent: Intent, now: datetime) -> bool:
    """Whether it is too late to begin an intent of which nothing has happened."""
    pending = intent.state is IntentState.PENDING
    return pending and intent.expires_at is not None and now >= intent.expires_at


def too_late(intent: Intent) -> IntentExpiredError:
    """Return the error that tells of it."""
    why = f": {intent.error}" if intent.error else ""
    since, until = intent.created_at, intent.expires_at or intent.created_at
    return IntentExpiredError(
        f"the {intent.kind} wanted at {since.isoformat()} did not go out"
        f" before {until.isoformat()}{why}"
    )
