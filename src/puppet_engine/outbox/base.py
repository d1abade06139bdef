"""The ports of the outbox: who carries an intent out, and on what terms."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from puppet_engine.core.models import Effect, Intent
from puppet_engine.outbox.budget import Budget
from puppet_engine.outbox.limits import RateCap
from puppet_engine.outbox.policy import Policy, Rulebook

CLEAR_OUTBOX: Final = "outbox.due"
"""The type of the event that makes an account's intents be tried again."""


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What a network says it still takes from an account."""

    remaining: int
    resets_at: datetime


class Performer(ABC):
    """Carries out intents of one kind."""

    settles_within: timedelta = timedelta(0)
    """How long after an attempt its outcome may still be invisible to `look_up`."""

    @abstractmethod
    async def prepare(self, intent: Intent) -> Mapping[str, Any]:
        """Return what must be noted before an attempt, to look the outcome up by."""

    @abstractmethod
    async def perform(self, intent: Intent) -> Effect:
        """Do what the (prepared) intent asks for.

        Raises a `NetworkUnavailableError` or `ChainUnavailableError` when the outcome is unknown;
        any other error of theirs means that nothing happened.
        """

    @abstractmethod
    async def look_up(self, intent: Intent) -> Effect | None:
        """Return what earlier attempts brought about; None when they did nothing."""

    @abstractmethod
    def regret(self, intent: Intent) -> Effect:
        """Return what remains of an intent that came too late: a memory, and who is told."""

    def price(self, intent: Intent) -> int:  # noqa: ARG002
        """Return what the network takes for it, in micro-dollars."""
        return 0

    def quota(self) -> Quota | None:
        """Return what the network said last of its limit; None when it never did."""
        return None


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """Who carries an agent's intents of one kind out, and on what terms."""

    performer: Performer
    network: str
    """Whose failures count together: `x`, `solana`."""
    policy: Policy = field(default_factory=Rulebook)
    budget: Budget = field(default_factory=Budget)
    caps: Sequence[RateCap] = ()


FindCarrier = Callable[[Intent], AbstractAsyncContextManager[Carrier | None]]
"""Gives who carries an intent out, and keeps them at hand; None when nobody can here."""


@dataclass(frozen=True)
class Clearance:
    """What came of an account's intents."""

    effects: list[tuple[Intent, Effect]] = field(default_factory=list)
    drops: list[tuple[Intent, Exception]] = field(default_factory=list)
    """Those that ended without effect, and why."""
    held_up: Exception | None = None
    """Why intents are still open; None when none is."""
