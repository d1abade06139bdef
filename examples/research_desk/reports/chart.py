"""The chart of a stock: its price, its falls and its RSI, one above the other."""

import io
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

from examples.research_desk.analysis.indicators import drawdowns, floats, relative_strength
from examples.research_desk.market.base import PriceHistory

_WIDE: Final = (9.0, 6.6)
_NARROW: Final = (4.2, 6.2)
"""Inches; a phone shows this without making its letters small."""


@dataclass(frozen=True)
class Palette:
    """The colours of a chart."""

    ground: str
    ink: str
    grid: str
    price: str
    fall: str
    strength: str


LIGHT: Final = Palette("#ffffff", "#1f2933", "#d9dee4", "#1864ab", "#c92a2a", "#5f3dc4")
DARK: Final = Palette("#14181d", "#e4e8ec", "#343c45", "#74c0fc", "#ff8787", "#b197fc")


def price_chart(history: PriceHistory, palette: Palette = LIGHT, *, narrow: bool = False) -> bytes:
    """Return the chart as PNG; the same prices give the same bytes."""
    days = [close.day for close in history.closes]
    prices = floats([close.price for close in history.closes])
    # A figure of its own, not one of pyplot's, which belong to the whole process.
    figure = Figure(
        figsize=_NARROW if narrow else _WIDE,
        dpi=160,
        facecolor=palette.ground,
    )
    # Fixed, for to measure every letter takes longer than to draw it all.
    figure.subplots_adjust(
        left=0.15 if narrow else 0.07, right=0.98, bottom=0.05, top=0.95, hspace=0.3
    )
    price, fall, strength = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1.3, 1.3))

    price.plot(days, prices, color=palette.price, linewidth=1.6)
    price.set_yscale("log")
    price.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    price.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    price.yaxis.set_minor_formatter(NullFormatter())
    fallen = drawdowns(prices)
    fall.fill_between(days, fallen, 0, color=palette.fall, alpha=0.6, linewidth=0)
    fall.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    strength.plot(days, relative_strength(prices), color=palette.strength, linewidth=1.2)
    strength.set_ylim(0, 100)
    strength.set_yticks((30, 70))

    titles = (
        f"{history.ticker}, monthly close ({history.currency}, logarithmic)",
        "Below the highest so far",
        "RSI, 14 months",
    )
    for axes, title in zip((price, fall, strength), titles, strict=True):
        _dress(axes, title, palette)
    most = 5 if narrow else 10
    locator = AutoDateLocator(minticks=3, maxticks=most)  # type: ignore[no-untyped-call]  # it has no types
    strength.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]  # nor has this
    strength.xaxis.set_major_formatter(formatter)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    return drawn.getvalue()


def _dress(axes: Axes, title: str, palette: Palette) -> None:
    axes.set_facecolor(palette.ground)
    axes.set_title(title, loc="left", fontsize=10, color=palette.ink)
    axes.tick_params(which="both", colors=palette.ink, labelsize=9, length=0)
    axes.grid(visible=True, color=palette.grid, linewidth=0.7)
    for spine in axes.spines.values():
        spine.set_visible(False)
