"""Carries out what agents want done outside, so that nothing is lost and nothing done twice.

An intent is journalled before the first attempt.
When an attempt ends without an answer, or the process is killed in its midst,
the outcome is looked up before anything is sent again.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import (
    ChainUnavailableError,
    MissingCredentialError,
    NetworkRefusedError,
    NetworkUnavailableError,
    PuppetEngineError,
    RateLimitedError,
    TradeError,
)
from puppet_engine.core.failpoints import Failpoint, reach
from puppet_engine.core.models import Effect, Event, EventDraft, Intent, IntentKind, IntentState
from puppet_engine.storage.base import Ledger

log = logging.getLogger(__name__)

LATER: Final = timedelta(minutes=1)
"""When an outcome that is still unknown is looked up again."""

CLEAR_OUTBOX: Final = "outbox.due"
"""The type of the event that makes an agent's outbox be cleared again."""


class Performer(ABC):
    """Carries out intents of one kind."""

    @abstractmethod
    async def prepare(self, intent: Intent) -> Mapping[str, Any]:
        """Return what must be noted before the first attempt, to look the outcome up by."""

    @abstractmethod
    async def perform(self, intent: Intent) -> Effect:
        """Do what the (prepared) intent asks for.

        Raises a `NetworkUnavailableError` or `ChainUnavailableError` when the outcome is unknown;
        any other error of theirs means that nothing happened.
        """

    @abstractmethod
    async def look_up(self, intent: Intent) -> Effect | None:
        """Return what an earlier attempt brought about; None when it did nothing."""


@dataclass(frozen=True)
class Clearance:
    """What came of an agent's intents."""

    effects: list[Effect] = field(default_factory=list)
    refusals: list[PuppetEngineError] = field(default_factory=list)
    """Those that were refused for good."""
    held_up: PuppetEngineError | None = None
    """Why intents are still open; None when none is."""


class Outbox:
    """The intents of all agents, on their way out."""

    def __init__(
        self, *, ledger: Ledger, clock: Clock, accept: Callable[[Sequence[Event]], None]
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._accept = accept

    async def clear(self, agent_id: str, performers: Mapping[IntentKind, Performer]) -> Clearance:
        """Carry out an agent's open intents, oldest first, and return what came of them.

        A refusal is final and holds nobody up;
        an intent whose outcome is unknown, or that has to wait, holds up all that came after it.
        """
        clearance = Clearance()
        for intent in await self._ledger.open_intents(agent_id):
            if intent.kind not in performers:
                # Not refused: the operator may only have forgotten a key, this time.
                reason = MissingCredentialError(f"what {agent_id!r} wants done", [intent.kind])
                return replace(clearance, held_up=reason)
            try:
                effect = await self._carry_out(intent, performers[intent.kind])
            except (RateLimitedError, NetworkUnavailableError, ChainUnavailableError) as error:
                return replace(clearance, held_up=error)
            except (NetworkRefusedError, TradeError) as error:
                clearance.refusals.append(error)
            else:
                clearance.effects.append(effect)
        return clearance

    async def _carry_out(self, intent: Intent, performer: Performer) -> Effect:
        try:
            effect = await self._attempt(intent, performer)
        except RateLimitedError as error:
            await self._ledger.release(intent)
            log.info("%s of %s waits: %s", intent.kind, intent.agent_id, error)
            raise
        except (NetworkUnavailableError, ChainUnavailableError) as error:
            log.warning("what became of %s %s is unknown: %s", intent.kind, intent.id, error)
            raise
        except (NetworkRefusedError, TradeError) as error:
            await self._refuse(intent, error)
            raise
        self._accept(await self._ledger.complete(intent, effect))
        return effect

    async def _attempt(self, intent: Intent, performer: Performer) -> Effect:
        if intent.state is IntentState.SENDING:
            found = await performer.look_up(intent)
            if found is not None:
                return found
            intent = await self._ledger.release(intent)
        begun = await self._ledger.begin(intent, await performer.prepare(intent))
        reach(Failpoint.EFFECT_NOTED)
        effect = await performer.perform(begun)
        reach(Failpoint.EFFECT_DONE)
        return effect

    async def _refuse(self, intent: Intent, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        log.warning("%s of %s was refused: %s", intent.kind, intent.agent_id, reason)
        payload = {"agent_id": intent.agent_id, "event": str(intent.kind), "error": reason}
        event = EventDraft(type="agent.failed", due_at=self._clock.now(), payload=payload)
        self._accept(await self._ledger.refuse(intent, reason, event))


def clear_later(agent_id: str, clock: Clock) -> EventDraft:
    """Return the event that makes an agent's outbox be cleared again."""
    return EventDraft(type=CLEAR_OUTBOX, due_at=clock.now() + LATER, agent_id=agent_id)
