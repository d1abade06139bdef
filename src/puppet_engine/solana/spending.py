"""What an operator allows to be spent. Pure: no clock, no network, no words of anybody."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from puppet_engine.core.errors import LimitExceededError
from puppet_engine.core.models import Noun
from puppet_engine.solana.trades import SOL, SOL_MINT, Outlay, Token, TradeIntent

DAY: Final = timedelta(days=1)
_BPS: Final = 10_000
_BasisPoints = Annotated[int, Field(ge=0, le=_BPS)]
_Lamports = Annotated[int, Field(ge=0)]


class SpendingLimits(Noun):
    """An operator's limits. What is not allowed here is forbidden; by default everything is."""

    tokens: tuple[Token, ...] = ()
    """What may be held beside SOL. Every trade has SOL on one side."""
    max_lamports_per_trade: _Lamports = 0
    """All that leaves the wallet in a purchase, fees too; what a sale brings."""
    max_lamports_per_day: _Lamports = 0
    """The same, over all trades signed in any 24 hours."""
    max_fee_lamports: _Lamports = 2_200_000
    """For one trade: signatures, priority, and the rent of a token's first account."""
    max_slippage_bps: _BasisPoints = 50
    max_price_impact_bps: _BasisPoints = 100


def tokens_of(intent: TradeIntent, limits: SpendingLimits) -> tuple[Token, Token]:
    """Return the tokens to give and to get.

    Raises:
        LimitExceededError: one is not listed, or SOL is on neither side or on both.

    """
    listed = {token.mint: token for token in limits.tokens} | {SOL_MINT: SOL}
    for mint in (intent.input_mint, intent.output_mint):
        if mint not in listed:
            raise LimitExceededError(
                f"the mint {mint!r} is not among the tokens the operator allows"
            )
    if (intent.input_mint == SOL_MINT) == (intent.output_mint == SOL_MINT):
        raise LimitExceededError(
            f"cannot trade {intent.input_mint!r} for {intent.output_mint!r}:"
            " limits are in lamports, so exactly one side must be SOL"
        )
    return listed[intent.input_mint], listed[intent.output_mint]


def check_quote(
    limits: SpendingLimits, *, quoted: int, threshold: int, fair: int, impact: Decimal
) -> None:
    """Refuse a quote that gives too little. Amounts are base units of what is bought.

    Args:
        limits: The operator's.
        quoted: What the offer promises.
        threshold: What the offer may give after all.
        fair: What the input is worth at the market's prices.
        impact: The share of the price that the trade costs itself, as the offer states it.

    Raises:
        LimitExceededError: slippage or price impact exceeds the limit.

    """
    if threshold < quoted * (_BPS - limits.max_slippage_bps) // _BPS:
        raise LimitExceededError(
            f"the offer may slip from {quoted} to {threshold},"
            f" more than {limits.max_slippage_bps} basis points"
        )
    if abs(impact) * _BPS > limits.max_price_impact_bps or quoted * _BPS < fair * (
        _BPS - limits.max_price_impact_bps
    ):
        raise LimitExceededError(
            f"the offer of {quoted} for what is worth {fair} (stated impact {impact})"
            f" costs more than {limits.max_price_impact_bps} basis points"
        )


def spent_within_a_day(history: Iterable[Outlay], now: datetime) -> int:
    """Return the lamports of the outlays of the 24 hours before `now`; the future counts too."""
    return sum(outlay.lamports for outlay in history if outlay.at > now - DAY)


def check_outlay(
    lamports: int, limits: SpendingLimits, history: Iterable[Outlay], now: datetime
) -> None:
    """Refuse to let `lamports` go.

    Raises:
        LimitExceededError: it is too much for one trade, or for this day.

    """
    if lamports > limits.max_lamports_per_trade:
        raise LimitExceededError(
            f"{lamports} lamports exceed the {limits.max_lamports_per_trade} of one trade"
        )
    spent = spent_within_a_day(history, now)
    if spent + lamports > limits.max_lamports_per_day:
        raise LimitExceededError(
            f"{lamports} lamports exceed the {limits.max_lamports_per_day} of 24 hours,"
            f" of which {spent} are spent"
        )
