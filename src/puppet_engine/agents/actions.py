"""What an agent can do: the port of actions, and what each of them has at hand."""

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.doors import Doors
from puppet_engine.agents.mind import Mind
from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import MissingCredentialError
from puppet_engine.core.minds import KnownMind
from puppet_engine.core.models import EventDraft, IntentKind, TurnOutcome
from puppet_engine.llm.base import Completion, LLMProvider
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
    completions: list[Completion] = field(default_factory=list)
    """What models answered in this turn up to now, and what it took."""
    doors: Doors = field(default_factory=Doors)
    """What is asked of every text before it may leave."""
    known: KnownMind = field(default_factory=KnownMind)
    """What was kept of the agent's mind; nothing for an action that feels nothing."""

    @cached_property
    def mind(self) -> Mind:
        """What the agent feels, and how it stands with others, in this turn."""
        return Mind(self.agent.config, self.known, now=self.clock.now())

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
    feels: ClassVar[bool] = False
    """Whether it looks at the agent's mood and relationships, or changes them."""

    def concerns(self, payload: Mapping[str, Any]) -> str | None:  # noqa: ARG002
        """Return whom an event is about, so that the relationship to them is at hand."""
        return None

    def routine(self, turn: Turn, *, first: bool) -> EventDraft | None:  # noqa: ARG002
        """Return when the agent does this next of its own accord; None when it never does.

        Asked on the agent's `first` day and after each time.
        """
        return None

    @abstractmethod
    async def take(self, turn: Turn) -> TurnOutcome:
        """Decide, and return what is to become fact. The routine is added by the caller."""
