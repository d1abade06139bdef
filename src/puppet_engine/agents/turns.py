"""Gives agents their turns, one at a time each, and sees that all of a turn becomes fact."""

import logging
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Final, NoReturn

from typing_extensions import override

from puppet_engine.agents.accounts import Accounts
from puppet_engine.agents.actions import Action, Turn
from puppet_engine.agents.agent import Agent
from puppet_engine.agents.answering import Answering, Noticing
from puppet_engine.agents.doors import Doors
from puppet_engine.agents.feeling import is_tiding, tiding_of
from puppet_engine.agents.hearing import Noting, admitted, sourced
from puppet_engine.agents.outgoing import Outgoing
from puppet_engine.agents.posting import Posting
from puppet_engine.agents.recall import memory_kept
from puppet_engine.agents.reflecting import Reflecting
from puppet_engine.agents.residents import AtHand
from puppet_engine.agents.trading import Trading
from puppet_engine.agents.wording import reasons_of, silence_of
from puppet_engine.core.agent_locks import AgentLocks
from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import (
    AgentNotFoundError,
    HeldBackError,
    LLMRefusedError,
    NothingToDoError,
)
from puppet_engine.core.minds import KnownMind
from puppet_engine.core.models import Event, EventDraft, IntentKind, TurnOutcome
from puppet_engine.core.plugins import find_plugin, plugin_names
from puppet_engine.events.base import Consumer
from puppet_engine.events.engine import EventEngine
from puppet_engine.llm.account import AccountProvider
from puppet_engine.llm.base import Completion, LLMProvider
from puppet_engine.llm.journalled import JournalledProvider
from puppet_engine.llm.telling import TellingProvider
from puppet_engine.memory.base import MemoryStore
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.outbox.base import CLEAR_OUTBOX
from puppet_engine.storage.answers import AnswerJournal
from puppet_engine.storage.base import Ledger

log = logging.getLogger(__name__)

ACTIONS: Final = "puppet_engine.actions"
"""The entry points by which others add what an agent can do: each an `Action` class."""


LATER: Final = timedelta(minutes=1)
"""When an outbox that could not even be looked at is looked at again."""


