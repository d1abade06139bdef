"""Real prices that a package carries: five stocks, every month from 2000 to March 2010."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from typing_extensions import override
from vega_datasets import local_data  # type: ignore[import-untyped]  # it has no types

from examples.research_desk.errors import UnknownTickerError
from examples.research_desk.market.base import Close, PriceHistory, PriceSource


class OfflinePrices(PriceSource):
    """The closes of AAPL, AMZN, GOOG, IBM and MSFT that come with `vega_datasets`."""

    name = "offline"

    @override
    def history(self, ticker: str) -> PriceHistory:
        stocks = _stocks()
        if ticker not in stocks:
            raise UnknownTickerError(ticker, source="the prices at hand", known=stocks)
        return PriceHistory(ticker=ticker, source=self.name, closes=stocks[ticker])


@cache
def _stocks() -> Mapping[str, tuple[Close, ...]]:
    # Read as text: the package's own reader would make floats of the prices.
    found: dict[str, list[Close]] = defaultdict(list)
    with Path(local_data.stocks.filepath).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            day = datetime.strptime(row["date"], "%b %d %Y").replace(tzinfo=UTC).date()
            found[row["symbol"]].append(Close(day, Decimal(row["price"])))
    return {ticker: tuple(sorted(closes)) for ticker, closes in found.items()}
