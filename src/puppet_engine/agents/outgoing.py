"""From an agent to the outbox: through which account it acts, and who carries it out."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from typing import Any

from puppet_engine.agents.accounts import CHAIN, Accounts
from puppet_engine.agents.agent import Agent
from puppet_engine.agents.doors import Doors, LastLook
from puppet_engine.agents.publishing import Publisher
from puppet_engine.agents.residents import AtHand
from puppet_engine.agents.trading import TradePerformer
from puppet_engine.core.agent_locks import AgentLocks
from puppet_engine.core.clock import Clock
from puppet_engine.core.models import Event, Intent, IntentKind, TurnOutcome
from puppet_engine.networks.capabilities import Capabilities
from puppet_engine.outbox.base import Carrier, Clearance
from puppet_engine.outbox.budget import Budget
from puppet_engine.outbox.dispatcher import Outbox
from puppet_engine.outbox.patience import Patience
from puppet_engine.outbox.policy import Rulebook
from puppet_engine.storage.base import Ledger
from puppet_engine.storage.said_prints import MARKS
from puppet_engine.style.repetition import marks_of


class Outgoing:
    """What all agents want done outside, on its way out through their accounts."""

    def __init__(  # noqa: PLR0913 - the parts of the way out, handed in once
        self,
        *,
        at_hand: AtHand,
        accounts: Accounts,
        doors: Doors,
        locks: AgentLocks,
        ledger: Ledger,
        clock: Clock,
        accept: Callable[[Sequence[Event]], None],
        seed: int,
        budget: Budget,
        in_step: bool,
    ) -> None:
        self._accounts = accounts
        self._doors = doors
        self._at_hand = at_hand
        self._ledger = ledger
        self._clock = clock
        self._budget = budget
        self._in_step = in_step
        self._patience = Patience()
        self.outbox = Outbox(
            intents=ledger.intents,
            clock=clock,
            accept=accept,
            find=self._found,
            locks=locks,
            seed=seed,
            patience=self._patience,
        )

    def addressed(self, agent: Agent, outcome: TurnOutcome) -> TurnOutcome:
        """Return an outcome whose intents know their account, and when they are too late.

        Those that say something bear the marks by which it is found should it be said again.
        """
        now = self._clock.now()
        name_of = self._accounts.name_of
        drafts = (
            draft.model_copy(
                update={
                    "account": name_of(agent.id, draft.kind),
                    "payload": _marked(draft.payload),
                }
            )
            for draft in outcome.intents
        )
        intents = tuple(self._patience.dated(draft, now) for draft in drafts)
        return outcome.model_copy(update={"intents": intents})

    @contextlib.asynccontextmanager
    async def _found(self, intent: Intent) -> AsyncGenerator[Carrier | None]:
        async with self._at_hand(intent.agent_id) as agent:
            yield None if agent is None else self._carrier(agent, intent)

    def _carrier(self, agent: Agent, intent: Intent) -> Carrier | None:
        if intent.kind is IntentKind.TRADE:
            return self._trade_carrier(agent)
        network = self._accounts.network_of(agent.id)
        if network is None:
            return None
        can = network.capabilities
        rules = Rulebook(
            network=network.name,
            forbidden=_forbidden(can),
            max_characters=can.max_characters,
        )
        return Carrier(
            performer=Publisher(
                agent=agent, network=network, intents=self._ledger.intents, clock=self._clock
            ),
            network=network.name,
            policy=LastLook(rules, self._doors.of(agent)),
            budget=self._budget,
            caps=can.caps,
        )

    def _trade_carrier(self, agent: Agent) -> Carrier | None:
        trader = self._accounts.trader_of(agent.id)
        if trader is None:
            return None
        performer = TradePerformer(
            agent=agent, trader=trader, intents=self._ledger.intents, clock=self._clock
        )
        # The trader has limits of its own, which look at what was signed.
        return Carrier(performer=performer, network=CHAIN)

    # -------------------------------------------------------------- on its way

    async def send(self, accounts: Collection[str]) -> None:
        """Have what is open carried out: in step with the turns, or behind their backs."""
        for account in accounts:
            if self._in_step:
                await self.outbox.clear(account)
            else:
                self.outbox.kick(account)

    async def resume(self, agent_id: str | None = None) -> None:
        """Have carried out what an agent, or all, left half done in an earlier process."""
        waiting = await self._ledger.intents.waiting()
        await self.send(sorted({to for to, of in waiting if agent_id in {None, of}}))

    async def clear_now(self, accounts: Collection[str]) -> None:
        """Carry out what is open, and raise what holds it up."""
        for account in accounts:
            held_up = (await self.outbox.clear(account, at_once=True)).held_up
            if held_up is not None:
                raise held_up

    async def send_now(
        self, agent_id: str, accounts: Collection[str], commit: Callable[[], Awaitable[None]]
    ) -> str:
        """Commit a turn, carry out what it wants, and return the id of the last effect.

        Nothing of these accounts goes out in between. Raises what kept the intents back.
        """
        async with contextlib.AsyncExitStack() as lanes:
            clear = [
                await lanes.enter_async_context(self.outbox.reserved(account))
                for account in sorted(accounts)
            ]
            await commit()
            return _result(agent_id, [await each(at_once=True) for each in clear])


def _forbidden(can: Capabilities) -> frozenset[IntentKind]:
    """Return what a network does not let a program do."""
    allowed = {
        IntentKind.REPLY: can.replies,
        IntentKind.LIKE: can.likes,
        IntentKind.QUOTE: can.quotes,
        IntentKind.REPOST: can.reposts,
    }
    return frozenset(kind for kind, is_allowed in allowed.items() if not is_allowed)


def _result(agent_id: str, clearances: Sequence[Clearance]) -> str:
    # Of a thread its first post counts: what goes on under it is no answer of its own.
    results = [
        effect.result
        for clearance in clearances
        for intent, effect in clearance.effects
        if intent.agent_id == agent_id and intent.follows is None
    ]
    drops = (
        error
        for each in clearances
        for intent, error in each.drops
        if intent.agent_id == agent_id and intent.follows is None
    )
    held_up = (each.held_up for each in clearances if each.held_up is not None)
    for error in (*drops, *(held_up if not results else ())):
        raise error
    return results[-1]


def _marked(payload: dict[str, Any]) -> dict[str, Any]:
    text = payload.get("text")
    return {**payload, MARKS: list(marks_of(text))} if isinstance(text, str) else payload
