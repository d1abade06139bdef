"""The sources in the order in which they are asked."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from typing_extensions import override

from examples.research_desk.errors import MarketUnavailableError, UnknownTickerError
from examples.research_desk.market.base import PriceHistory, PriceSource, Quote, QuoteSource
from examples.research_desk.market.offline import OfflinePrices
from examples.research_desk.market.quotes import HttpQuotes
from examples.research_desk.market.yahoo import YahooPrices
from examples.research_desk.settings import DeskSettings, SourceName

Answer = TypeVar("Answer")


class Market(PriceSource, QuoteSource):
    """Asks one source after the other, until one answers."""

    name = "market"

    def __init__(self, prices: Sequence[PriceSource], quotes: Sequence[QuoteSource] = ()) -> None:
        self._prices = tuple(prices)
        self._quotes = tuple(quotes)

    @override
    def history(self, ticker: str) -> PriceHistory:
        """Return the closes that the first source has.

        Raises:
            UnknownTickerError: all of them answered, and none has the stock.
            MarketUnavailableError: one that might have it did not answer.

        """
        return _first(ticker, {source.name: source.history for source in self._prices})

    @override
    def quote(self, ticker: str) -> Quote:
        """Return the current price; without a source of those, the last close.

        Raises as `history` does.
        """
        asked = {source.name: source.quote for source in self._quotes}
        return _first(ticker, {**asked, "last close": self._last_close})

    def _last_close(self, ticker: str) -> Quote:
        history = self.history(ticker)
        day, price = history.last
        return Quote(ticker=ticker, price=price, source=history.source, as_of=day)


def _first(ticker: str, sources: dict[str, Callable[[str], Answer]]) -> Answer:
    unknown: list[UnknownTickerError] = []
    reasons: dict[str, str] = {}
    for name, ask in sources.items():
        try:
            return ask(ticker)
        except UnknownTickerError as error:
            unknown.append(error)
            reasons[name] = "unknown ticker"
        except MarketUnavailableError as error:
            reasons.update(error.reasons)
    if len(unknown) == len(sources):
        raise unknown[-1]
    raise MarketUnavailableError(ticker, reasons)


def market_of(settings: DeskSettings) -> Market:
    """Return the market with the sources that the settings name."""
    seconds = settings.timeout_seconds
    makers: dict[SourceName, Callable[[], PriceSource]] = {
        "offline": OfflinePrices,
        "yahoo": lambda: YahooPrices(timeout_seconds=seconds),
    }
    quotes = (
        [HttpQuotes(settings.quotes_url, timeout_seconds=seconds)] if settings.quotes_url else []
    )
    return Market([makers[name]() for name in settings.sources], quotes)
