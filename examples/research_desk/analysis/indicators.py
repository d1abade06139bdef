"""Indicators of monthly closes.

RSI, MACD and the rate of change are those of TA-Lib, the reference that charts are compared with.
They are ratios, not money, so they are floats; the prices they are made of stay decimals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import talib

from examples.research_desk.errors import TooLittleHistoryError

Series: TypeAlias = npt.NDArray[np.float64]

MONTHS_A_YEAR: Final = 12
WINDOW: Final = 60
"""How many months volatility and drawdown look back: five years."""
RSI_MONTHS: Final = 14
MACD_MONTHS: Final = (12, 26, 9)
NEEDED: Final = 36
"""The fewest closes: MACD begins with the 34th."""
_NEITHER: Final = 50.0


@dataclass(frozen=True)
class Indicators:
    """What stands at the last close; ratios, where 0.1 is ten per cent."""

    month_return: float
    year_return: float
    yearly_volatility: float
    """The standard deviation of monthly returns (n - 1), times the root of twelve."""
    drawdown: float
    """How far the price is below its highest of the window: 0 at the top, -0.5 at half."""
    max_drawdown: float
    """The deepest that was in the window."""
    rsi: float
    """Wilder's relative strength index of 14 months, from 0 to 100; 50 if nothing moved."""
    macd: float
    """The difference of the exponential means of 12 and 26 months, as a part of the price."""
    macd_signal: float
    """Its own mean of 9 months."""
    macd_histogram: float
    """How far it is above that."""


def measure(closes: Sequence[Decimal]) -> Indicators:
    """Return the indicators at the last of monthly closes, the oldest first.

    Raises:
        TooLittleHistoryError: there are fewer than `NEEDED`.

    """
    if len(closes) < NEEDED:
        raise TooLittleHistoryError(len(closes), needed=NEEDED)
    prices = floats(closes)
    recent = prices[-WINDOW:]
    fallen = drawdowns(recent)
    # Without their last digits, in which the same prices differ from machine to machine.
    macd, signal, histogram = (line[-1] / prices[-1] for line in macd_lines(prices))
    return Indicators(
        month_return=_rounded(talib.ROCP(prices, 1)[-1]),
        year_return=_rounded(talib.ROCP(prices, MONTHS_A_YEAR)[-1]),
        yearly_volatility=_rounded(
            np.std(talib.ROCP(recent, 1)[1:], ddof=1) * sqrt(MONTHS_A_YEAR)
        ),
        drawdown=_rounded(fallen[-1]),
        max_drawdown=_rounded(fallen.min()),
        rsi=_rounded(relative_strength(prices)[-1]),
        macd=_rounded(macd),
        macd_signal=_rounded(signal),
        macd_histogram=_rounded(histogram),
    )


def floats(closes: Sequence[Decimal]) -> Series:
    """Return the closes as the library takes them."""
    return np.array([float(close) for close in closes])


def drawdowns(prices: Series) -> Series:
    """Return how far each price is below the highest up to it, as a ratio from -1 to 0."""
    return np.asarray(prices / np.maximum.accumulate(prices) - 1)


def relative_strength(prices: Series) -> Series:
    """Return Wilder's RSI of each price; not a number for the first fourteen."""
    strength: Series = talib.RSI(prices, RSI_MONTHS)
    # Where nothing moved it is 0 / 0, which TA-Lib reads as 0: all losses.
    still = np.maximum.accumulate(prices) == np.minimum.accumulate(prices)
    return np.where(still & ~np.isnan(strength), _NEITHER, strength)


def macd_lines(prices: Series) -> tuple[Series, Series, Series]:
    """Return MACD, its signal and their difference for each price."""
    fast, slow, signal = MACD_MONTHS
    lines: tuple[Series, Series, Series] = talib.MACD(prices, fast, slow, signal)
    return lines


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 6)
