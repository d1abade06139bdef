"""Trades from one wallet, within an operator's limits."""

import base64
import random
from collections.abc import Sequence
from typing import Final

from solders.signature import Signature

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import ChainUnavailableError, TradeError, TradingDisabledError
from puppet_engine.solana.jupiter import JupiterClient
from puppet_engine.solana.market import Holding, MarketView
from puppet_engine.solana.offers import OfferDesk
from puppet_engine.solana.rpc import host_of, is_loopback
from puppet_engine.solana.spending import DAY, SpendingLimits, check_outlay, tokens_of
from puppet_engine.solana.strategy import choose_trade
from puppet_engine.solana.trades import (
    SOL,
    SOL_MINT,
    NotLanded,
    Outlay,
    SignedTrade,
    TradeIntent,
    TradeReceipt,
)
from puppet_engine.solana.wallet import SolanaWallet

_BLOCKS_TO_LAND: Final = 200
"""A transaction has 150 blocks to land; the rest is for a node that lags behind the newest.

The market's own word on it is not taken: one that is too small would have a trade signed twice.
"""


class Trader:
    """Looks, decides, prepares, submits, and finds out what became of it.

    It rehearses only: unless both node and Jupiter are on this machine,
    whatever would sign or send raises `TradingDisabledError`.

    A trade survives a crash when the caller writes the `SignedTrade` down
    between `prepare` and `submit`, and after the crash begins with `reconcile`.
    """

    def __init__(
        self, *, wallet: SolanaWallet, jupiter: JupiterClient, limits: SpendingLimits, clock: Clock
    ) -> None:
        self._wallet = wallet
        self._jupiter = jupiter
        self._limits = limits
        self._clock = clock
        self._desk = OfferDesk(
            wallet=wallet.public_key, rpc=wallet.rpc, jupiter=jupiter, limits=limits
        )
        self._signed: dict[str, Outlay] = {}

    async def look(self) -> MarketView:
        """Return prices and balances of SOL and of the allowed tokens that have a price.

        Raises:
            ChainUnavailableError: node or market gave no answer.

        """
        mints = [token.mint for token in self._limits.tokens]
        prices = await self._desk.prices(mints)
        owned = await self._desk.balances(mints)
        return MarketView(
            seen_at=self._clock.now(),
            sol=Holding(token=SOL, price=prices[SOL_MINT], amount=owned.lamports),
            tokens=tuple(
                Holding(token=token, price=prices[token.mint], amount=owned.tokens[token.mint])
                for token in self._limits.tokens
                if token.mint in prices
            ),
        )

    def decide(
        self, market: MarketView, history: Sequence[Outlay], rng: random.Random
    ) -> TradeIntent | None:
        """Return a trade worth making, or None; prices, limits and chance alone decide."""
        return choose_trade(market, self._limits, history, rng)

    async def prepare(self, intent: TradeIntent, *, history: Sequence[Outlay]) -> SignedTrade:
        """Return `intent` as a signed transaction, which nobody has seen yet.

        Args:
            intent: What to trade.
            history: The outlays of all trades signed before and not known to have expired.
                What this trader signed itself it remembers too.

        Raises:
            TradingDisabledError: node or Jupiter is not on this machine.
            LimitExceededError: an operator's limit forbids it.
            SuspectOrderError: the offered transaction does not do what was asked.
            TradeError: there is no offer, or it would fail.
            ChainUnavailableError: no answer; nothing was signed.

        """
        self._require_rehearsal()
        source, target = tokens_of(intent, self._limits)
        least = intent.amount if source == SOL else 0
        check_outlay(least, self._limits, self._past(history), self._clock.now())
        offer = await self._desk.offer(intent, source, target)
        height = await self._wallet.rpc.block_height()
        # From here to the signature nothing waits, so no other trade can pass in between.
        now = self._clock.now()
        past = self._past(history)
        check_outlay(offer.lamports, self._limits, past, now)
        signed = self._wallet.sign(offer.transaction)
        signature = str(signed.signatures[0])
        if any(each.signature == signature for each in past):
            raise TradeError(f"the trade {signature} is signed already: submit that, or wait")
        outlay = Outlay(signature=signature, at=now, lamports=offer.lamports)
        self._signed[signature] = outlay
        return SignedTrade(
            request_id=offer.request_id,
            signature=signature,
            transaction=base64.b64encode(bytes(signed)).decode(),
            last_valid_block_height=height + _BLOCKS_TO_LAND,
            input=source,
            output=target,
            spent=offer.terms.paid,
            received=offer.terms.received,
            outlay=outlay,
        )

    async def submit(self, signed: SignedTrade) -> TradeReceipt:
        """Send a trade, and return what the chain says of it; sending it again does no harm.

        Raises:
            ChainUnavailableError: it has not landed yet, or nobody answers: `reconcile` it.
            TradeError: it failed, or expired; nothing was swapped.

        """
        self._require_rehearsal()
        told = await self._jupiter.execute(
            request_id=signed.request_id, transaction=signed.transaction
        )
        outcome = await self.reconcile(signed)
        if isinstance(outcome, TradeReceipt):
            return outcome
        if outcome.expired:
            raise TradeError(f"the trade {signed.signature} expired (code {told.code})")
        raise ChainUnavailableError(
            f"the trade {signed.signature} has not landed yet (code {told.code}): reconcile it"
        )

    async def reconcile(self, signed: SignedTrade) -> TradeReceipt | NotLanded:
        """Return what became of a trade, whoever sent it.

        Raises:
            ChainUnavailableError: the node gave no answer; it is still unknown.
            TradeError: it landed and failed; nothing was swapped, the fee is gone.

        """
        signature = Signature.from_string(signed.signature)
        status = await self._wallet.rpc.status(signature)
        if status is None:
            if await self._wallet.rpc.block_height() <= signed.last_valid_block_height:
                return NotLanded(signature=signed.signature, expired=False)
            # It may have landed in its last block, after the first look.
            status = await self._wallet.rpc.status(signature)
        if status is None:
            self._signed.pop(signed.signature, None)
            return NotLanded(signature=signed.signature, expired=True)
        if status.err is not None:
            raise TradeError(f"the trade {signed.signature} failed on the chain: {status.err}")
        return TradeReceipt(
            signature=signed.signature,
            input=signed.input,
            output=signed.output,
            spent=signed.spent,
            received=signed.received,
        )

    async def aclose(self) -> None:
        """Release the connections of its wallet and of its market."""
        await self._wallet.aclose()
        await self._jupiter.aclose()

    def _require_rehearsal(self) -> None:
        for url in (self._wallet.rpc.url, self._jupiter.url):
            if not is_loopback(url):
                raise TradingDisabledError(
                    f"{host_of(url)!r} is not this machine: trades are rehearsed only"
                )

    def _past(self, history: Sequence[Outlay]) -> list[Outlay]:
        yesterday = self._clock.now() - DAY
        self._signed = {key: each for key, each in self._signed.items() if each.at > yesterday}
        return list(({each.signature: each for each in history} | self._signed).values())
