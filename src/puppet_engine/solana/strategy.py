"""How a trader chooses: it buys what has fallen and sells what has risen. Pure."""

import random
from collections.abc import Iterable
from typing import Final

from puppet_engine.solana.market import Holding, MarketView, worth
from puppet_engine.solana.spending import SpendingLimits, spent_within_a_day
from puppet_engine.solana.trades import SOL, SOL_MINT, Outlay, TradeIntent

_SMALLEST_LAMPORTS: Final = 1_000_000
"""Below this a trade costs more in fees than it can bring."""


def choose_trade(
    market: MarketView, limits: SpendingLimits, history: Iterable[Outlay], rng: random.Random
) -> TradeIntent | None:
    """Return a trade that keeps within `limits`, or None when there is none worth making.

    Nothing but prices, balances, limits and chance can influence the choice.
    """
    if not market.tokens:
        return None
    left = limits.max_lamports_per_day - spent_within_a_day(history, market.seen_at)
    budget = min(left, limits.max_lamports_per_trade)
    holding = rng.choice(market.tokens)
    if holding.amount and holding.price.change_24h_percent > 0:
        return _sale(holding, market.sol, budget, rng)
    # Wrapping SOL needs the rent of two token accounts for a moment.
    affordable = market.sol.amount - 2 * limits.max_fee_lamports
    return _purchase(holding, min(budget - limits.max_fee_lamports, affordable), rng)


def _purchase(holding: Holding, budget: int, rng: random.Random) -> TradeIntent | None:
    if budget < _SMALLEST_LAMPORTS:
        return None
    amount = rng.randint(max(budget // 4, _SMALLEST_LAMPORTS), budget)
    return TradeIntent(input_mint=SOL_MINT, output_mint=holding.token.mint, amount=amount)


def _sale(holding: Holding, sol: Holding, budget: int, rng: random.Random) -> TradeIntent | None:
    value = worth(holding.amount, holding.token, holding.price, SOL, sol.price)
    if min(value, budget) < _SMALLEST_LAMPORTS:
        return None
    most = holding.amount if value <= budget else holding.amount * budget // value
    amount = rng.randint(max(1, most // 2), most)
    return TradeIntent(input_mint=holding.token.mint, output_mint=SOL_MINT, amount=amount)
