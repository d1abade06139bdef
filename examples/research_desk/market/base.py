"""Prices, and the ports of those who have them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple, Self

from examples.research_desk.errors import InvalidTickerError

_TICKER: Final = re.compile(r"[A-Z0-9^](?:[A-Z0-9.=-]{0,8}[A-Z0-9])?")


class Close(NamedTuple):
    """What a share cost when a month was over, named by the month's first day."""

    day: date
    price: Decimal


@dataclass(frozen=True)
class PriceHistory:
    """The monthly closes of a stock, the oldest first, adjusted for splits."""

    ticker: str
    source: str
    closes: tuple[Close, ...]
    currency: str = "USD"

    def __post_init__(self) -> None:
        days = [close.day for close in self.closes]
        if not days or days != sorted(set(days)):
            raise ValueError(f"{self.source}: the prices of {self.ticker} are not in order")
        if not all(close.price.is_finite() and close.price > 0 for close in self.closes):
            raise ValueError(f"{self.source}: a price of {self.ticker} is not above zero")

    @property
    def last(self) -> Close:
        return self.closes[-1]

    def document(self) -> dict[str, Any]:
        """Return the same as JSON can hold it: prices are texts, so that they stay exact."""
        return {
            "ticker": self.ticker,
            "source": self.source,
            "currency": self.currency,
            "closes": [[close.day.isoformat(), str(close.price)] for close in self.closes],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return what `document` was made of."""
        closes = (
            Close(date.fromisoformat(day), Decimal(price)) for day, price in document["closes"]
        )
        return cls(
            ticker=document["ticker"],
            source=document["source"],
            currency=document["currency"],
            closes=tuple(closes),
        )


@dataclass(frozen=True)
class Quote:
    """What a share costs."""

    ticker: str
    price: Decimal
    source: str
    as_of: date | None = None
    """The month of the price, where it is a monthly close; else it is of now."""


class PriceSource(ABC):
    """Somebody who has the monthly closes of stocks."""

    name: str

    @abstractmethod
    def history(self, ticker: str) -> PriceHistory:
        """Return the closes of a stock.

        Raises:
            UnknownTickerError: the source answered, and has no such stock.
            MarketUnavailableError: the source did not answer, or not with prices.

        """


class QuoteSource(ABC):
    """Somebody who has the current prices of stocks."""

    name: str

    @abstractmethod
    def quote(self, ticker: str) -> Quote:
        """Return the price of a stock.

        Raises:
            UnknownTickerError: the source answered, and has no such stock.
            MarketUnavailableError: the source did not answer, or not with a price.

        """


def normalized(ticker: object) -> str:
    """Return a ticker as sources know it: in capitals, without blanks around it.

    Raises:
        InvalidTickerError: it cannot be a ticker.

    """
    text = ticker.strip().upper() if isinstance(ticker, str) else ""
    if not _TICKER.fullmatch(text):
        raise InvalidTickerError(ticker)
    return text
