"""A score from 0 to 1, and why it is what it is.

Each component maps one indicator to a value from 0 to 1, straight between two ends, and flat
beyond them. The score is their mean by weight. The ends and the weights are this desk's opinion,
said in one table; they are no advice.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final, Literal, TypedDict

from examples.research_desk.analysis.indicators import Indicators, measure
from examples.research_desk.market.base import PriceHistory

Recommendation = Literal["buy", "hold", "sell"]

BUY_FROM: Final = 0.6
SELL_TO: Final = 0.4


class Component(TypedDict):
    """A part of the score."""

    name: str
    title: str
    measured: float
    shown: str
    """`measured`, as people write it."""
    value: float
    weight: float
    contribution: float
    """The weight times the value; all of them together are the score."""
    why: str


class Analysis(TypedDict):
    """What the prices of a stock say, as JSON can hold it."""

    ticker: str
    source: str
    as_of: str
    price: str
    currency: str
    months: int
    indicators: Mapping[str, float]
    components: list[Component]
    score: float
    recommendation: Recommendation


@dataclass(frozen=True)
class Criterion:
    """How one indicator counts: its value is 0 at `worst`, 1 at `best`."""

    name: str
    title: str
    weight: float
    measured: Callable[[Indicators], float]
    worst: float
    best: float
    why: str
    written: str = "{:.1%}"

    def judge(self, indicators: Indicators) -> Component:
        """Return what the criterion makes of the indicators."""
        measured = self.measured(indicators)
        reached = (measured - self.worst) / (self.best - self.worst)
        value = round(min(1.0, max(0.0, reached)), 4)
        return Component(
            name=self.name,
            title=self.title,
            measured=measured,
            shown=self._shown(measured),
            value=value,
            weight=self.weight,
            contribution=round(self.weight * value, 6),
            why=f"{self.why}: 0 at {self._shown(self.worst)}, 1 at {self._shown(self.best)}",
        )

    def _shown(self, value: float) -> str:
        return self.written.format(value)


CRITERIA: Final = (
    Criterion(
        name="momentum",
        title="Return of twelve months",
        weight=0.25,
        measured=lambda found: found.year_return,
        worst=-0.5,
        best=0.5,
        why="What has risen tends to rise on",
        written="{:+.1%}",
    ),
    Criterion(
        name="trend",
        title="MACD over its signal",
        weight=0.2,
        measured=lambda found: found.macd_histogram,
        worst=-0.05,
        best=0.05,
        why="A trend that gains strength, as a part of the price",
        written="{:+.1%}",
    ),
    Criterion(
        name="strength",
        title="RSI of 14 months",
        weight=0.15,
        measured=lambda found: found.rsi,
        worst=80,
        best=30,
        why="What has been bought by everybody has few buyers left",
        written="{:.1f}",
    ),
    Criterion(
        name="calm",
        title="Yearly volatility",
        weight=0.2,
        measured=lambda found: found.yearly_volatility,
        worst=0.6,
        best=0.1,
        why="Calm prices are easier to hold through",
    ),
    Criterion(
        name="resilience",
        title="Deepest fall in five years",
        weight=0.2,
        measured=lambda found: found.max_drawdown,
        worst=-0.8,
        best=0.0,
        why="What has fallen deep can do so again",
    ),
)


def analyse(history: PriceHistory) -> Analysis:
    """Return the indicators of a stock, and the score that they make.

    Raises:
        TooLittleHistoryError: there are too few prices.

    """
    indicators = measure([close.price for close in history.closes])
    components = [criterion.judge(indicators) for criterion in CRITERIA]
    score = round(sum(component["contribution"] for component in components), 4)
    return Analysis(
        ticker=history.ticker,
        source=history.source,
        as_of=history.last.day.isoformat(),
        price=str(history.last.price),
        currency=history.currency,
        months=len(history.closes),
        indicators=asdict(indicators),
        components=components,
        score=score,
        recommendation=recommendation_of(score),
    )


def recommendation_of(score: float) -> Recommendation:
    """Return what the desk would do."""
    if score >= BUY_FROM:
        return "buy"
    return "sell" if score <= SELL_TO else "hold"