class Turns(Consumer):
    """Takes what happens to agents, turns it into facts, and then into effects."""

    def __init__(  # noqa: PLR0913 - the parts of a turn, handed in once
        self,
        *,
        at_hand: AtHand,
        memory: MemoryStore,
        llm: LLMProvider,
        ledger: Ledger,
        accounts: Accounts,
        doors: Doors,
        outgoing: Outgoing,
        answers: AnswerJournal | None,
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
        self._accounts = accounts
        self._doors = doors
        self._outgoing = outgoing
        self._answers = answers
        self._clock = clock
        self._seed = seed
        self._locks = locks
        self._actions = _actions(timedelta(minutes=mention_poll_minutes))
        self._triggered = 0
        self._parked: defaultdict[str, list[Event]] = defaultdict(list)
        self.accept = engine.accept
        engine.consume_with(self)

    # -------------------------------------------------------------- events

    @override
    def takes(self, event: Event) -> bool:
        return event.type == CLEAR_OUTBOX or event.type in self._actions or is_tiding(event.type)

    @override
    async def consume(self, event: Event) -> bool:
        if is_tiding(event.type):
            # Nobody takes a turn for it: each hears of it in the next one, and is moved then.
            await self._ledger.tell(event, tiding_of(event))
            return True
        async with self._at_hand(event.agent_id or "") as agent:
            if agent is not None:
                return await self._consume(agent, event)
        # It stays pending: whoever it happens to may come back, today or after a restart.
        self._parked[event.agent_id or ""].append(event)
        return False

    async def _consume(self, agent: Agent, event: Event) -> bool:
        if event.type == CLEAR_OUTBOX:
            await self._clear_outbox(agent, event)
            return True
        async with self._locks.hold(agent.id):
            if self._locks.are_shared and not await self._ledger.is_open(event):
                # Another process took the turn while this one waited for the agent: nobody is to
                # be asked, and paid, for it again.
                return True
            memory = Noting(self._memory)
            outcome = await self._take(agent, event, memory)
            outcome = await self._commit(agent, event, outcome, memory=memory)
            # From here on the event is over: what fails now must not bring it back.
            await self._outgoing.send(sorted({intent.account for intent in outcome.intents}))
        return True

    async def _clear_outbox(self, agent: Agent, event: Event) -> None:
        known = self._accounts.names_of(agent.id, frozenset(IntentKind))
        accounts = [str(event.payload["account"])] if "account" in event.payload else known
        for account in accounts:
            self._outgoing.outbox.remind(account)
        await self._commit(agent, event, TurnOutcome())
        await self._outgoing.send(accounts)

    @override
    async def abandon(self, event: Event, *, error: str) -> None:
        if is_tiding(event.type):
            await self._ledger.commit(event.agent_id or "", event, TurnOutcome(), error=error)
            return
        async with self._at_hand(event.agent_id or "") as agent:
            if agent is None:
                raise AgentNotFoundError(event.agent_id or "")
            if event.type == CLEAR_OUTBOX:
                again = event.model_dump(include={"type", "agent_id", "payload"})
                later = EventDraft(**again, due_at=self._clock.now() + LATER)
                outcome = TurnOutcome(events=(later,))
            else:
                turn = self._equip(agent, event.payload, f"{event.sequence}")
                asked = TurnOutcome(answers_to=_answers_of(agent, f"{event.sequence}"))
                outcome = self._with_routine(asked, event.type, turn)
            await self._commit(agent, event, outcome, error=error)

    # -------------------------------------------------------------- turns

    @override
    async def recover(self, agent_id: str) -> None:
        async with self._at_hand(agent_id) as agent:
            if agent is not None:
                await self._outgoing.send(self._accounts.names_of(agent_id, frozenset(IntentKind)))

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
                action = self._actions[event_type]
                # What is still open goes first, so that what comes of this turn is its own.
                await self._outgoing.clear_now(self._accounts.names_of(agent.id, action.wants))
                wanted = dict(context or {})
                known = await self._known(agent, action, wanted)
                turn = self._equip(agent, wanted, occasion, known=known)
                outcome = await action.take(turn)
                if action.feels:
                    outcome = turn.mind.kept_with(outcome)
                if not outcome.intents:
                    await self._refuse(agent, event_type, outcome)
                outcome = self._outgoing.addressed(agent, outcome)

                async def commit() -> None:
                    await self._commit(agent, None, outcome)

                accounts = {intent.account for intent in outcome.intents}
                return await self._outgoing.send_now(agent.id, accounts, commit)

    async def _refuse(self, agent: Agent, event_type: str, outcome: TurnOutcome) -> NoReturn:
        """Say why nothing came of a turn that was asked for, after it is on record."""
        reasons, silence = reasons_of(outcome), silence_of(outcome)
        if not reasons and silence is None:
            raise NothingToDoError(agent.id, event_type)
        await self._commit(agent, None, outcome)
        raise silence or HeldBackError(agent.id, reasons)

    async def _take(self, agent: Agent, event: Event, memory: Noting) -> TurnOutcome:
        occasion = f"{event.sequence}"
        llm = self._llm_of(agent, occasion)
        action = self._actions[event.type]
        known = await self._known(agent, action, event.payload)
        turn = self._equip(agent, event.payload, occasion, llm=llm, memory=memory, known=known)
        try:
            outcome = await action.take(turn)
        except LLMRefusedError:
            # The answers were no good: the next attempt asks anew, and does not read them again.
            if self._answers is not None:
                await self._answers.forget(_answers_of(agent, occasion))
            raise
        # Who feels may have asked in an attempt that was cut short, and be silent in this one.
        if isinstance(llm, JournalledProvider) and (llm.was_asked or action.feels):
            outcome = outcome.model_copy(update={"answers_to": llm.occasion})
        outcome = sourced(outcome, memory.recalled)
        if action.feels:
            outcome = turn.mind.kept_with(outcome)
        return self._with_routine(outcome, event.type, turn)

    async def _known(
        self, agent: Agent, action: Action, payload: Mapping[str, Any]
    ) -> KnownMind | None:
        if not action.feels:
            return None
        about = action.concerns(payload)
        return await self._ledger.mind(agent.id, about=about)

    def _with_routine(self, outcome: TurnOutcome, event_type: str, turn: Turn) -> TurnOutcome:
        draft = self._actions[event_type].routine(turn, first=False)
        if draft is None:
            return outcome
        return outcome.model_copy(update={"events": (*outcome.events, draft)})

    def _llm_of(self, agent: Agent, occasion: str) -> LLMProvider:
        """Return a model whose answers are kept until the turn that asks has become fact."""
        llm = self._on_account_of(agent)
        if self._answers is None:
            return llm
        return JournalledProvider(
            llm, journal=self._answers, occasion=_answers_of(agent, occasion)
        )

    def _on_account_of(self, agent: Agent) -> LLMProvider:
        # What was handed in may only pass for a provider, and is asked as it is.
        if not _is_provider(self._llm):
            return self._llm
        return AccountProvider(self._llm, agent_id=agent.id)

    def _equip(  # noqa: PLR0913 - the parts of a turn, by keyword
        self,
        agent: Agent,
        payload: dict[str, Any],
        occasion: str,
        *,
        llm: LLMProvider | None = None,
        memory: MemoryStore | None = None,
        network: SocialNetwork | None = None,
        known: KnownMind | None = None,
    ) -> Turn:
        chance = random.Random(f"{self._seed}:{agent.id}:{occasion}")  # noqa: S311 - no secret
        completions: list[Completion] = []
        asked = llm or self._on_account_of(agent)
        if _is_provider(asked):
            asked = TellingProvider(asked, told=completions)
        return Turn(
            agent=agent,
            payload=payload,
            memory=memory or self._memory,
            llm=asked,
            completions=completions,
            clock=self._clock,
            chance=chance,
            ledger=self._ledger,
            network=network or self._accounts.network_of(agent.id),
            trader=self._accounts.trader_of(agent.id),
            doors=self._doors,
            known=known or KnownMind(),
        )

    # -------------------------------------------------------------- facts

    async def _commit(
        self,
        agent: Agent,
        event: Event | None,
        outcome: TurnOutcome,
        *,
        error: str = "",
        memory: MemoryStore | None = None,
    ) -> TurnOutcome:
        """Make a turn fact, and return it as it was kept."""
        outcome = await admitted(outcome, agent=agent, memory=memory or self._memory)
        told = (memory_kept(agent, memory, self._clock) for memory in outcome.memories)
        outcome = outcome.model_copy(update={"events": (*outcome.events, *told)})
        outcome = self._outgoing.addressed(agent, outcome)
        self.accept(await self._ledger.commit(agent.id, event, outcome, error=error))
        return outcome


def _is_provider(llm: LLMProvider) -> bool:
    """Return whether it is one, and does not only say so of its class."""
    return issubclass(type(llm), LLMProvider)


def _answers_of(agent: Agent, occasion: str) -> str:
    return f"{agent.id} {occasion}"


def _actions(poll: timedelta) -> dict[str, Action]:
    built_in: Sequence[Action] = (
        Posting(),
        Noticing(every=poll),
        Answering(),
        Trading(),
        Reflecting(),
    )
    added = [find_plugin(ACTIONS, name, built_in={})() for name in plugin_names(ACTIONS)]
    return {action.event_type: action for action in (*built_in, *added)}
