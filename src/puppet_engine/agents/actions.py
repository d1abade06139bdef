"""What an agent can do: the port of actions, and what each of them has at hand."""

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.doors import Doors
from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import MissingCredentialError
from puppet_engine.core.models import EventDraft, IntentKind, TurnOutcome
from puppet_engine.llm.base import LLMProvider
from puppet_engine.memory.base import MemoryStore
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.solana.trader import Trader
from puppet_engine.storage.base import Ledger


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One turn: who, why, and all that may be used in it. Nothing external is changed within."""

    agent: Agent
    payload: dict[str, Any]
    """What the event that brought the turn about carries."""
    memory: MemoryStore
    llm: LLMProvider
    clock: Clock
    chance: random.Random
    """Depends on seed, agent and event only, so that a turn can be repeated to the letter."""
    ledger: Ledger
    """To look back; what a turn changes, it returns."""
    network: SocialNetwork | None = None
    trader: Trader | None = None
    doors: Doors = field(default_factory=Doors)
    """What is asked of every text before it may leave."""

    def on_network(self) -> SocialNetwork:
        """Return the agent's account.

        Raises:
            MissingCredentialError: the agent has none.

        """
        if self.network is None:
            raise MissingCredentialError(
                f"a social network for {self.agent.id!r}", ["an account on one"]
            )
        return self.network


class Action(ABC):
    """Something an agent does when an event of one type happens to it."""

    event_type: ClassVar[str]
    wants: ClassVar[frozenset[IntentKind]] = frozenset(IntentKind)
    """What it may want done outside; an order to do it now waits for what is open of these."""

    def routine(self, turn: Turn, *, first: bool) -> EventDraft | None:  # noqa: ARG002
        """Return when the agent does this next of its own accord; None when it never does.

        Asked on the agent's `first` day and after each time.
        """
        return None

    @abstractmethod
    async def take(self, turn: Turn) -> TurnOutcome:
        """Decide, and return what is to become fact. The routine is added by the caller."""
