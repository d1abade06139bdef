"""Gives agents their turns, one at a time each, and sees that all of a turn becomes fact."""

import logging
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Final

from typing_extensions import override

from puppet_engine.agents.actions import Action, Turn
from puppet_engine.agents.agent import Agent
from puppet_engine.agents.answering import Answering, Noticing
from puppet_engine.agents.posting import Posting
from puppet_engine.agents.publishing import Publisher
from puppet_engine.agents.recall import memory_kept
from puppet_engine.agents.trading import TradePerformer, Trading
from puppet_engine.core.agent_locks import AgentLocks
from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import AgentNotFoundError, NothingToDoError, PuppetEngineError
from puppet_engine.core.models import Event, EventDraft, IntentKind, TurnOutcome
from puppet_engine.core.plugins import find_plugin, plugin_names
from puppet_engine.events.base import Consumer
from puppet_engine.events.engine import EventEngine
from puppet_engine.events.outbox import CLEAR_OUTBOX, Clearance, Outbox, Performer, clear_later
from puppet_engine.llm.base import LLMProvider
from puppet_engine.memory.base import MemoryStore
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.solana.trader import Trader
from puppet_engine.storage.base import Ledger

log = logging.getLogger(__name__)

AtHand = Callable[[str], AbstractAsyncContextManager[Agent | None]]
"""Keeps an agent in memory for the length of a block."""

ACTIONS: Final = "puppet_engine.actions"
"""The entry points by which others add what an agent can do: each an `Action` class."""


