"""Trading: decided by market and limits alone, never by anything that somebody said."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any, ClassVar, Final

from typing_extensions import override

from puppet_engine.agents.actions import Action, Turn
from puppet_engine.agents.agent import Agent
from puppet_engine.agents.explaining import decided
from puppet_engine.agents.feeling import LOST, WON
from puppet_engine.agents.recall import memory_kept
from puppet_engine.agents.schedule import next_trade_at
from puppet_engine.core.clock import Clock
from puppet_engine.core.decisions import Act
from puppet_engine.core.errors import TradingDisabledError
from puppet_engine.core.models import (
    Effect,
    EventDraft,
    Intent,
    IntentDraft,
    IntentKind,
    Memory,
    MemoryType,
    TurnOutcome,
)
from puppet_engine.outbox.base import Performer
from puppet_engine.solana.trader import Trader
from puppet_engine.solana.trades import (
    SOL_MINT,
    NotLanded,
    Outlay,
    SignedTrade,
    TradeIntent,
    TradeReceipt,
)
from puppet_engine.storage.intent_store import IntentStore

BOUGHT_WITHIN: Final = timedelta(days=30)
"""How far back purchases are looked for, to know what something that is sold has cost."""

LIMITED_SPAN: Final = timedelta(days=1)
"""How far back trades count against the limits."""


class Trading(Action):
    """Looks at the market, and trades when there is something worth it."""

    event_type: ClassVar[str] = "trade.due"
    wants: ClassVar[frozenset[IntentKind]] = frozenset({IntentKind.TRADE})

    @override
    def routine(self, turn: Turn, *, first: bool) -> EventDraft | None:
        if turn.trader is None:
            return None
        frequency = turn.agent.behavior.trading_behavior.trading_frequency
        due = next_trade_at(frequency, now=turn.clock.now(), chance=turn.chance)
        return EventDraft(type=self.event_type, due_at=due, agent_id=turn.agent.id)

    @override
    async def take(self, turn: Turn) -> TurnOutcome:
        if turn.trader is None:
            raise TradingDisabledError(
                f"trading is not enabled for {turn.agent.id!r}: "
                "set solana_integration.trading_enabled in its persona"
            )
        market = await turn.trader.look()
        history = await past_outlays(turn.ledger.intents, turn.agent.id, turn.clock)
        wanted = turn.trader.decide(market, history, turn.chance)
        if wanted is None:
            return TurnOutcome()
        intent = IntentDraft(kind=IntentKind.TRADE, payload=wanted.model_dump(mode="json"))
        why = "market and limits allow it; nothing that anybody says is asked"
        decision = decided(turn, occasion=self.event_type, acts=(Act.TRADE,), why=why)
        return TurnOutcome(intents=(intent,), decision=decision)


class TradePerformer(Performer):
    """Carries out one agent's trades; the signed bytes are journalled before they are sent."""

    def __init__(
        self, *, agent: Agent, trader: Trader, intents: IntentStore, clock: Clock
    ) -> None:
        self._agent = agent
        self._trader = trader
        self._intents = intents
        self._clock = clock

    @override
    async def prepare(self, intent: Intent) -> Mapping[str, Any]:
        wanted = TradeIntent.model_validate(intent.payload)
        history = await past_outlays(self._intents, self._agent.id, self._clock)
        signed = await self._trader.prepare(wanted, history=history)
        return signed.model_dump(mode="json")

    @override
    async def perform(self, intent: Intent) -> Effect:
        return await self._effect(await self._trader.submit(_signed(intent)))

    @override
    async def look_up(self, intent: Intent) -> Effect | None:
        outcome = await self._trader.reconcile(_signed(intent))
        if isinstance(outcome, NotLanded):
            # The same bytes may be sent as often as one likes; new ones only when these expired.
            return None if outcome.expired else await self.perform(intent)
        return await self._effect(outcome)

    @override
    def regret(self, intent: Intent) -> Effect:
        wanted = TradeIntent.model_validate(intent.payload)
        memory = Memory(
            content=f"I wanted to trade {wanted.input_mint} for {wanted.output_mint},"
            " but it was too late; I did not.",
            type=MemoryType.EVENT,
            metadata={"source": "self"},
        )
        told = memory_kept(self._agent, memory, self._clock)
        return Effect(result="", memory=memory, events=(told,))

    async def _effect(self, receipt: TradeReceipt) -> Effect:
        text = receipt.describe()
        memory = Memory(
            content=text,
            type=MemoryType.EVENT,
            metadata={"signature": receipt.signature, "source": "self"},
        )
        event = EventDraft(
            type="trade.executed",
            due_at=self._clock.now(),
            agent_id=self._agent.id,
            payload={
                "handle": self._agent.handle,
                "name": self._agent.name,
                "text": text,
                "signature": receipt.signature,
            },
        )
        kept = memory_kept(self._agent, memory, self._clock)
        felt = await self._felt(receipt)
        return Effect(result=receipt.signature, memory=memory, events=(event, kept, *felt))

    async def _felt(self, receipt: TradeReceipt) -> list[EventDraft]:
        """Return the event that moves the agent when it has sold for more than it paid, or less.

        Nothing it feels reaches the next trade.
        """
        since = self._clock.now() - BOUGHT_WITHIN
        journals = await self._intents.journals(self._agent.id, IntentKind.TRADE, since=since)
        trades = [SignedTrade.model_validate(journal) for journal in journals if journal]
        result = gain(receipt, trades)
        if not result:
            return []
        impulse = WON if result > 0 else LOST
        return [
            EventDraft(
                type="mood.trade",
                due_at=self._clock.now(),
                agent_id=self._agent.id,
                payload=impulse.model_dump(),
            )
        ]


def gain(sale: TradeReceipt, trades: Sequence[SignedTrade]) -> Fraction:
    """Return what a sale for SOL brought beyond what its tokens cost on average, in lamports.

    `trades` are earlier ones; 0 when what was sold was not bought in any of them, or not for SOL.
    """
    purchases = [
        trade
        for trade in trades
        if trade.output.mint == sale.input.mint and trade.input.mint == SOL_MINT
    ]
    if sale.output.mint != SOL_MINT or not purchases:
        return Fraction(0)
    paid = sum(trade.spent for trade in purchases)
    bought = sum(trade.received for trade in purchases)
    return sale.received - Fraction(sale.spent * paid, bought)


async def past_outlays(intents: IntentStore, agent_id: str, clock: Clock) -> list[Outlay]:
    """Return what an agent has signed away within the span that the limits look at."""
    since = clock.now() - LIMITED_SPAN
    journals = await intents.journals(agent_id, IntentKind.TRADE, since=since)
    return [SignedTrade.model_validate(journal).outlay for journal in journals]


def _signed(intent: Intent) -> SignedTrade:
    return SignedTrade.model_validate(intent.journal)
