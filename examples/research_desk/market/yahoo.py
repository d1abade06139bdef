"""Live prices from Yahoo Finance, through `yfinance`."""

import math
from decimal import Decimal
from http.client import NOT_FOUND
from typing import Any, Final

from typing_extensions import override

from examples.research_desk.errors import MarketUnavailableError, UnknownTickerError
from examples.research_desk.market.base import Close, PriceHistory, PriceSource

_STEP: Final = Decimal("0.0001")
"""Yahoo sends floats; behind this decimal they hold noise, not prices."""


class YahooPrices(PriceSource):
    """The closes of the last ten years, adjusted for splits and dividends."""

    name = "yahoo"

    def __init__(self, *, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds

    @override
    def history(self, ticker: str) -> PriceHistory:
        # Not above: it takes a second, and those who work offline need not wait for it.
        import yfinance  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no types
        from yfinance.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415
            YFTickerMissingError,
        )

        # Without this a network that is down looks like a stock that is not there.
        yfinance.config.debug.hide_exceptions = False
        try:
            stock = yfinance.Ticker(ticker)
            frame = stock.history(period="10y", interval="1mo", timeout=self._timeout_seconds)
            return self._read(ticker, frame, stock.history_metadata)
        except YFTickerMissingError as error:
            raise UnknownTickerError(ticker, source="Yahoo Finance") from error
        except Exception as error:  # what it and its client raise is documented nowhere
            if getattr(getattr(error, "response", None), "status_code", None) == NOT_FOUND:
                raise UnknownTickerError(ticker, source="Yahoo Finance") from error
            reason = f"{type(error).__name__}: {error}"
            raise MarketUnavailableError(ticker, {self.name: reason}) from error

    def _read(self, ticker: str, frame: Any, about: Any) -> PriceHistory:
        closes = tuple(
            Close(moment.date(), Decimal(str(price)).quantize(_STEP))
            for moment, price in frame["Close"].items()
            if math.isfinite(price)
        )
        currency = str(about.get("currency") or "USD")
        return PriceHistory(ticker=ticker, source=self.name, closes=closes, currency=currency)
