"""Current prices from a service of one's own, such as the gateway of a house."""

from decimal import Decimal, InvalidOperation
from http.client import NOT_FOUND
from typing import Any

import httpx2
from typing_extensions import override

from examples.research_desk.errors import MarketUnavailableError, UnknownTickerError
from examples.research_desk.market.base import Quote, QuoteSource


class HttpQuotes(QuoteSource):
    """A service that answers `GET` with `{"symbol": …, "price": …}`, or with 404."""

    name = "quotes"

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds

    @override
    def quote(self, ticker: str) -> Quote:
        try:
            answer = httpx2.get(self._url.format(ticker=ticker), timeout=self._timeout_seconds)
            if answer.status_code == NOT_FOUND:
                raise UnknownTickerError(ticker, source="the service of quotes")
            answer.raise_for_status()
            price = self._price(ticker, answer.json())
        except (httpx2.HTTPError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise MarketUnavailableError(ticker, {self.name: reason}) from error
        return Quote(ticker=ticker, price=price, source=self.name)

    def _price(self, ticker: str, answer: Any) -> Decimal:
        if not isinstance(answer, dict) or answer.get("symbol") != ticker:
            raise ValueError(f"the answer is not about {ticker}")
        try:
            price = Decimal(str(answer["price"]))
        except (InvalidOperation, KeyError) as error:
            raise ValueError("the answer has no price") from error
        if not (price.is_finite() and price > 0):
            raise ValueError(f"{price} is no price")
        return price
