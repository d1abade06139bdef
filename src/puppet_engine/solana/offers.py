"""Gets an offer for a trade and examines it; what comes out is safe to sign."""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from puppet_engine.core.errors import ChainUnavailableError, SuspectOrderError, TradeError
from puppet_engine.solana.balances import (
    Balances,
    outlay_between,
    read_balances,
    watched_accounts,
)
from puppet_engine.solana.inspection import Terms, decode_transaction, inspect_transaction
from puppet_engine.solana.jupiter import JupiterClient, Order
from puppet_engine.solana.market import Price, worth
from puppet_engine.solana.rpc import SolanaRpc
from puppet_engine.solana.spending import SpendingLimits, check_quote
from puppet_engine.solana.trades import SOL, SOL_MINT, Token, TradeIntent


@dataclass(frozen=True)
class Offer:
    """A transaction that does what was asked, and no more."""

    request_id: str
    transaction: VersionedTransaction
    terms: Terms
    lamports: int
    """What it counts against the limits."""


class OfferDesk:
    """Asks a market on behalf of one wallet, and trusts none of its answers.

    Every method raises `ChainUnavailableError` when node or market gives no answer.
    """

    def __init__(
        self, *, wallet: Pubkey, rpc: SolanaRpc, jupiter: JupiterClient, limits: SpendingLimits
    ) -> None:
        self._wallet = wallet
        self._rpc = rpc
        self._jupiter = jupiter
        self._limits = limits

    async def prices(self, mints: Sequence[str]) -> dict[str, Price]:
        """Return the prices of SOL, and of those of `mints` that have one."""
        prices = dict(await self._jupiter.prices([SOL_MINT, *mints]))
        if SOL_MINT not in prices:
            raise ChainUnavailableError("the market gave no price for SOL: ask again")
        return prices

    async def balances(self, mints: Sequence[str]) -> Balances:
        """Return what the wallet has of SOL and of `mints`."""
        watched = watched_accounts(self._wallet, mints)
        return read_balances(mints, await self._rpc.accounts(watched))

    async def offer(self, intent: TradeIntent, source: Token, target: Token) -> Offer:
        """Return an offer for `intent` that is fair, does what was asked, and would succeed.

        Raises:
            LimitExceededError: it costs more slippage or price impact than the limits allow.
            SuspectOrderError: its transaction does not do what was asked.
            TradeError: there is none, or it would fail.

        """
        order = await self._jupiter.order(
            intent, taker=str(self._wallet), slippage_bps=self._limits.max_slippage_bps
        )
        await self._check_quote(order, intent, source, target)
        transaction = decode_transaction(order.transaction)
        terms = inspect_transaction(transaction, intent, self._wallet)
        if terms.received < order.out_amount:
            raise SuspectOrderError(
                f"the transaction gives {terms.received}, {order.out_amount} were offered"
            )
        lamports = await self._rehearse(transaction, intent, terms)
        return Offer(order.request_id, transaction, terms, lamports)

    async def _check_quote(
        self, order: Order, intent: TradeIntent, source: Token, target: Token
    ) -> None:
        token = target if source == SOL else source
        prices = await self.prices([token.mint])
        if token.mint not in prices:
            raise TradeError(f"{token.symbol} has no price, so no offer for it can be judged")
        fair = worth(intent.amount, source, prices[source.mint], target, prices[target.mint])
        check_quote(
            self._limits,
            quoted=order.out_amount,
            threshold=order.other_amount_threshold,
            fair=fair,
            impact=order.price_impact_pct,
        )

    async def _rehearse(
        self, transaction: VersionedTransaction, intent: TradeIntent, terms: Terms
    ) -> int:
        token = intent.output_mint if intent.input_mint == SOL_MINT else intent.input_mint
        before = await self.balances([token])
        trial = await self._rpc.simulate(transaction, watched_accounts(self._wallet, [token]))
        if trial.err is not None or trial.accounts is None:
            raise TradeError(f"the trade would fail on the chain: {trial.err}")
        return outlay_between(
            before,
            read_balances([token], trial.accounts),
            intent=intent,
            terms=terms,
            max_fee_lamports=self._limits.max_fee_lamports,
        )
