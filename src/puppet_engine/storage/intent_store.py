"""The port of the outbox's journal: what agents want done outside, and how far it has come."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime

from puppet_engine.core.models import (
    Effect,
    Event,
    EventDraft,
    Intent,
    IntentKind,
    IntentState,
    Memory,
    Noun,
)


class Meter(Noun):
    """How much of an account's rate limits is used up."""

    arrivals: tuple[AwareDatetime, ...] = ()
    """For each limit, when it would be wholly free again (the GCRA's theoretical arrival time)."""
    closed_until: AwareDatetime | None = None
    """Until when the network itself takes no more; None when it did not say."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """What was said lately, or is about to be, newest first."""

    own: tuple[str, ...]
    cast: tuple[str, ...]
    """What the others said."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What an account has used up."""

    intents: int
    """How many of the agent's intents were begun since the moment asked for, and not undone."""
    cost: int
    """What they cost, in micro-dollars."""
    meter: Meter


@dataclass(frozen=True, kw_only=True)
class Drop:
    """How an intent ends that is not carried out."""

    state: IntentState
    """`REFUSED` or `EXPIRED`."""
    reason: str
    memory: Memory | None = None
    events: Sequence[EventDraft] = ()


class IntentStore(ABC):
    """Keeps intents and what is known of them. Each method is one transaction.

    Intents are added by the ledger, together with the turn that wanted them.
    """

    @abstractmethod
    async def open(self, account: str) -> list[Intent]:
        """Return an account's intents that are neither done nor dropped, oldest first."""

    @abstractmethod
    async def find(self, intent_id: str) -> Intent | None:
        """Return an intent, in whatever state; None when none of that id is kept any more."""

    @abstractmethod
    async def unfinished(self, *, limit: int) -> list[Intent]:
        """Return open intents of all accounts, oldest first, `limit` at the most."""

    @abstractmethod
    async def waiting(self) -> list[tuple[str, str]]:
        """Return the (account, agent id) of all open intents, each once, in order."""

    @abstractmethod
    async def standing(self, agent_id: str, account: str, *, since: datetime) -> Standing:
        """Return what an agent has used up of an account since a moment."""

    @abstractmethod
    async def journals(
        self, agent_id: str, kind: IntentKind, *, since: datetime
    ) -> list[Mapping[str, Any]]:
        """Return what was noted before each attempt at intents of a kind, made since `since`.

        An intent that was released counts with what was noted for it last.
        """

    @abstractmethod
    async def results(self, account: str, *, since: datetime) -> set[str]:
        """Return the ids that a network gave to what an account did since a moment."""

    @abstractmethod
    async def past(self, agent_id: str, *, limit: int) -> Past:
        """Return an agent's last `limit` texts, and what others said among the cast's last ones.

        What was refused, or came too late, was not said.
        """

    @abstractmethod
    async def alike(self, agent_id: str, marks: Sequence[int], *, limit: int) -> Past:
        """Return the texts that share a mark, however long ago: the `limit` that share most.

        The marks of a text are those that its intent's payload holds under `marks`.
        What was refused, or came too late, was not said.
        """

    @abstractmethod
    async def begin(
        self, intent: Intent, journal: Mapping[str, Any], *, cost: int, meter: Meter
    ) -> Intent:
        """Note that an intent is about to be carried out, and by what it can be looked up.

        Raises:
            StorageError: somebody else has begun or ended it.

        """

    @abstractmethod
    async def release(self, intent: Intent) -> Intent:
        """Note that an attempt is known to have done nothing; the intent is pending again."""

    @abstractmethod
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
        """Note why an open intent waits and until when; return the events that were kept.

        Its count of `failures` is kept as it is given.
        Its `state` is `SENDING` when the outcome is unknown, `PENDING` when nothing happened.
        """

    @abstractmethod
    async def complete(
        self, intent: Intent, effect: Effect, *, meter: Meter | None = None
    ) -> list[Event]:
        """Mark an intent as done, with its memory, and return the events that were kept."""

    @abstractmethod
    async def drop(self, intent: Intent, end: Drop) -> list[Event]:
        """Mark an intent as ended without effect, and return the events that were kept."""
