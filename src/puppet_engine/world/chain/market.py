"""Prices of the rehearsal market: they wander with the clock, alike for the same seed."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Final

from puppet_engine.core.clock import Clock

PICO: Final = 10**12
"""Prices are integers: picodollars for a whole token."""
STEP: Final = timedelta(minutes=1)
_STEPS_PER_DAY: Final = 24 * 60
_VOLATILITY: Final = 0.002
"""The standard deviation of one step; about 8 % a day."""
_SPREAD_BPS: Final = 30
_BPS: Final = 10_000


@dataclass(frozen=True)
class Listing:
    """Something that can be bought and sold."""

    mint: str
    symbol: str
    decimals: int
    price: int
    """Picodollars for a whole token, when the world begins."""
    liquidity: int
    """Dollars: a trade of so much gets half of what the price promises."""


@dataclass(frozen=True)
class Quote:
    """What the market gives for an amount, in base units."""

    input: Listing
    output: Listing
    amount: int
    received: int
    impact: Fraction
    """The share of the price lost to the size of the trade."""


class Market:
    """A geometric random walk for each listing, and the quotes that follow from it."""

    def __init__(self, listings: Sequence[Listing], *, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._opened = clock.now()
        self.listings: Mapping[str, Listing] = {listing.mint: listing for listing in listings}
        self._paths = {
            listing.mint: _Path(listing.price, f"{seed}:{listing.symbol}") for listing in listings
        }

    def price(self, mint: str) -> int:
        """Return the picodollars for a whole token, now."""
        return self._paths[mint].at(self._step())

    def price_change_24h(self, mint: str) -> float:
        """Return by how many per cent the price has changed in a day."""
        step = self._step()
        path = self._paths[mint]
        return (path.at(step) / path.at(max(0, step - _STEPS_PER_DAY)) - 1) * 100

    def quote(self, input_mint: str, output_mint: str, amount: int) -> Quote:
        """Return what `amount` base units of one mint buy of the other, now.

        Raises:
            LookupError: a mint is not listed.

        """
        source, target = self.listings[input_mint], self.listings[output_mint]
        value = Fraction(amount * self.price(input_mint), 10**source.decimals)
        depth = min(source.liquidity, target.liquidity) * PICO
        impact = value / (depth + value)
        paid = value * (1 - impact) * Fraction(_BPS - _SPREAD_BPS, _BPS)
        received = int(paid * 10**target.decimals / self.price(output_mint))
        return Quote(source, target, amount, received, impact)

    def _step(self) -> int:
        return (self._clock.now() - self._opened) // STEP


class _Path:
    """One price over time, made as far as somebody has looked."""

    def __init__(self, price: int, seed: str) -> None:
        self._prices = [price]
        self._logarithm = math.log(price)
        self._chance = random.Random(seed)  # noqa: S311 - weather, not secrets

    def at(self, step: int) -> int:
        while len(self._prices) <= step:
            self._logarithm += self._chance.gauss(0, _VOLATILITY)
            self._prices.append(max(1, round(math.exp(self._logarithm))))
        return self._prices[step]