class Turns(Consumer):
    """Takes what happens to agents, turns it into facts, and then into effects."""

    def __init__(  # noqa: PLR0913 - the parts of a turn, handed in once
        self,
        *,
        at_hand: AtHand,
        memory: MemoryStore,
        llm: LLMProvider,
        ledger: Ledger,
        clock: Clock,
        engine: EventEngine,
        locks: AgentLocks,
        seed: int,
        mention_poll_minutes: float,
    ) -> None:
        self._at_hand = at_hand
        self._memory = memory
        self._llm = llm
        self._ledger = ledger
        self._clock = clock
        self._seed = seed
        self._locks = locks
        self._actions = _actions(timedelta(minutes=mention_poll_minutes))
        self._outbox = Outbox(ledger=ledger, clock=clock, accept=engine.accept)
        self._triggered = 0
        self._reminded: set[str] = set()
        """Those for whom a `CLEAR_OUTBOX` of this process is pending."""
        self._parked: defaultdict[str, list[Event]] = defaultdict(list)
        self.accept = engine.accept
        self.networks: dict[str, SocialNetwork] = {}
        self.default_network: SocialNetwork | None = None
        self.traders: dict[str, Trader] = {}
        engine.consume_with(self)

    # -------------------------------------------------------------- events

    @override
    def takes(self, event: Event) -> bool:
        return event.type == CLEAR_OUTBOX or event.type in self._actions

    @override
    async def consume(self, event: Event) -> bool:
        async with self._at_hand(event.agent_id or "") as agent:
            if agent is not None:
                return await self._consume(agent, event)
        # It stays pending: whoever it happens to may come back, today or after a restart.
        self._parked[event.agent_id or ""].append(event)
        return False

    async def _consume(self, agent: Agent, event: Event) -> bool:
        async with self._locks.hold(agent.id):
            if event.type == CLEAR_OUTBOX:
                if (reason := (await self._clear(agent)).held_up) is not None:
                    raise reason
                await self._commit(agent, event, TurnOutcome())
                self._reminded.discard(agent.id)
                return True
            outcome = await self._take(agent, event.type, event.payload, f"{event.sequence}")
            await self._commit(agent, event, outcome)
            # From here on the event is over: what fails now must not bring it back.
            if outcome.intents:
                await self._clear_or_later(agent)
        return True

    @override
    async def abandon(self, event: Event, *, error: str) -> None:
        async with self._at_hand(event.agent_id or "") as agent:
            if agent is None:
                raise AgentNotFoundError(event.agent_id or "")
            if event.type == CLEAR_OUTBOX:
                outcome = TurnOutcome(events=(clear_later(agent.id, self._clock),))
            else:
                turn = self._equip(agent, event.payload, f"{event.sequence}")
                outcome = self._with_routine(TurnOutcome(), event.type, turn)
            await self._commit(agent, event, outcome, error=error)

    # -------------------------------------------------------------- turns

    @override
    async def recover(self, agent_id: str) -> None:
        async with self._at_hand(agent_id) as agent:
            if agent is not None:
                await self.clear_outbox(agent)

    def lock_here(self, agent_id: str) -> AbstractAsyncContextManager[None]:
        """Hold off the turns of an agent in this process; others may go on with it."""
        return self._locks.hold_here(agent_id)

    def lock(self, agent_id: str) -> AbstractAsyncContextManager[None]:
        """Hold what must be held while an agent takes a turn."""
        return self._locks.hold(agent_id)

    def routine(
        self, agent: Agent, *, first: bool, network: SocialNetwork | None = None
    ) -> list[EventDraft]:
        """Return what an agent does of its own accord, from its first day or from now on.

        One that has no account yet may name the `network` on which it will have one.
        """
        occasion = "first" if first else f"again {self._clock.now().isoformat()}"
        routine = []
        for event_type, action in self._actions.items():
            turn = self._equip(agent, {}, f"{occasion} {event_type}", network=network)
            if (draft := action.routine(turn, first=first)) is not None:
                routine.append(draft)
        return routine

    def welcome(self, agent: Agent, events: Sequence[Event]) -> None:
        """Let happen what is to happen to an agent that has just been taken up."""
        self.accept([*events, *self._parked.pop(agent.id, [])])

    async def take_now(
        self, agent: Agent, event_type: str, context: Mapping[str, Any] | None
    ) -> str:
        """Give an agent a turn out of its order; return the id of what came of it."""
        with self._clock.in_flight():
            async with self._locks.hold(agent.id):
                self._triggered += 1
                occasion = f"now {self._clock.now().isoformat()} {self._triggered}"
                # What is still open goes first, so that what comes of this turn is its own.
                _raise_if_any((await self._clear_or_later(agent)).held_up)
                turn = self._equip(agent, dict(context or {}), occasion)
                outcome = await self._actions[event_type].take(turn)
                if not outcome.intents:
                    raise NothingToDoError(agent.id, event_type)
                await self._commit(agent, None, outcome)
                clearance = await self._clear_or_later(agent)
        _raise_if_any(clearance.held_up, *clearance.refusals)
        return clearance.effects[-1].result

    async def clear_outbox(self, agent: Agent) -> None:
        """Finish what an agent left half done; what cannot be finished now is tried again."""
        async with self._locks.hold(agent.id):
            await self._clear_or_later(agent)

    async def part_from(self, agent: Agent) -> None:
        """Let go of what is held for an idle agent: its account and its wallet."""
        if (network := self.networks.pop(agent.id, None)) is not None:
            await network.aclose()
        if (trader := self.traders.pop(agent.id, None)) is not None:
            await trader.aclose()

    async def close(self) -> None:
        """Close all accounts and wallets."""
        for network in self.networks.values():
            await network.aclose()
        for trader in self.traders.values():
            await trader.aclose()

    async def _take(
        self, agent: Agent, event_type: str, payload: dict[str, Any], occasion: str
    ) -> TurnOutcome:
        turn = self._equip(agent, payload, occasion)
        outcome = await self._actions[event_type].take(turn)
        return self._with_routine(outcome, event_type, turn)

    def _with_routine(self, outcome: TurnOutcome, event_type: str, turn: Turn) -> TurnOutcome:
        draft = self._actions[event_type].routine(turn, first=False)
        if draft is None:
            return outcome
        return outcome.model_copy(update={"events": (*outcome.events, draft)})

    def _equip(
        self,
        agent: Agent,
        payload: dict[str, Any],
        occasion: str,
        *,
        network: SocialNetwork | None = None,
    ) -> Turn:
        chance = random.Random(f"{self._seed}:{agent.id}:{occasion}")  # noqa: S311 - no secret
        return Turn(
            agent=agent,
            payload=payload,
            memory=self._memory,
            llm=self._llm,
            clock=self._clock,
            chance=chance,
            ledger=self._ledger,
            network=network or self.networks.get(agent.id, self.default_network),
            trader=self.traders.get(agent.id),
        )

    # -------------------------------------------------------------- facts and effects

    async def _commit(
        self, agent: Agent, event: Event | None, outcome: TurnOutcome, *, error: str = ""
    ) -> None:
        told = (memory_kept(agent, memory, self._clock) for memory in outcome.memories)
        outcome = outcome.model_copy(update={"events": (*outcome.events, *told)})
        self.accept(await self._ledger.commit(agent.id, event, outcome, error=error))

    async def _clear(self, agent: Agent) -> Clearance:
        return await self._outbox.clear(agent.id, self._performers(agent))

    async def _clear_or_later(self, agent: Agent) -> Clearance:
        """Clear an agent's outbox; what cannot go out now is tried again, whatever happens."""
        try:
            clearance = await self._clear(agent)
        except Exception:
            await self._remind(agent)
            raise
        if clearance.held_up is not None:
            log.warning("the outbox of %s is not clear: %s", agent.id, clearance.held_up)
            await self._remind(agent)
        return clearance

    async def _remind(self, agent: Agent) -> None:
        if agent.id not in self._reminded:
            reminder = TurnOutcome(events=(clear_later(agent.id, self._clock),))
            await self._commit(agent, None, reminder)
            self._reminded.add(agent.id)

    def _performers(self, agent: Agent) -> dict[IntentKind, Performer]:
        performers: dict[IntentKind, Performer] = {}
        network = self.networks.get(agent.id, self.default_network)
        if network is not None:
            publisher = Publisher(agent=agent, network=network, clock=self._clock)
            performers = {IntentKind.POST: publisher, IntentKind.REPLY: publisher}
        if agent.id in self.traders:
            trader = self.traders[agent.id]
            performers[IntentKind.TRADE] = TradePerformer(
                agent=agent, trader=trader, ledger=self._ledger, clock=self._clock
            )
        return performers


def _raise_if_any(*errors: PuppetEngineError | None) -> None:
    for error in errors:
        if error is not None:
            raise error


def _actions(poll: timedelta) -> dict[str, Action]:
    built_in: Sequence[Action] = (Posting(), Noticing(every=poll), Answering(), Trading())
    added = [find_plugin(ACTIONS, name, built_in={})() for name in plugin_names(ACTIONS)]
    return {action.event_type: action for action in (*built_in, *added)}
