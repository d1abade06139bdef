"""What a trader sees before it decides: prices and its own balances, and no words."""

from decimal import Decimal
from fractions import Fraction

from pydantic import AwareDatetime, Field

from puppet_engine.core.models import Noun
from puppet_engine.solana.trades import Token


class Price(Noun):
    """What one whole token costs."""

    usd: Decimal = Field(gt=0)
    change_24h_percent: Decimal = Decimal(0)


class Holding(Noun):
    """One token the operator lists: its price, and how many base units the wallet has."""

    token: Token
    price: Price
    amount: int = Field(ge=0)


class MarketView(Noun):
    """The market at one moment, as one wallet sees it."""

    seen_at: AwareDatetime
    sol: Holding
    tokens: tuple[Holding, ...] = ()
    """Without SOL."""


def worth(
    amount: int, source: Token, source_price: Price, target: Token, target_price: Price
) -> int:
    """Return how many base units of `target` have the value of `amount` base units of `source`."""
    value = Fraction(amount, 10**source.decimals) * Fraction(source_price.usd)
    return int(value / Fraction(target_price.usd) * 10**target.decimals)
