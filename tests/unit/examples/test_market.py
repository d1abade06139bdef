"""Where the desk has its prices from: the sources, one after the other."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yfinance  # type: ignore[import-untyped]  # it has no types
from examples.research_desk.errors import (
    InvalidTickerError,
    MarketUnavailableError,
    UnknownTickerError,
)
from examples.research_desk.market.base import (
    Close,
    PriceHistory,
    PriceSource,
    Quote,
    normalized,
)
from examples.research_desk.market.market import Market, market_of
from examples.research_desk.market.offline import OfflinePrices
from examples.research_desk.market.quotes import HttpQuotes
from examples.research_desk.market.yahoo import YahooPrices
from examples.research_desk.settings import DeskSettings
from tests.market_servers import serving, yahoo_chart, yahoo_unknown
from typing_extensions import override

# It still asks pandas for what pandas 4 will not have.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

MARCH = 1_740_805_200  # 2025-03-01 in New York
APRIL = 1_743_480_000


class DeadSource(PriceSource):
    """A source that never answers."""

    name = "dead"

    @override
    def history(self, ticker: str) -> PriceHistory:
        raise MarketUnavailableError(ticker, {self.name: "it is dead"})


@pytest.fixture
def yahoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[YahooPrices]:
    """Give the real client of Yahoo Finance, which talks to a server of ours."""
    path = "/v8/finance/chart"
    answers = {
        f"{path}/AAPL": yahoo_chart("AAPL", {MARCH: 222.13000488, APRIL: 200.5}),
        f"{path}/NOPE": yahoo_unknown(),
        f"{path}/DOWN": (503, "<html>Service unavailable</html>"),
        f"{path}/WILD": yahoo_chart("WILD", {MARCH: 10.0, APRIL: -1.0}),
    }
    yfinance.set_tz_cache_location(str(tmp_path))
    # Cookies are those of another host, which is not here.
    monkeypatch.setattr(
        "yfinance.data.YfData._get_cookie_and_crumb", lambda *_, **__: (None, "basic")
    )
    with serving(answers) as url:
        for name, module in list(sys.modules.items()):
            for constant, value in list(vars(module).items()) if "yfinance" in name else ():
                if isinstance(value, str) and value.startswith("https://query"):
                    monkeypatch.setattr(module, constant, url + urlsplit(value).path)
        yield YahooPrices(timeout_seconds=5)


@pytest.fixture(params=["offline", "yahoo", "market"])
def source(request: pytest.FixtureRequest) -> PriceSource:
    """Give every source of prices in turn."""
    if request.param == "yahoo":
        return request.getfixturevalue("yahoo")  # type: ignore[no-any-return]  # it is one
    return {"offline": OfflinePrices(), "market": Market([DeadSource(), OfflinePrices()])}[
        request.param
    ]


def test_prices_are_decimals_above_zero_in_the_order_of_their_months(source: PriceSource) -> None:
    history = source.history("AAPL")

    assert history.ticker == "AAPL"
    assert all(type(close.price) is Decimal and close.price > 0 for close in history.closes)
    assert [close.day for close in history.closes] == sorted(
        {close.day for close in history.closes}
    )


def test_a_history_is_the_same_when_it_was_json(source: PriceSource) -> None:
    history = source.history("AAPL")

    assert PriceHistory.from_document(history.document()) == history


@pytest.mark.parametrize("made", [OfflinePrices, lambda: Market([OfflinePrices()])])
def test_a_stock_that_is_not_there_is_named_with_those_that_are(made: type[PriceSource]) -> None:
    with pytest.raises(UnknownTickerError, match=r"'NOPE'.*AAPL, AMZN, GOOG, IBM, MSFT"):
        made().history("NOPE")


def test_prices_at_hand_are_those_of_the_package_to_the_cent() -> None:
    history = OfflinePrices().history("AAPL")

    assert len(history.closes) == 123
    assert history.closes[0] == Close(date(2000, 1, 1), Decimal("25.94"))
    assert history.last == Close(date(2010, 3, 1), Decimal("223.02"))


def test_yahoo_tells_prices_without_the_noise_of_floats(yahoo: YahooPrices) -> None:
    history = yahoo.history("AAPL")

    assert history.source == "yahoo"
    assert history.currency == "EUR"
    assert history.closes == (
        Close(date(2025, 3, 1), Decimal("222.1300")),
        Close(date(2025, 4, 1), Decimal("200.5000")),
    )


def test_yahoo_knows_what_it_does_not_know(yahoo: YahooPrices) -> None:
    with pytest.raises(UnknownTickerError, match="'NOPE' in Yahoo Finance"):
        yahoo.history("NOPE")


@pytest.mark.parametrize("ticker", ["DOWN", "WILD"])
def test_an_answer_of_yahoo_without_prices_is_none(yahoo: YahooPrices, ticker: str) -> None:
    with pytest.raises(MarketUnavailableError, match=f"no prices of '{ticker}'.*yahoo"):
        yahoo.history(ticker)


def test_the_next_source_is_asked_when_one_is_dead_or_lacks_the_stock(yahoo: YahooPrices) -> None:
    market = Market([DeadSource(), yahoo, OfflinePrices()])

    assert market.history("AAPL").source == "yahoo"
    assert market.history("MSFT").source == "offline"


def test_a_stock_is_only_unknown_when_everybody_answered() -> None:
    with pytest.raises(MarketUnavailableError) as told:
        Market([DeadSource(), OfflinePrices()]).history("NOPE")

    assert told.value.reasons == {"dead": "it is dead", "offline": "unknown ticker"}


def test_without_a_service_of_quotes_the_last_close_is_the_price() -> None:
    quote = Market([OfflinePrices()]).quote("AAPL")

    assert quote == Quote(
        ticker="AAPL", price=Decimal("223.02"), source="offline", as_of=date(2010, 3, 1)
    )


def test_a_service_of_quotes_is_asked_first() -> None:
    with serving({"/AAPL": (200, '{"symbol": "AAPL", "price": 231.1}')}) as url:
        settings = DeskSettings(quotes_url=url + "/{ticker}")
        quote = market_of(settings).quote("AAPL")

    assert quote == Quote(ticker="AAPL", price=Decimal("231.1"), source="quotes")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((500, "{}"), "500"),
        ((200, "<html>"), "JSON"),
        ((200, "[]"), "not about AAPL"),
        ((200, '{"symbol": "MSFT", "price": 1}'), "not about AAPL"),
        ((200, '{"symbol": "AAPL"}'), "no price"),
        ((200, '{"symbol": "AAPL", "price": "dear"}'), "no price"),
        ((200, '{"symbol": "AAPL", "price": -1}'), "-1 is no price"),
        ((200, '{"symbol": "AAPL", "price": NaN}'), "NaN is no price"),
    ],
)
def test_an_answer_without_a_price_is_none(answer: tuple[int, str], reason: str) -> None:
    with serving({"/AAPL": answer}) as url:
        quotes = HttpQuotes(url + "/{ticker}", timeout_seconds=5)

        with pytest.raises(MarketUnavailableError, match=reason):
            quotes.quote("AAPL")


def test_a_service_of_quotes_that_lacks_the_stock_leaves_it_to_the_last_close() -> None:
    with serving({}) as url:
        quotes = HttpQuotes(url + "/{ticker}", timeout_seconds=5)
        market = Market([OfflinePrices()], [quotes])

        assert market.quote("AAPL").source == "offline"
        with pytest.raises(UnknownTickerError):
            market.quote("NOPE")


def test_a_service_of_quotes_that_is_gone_leaves_it_to_the_last_close() -> None:
    with serving({}) as url:
        pass

    market = Market([OfflinePrices()], [HttpQuotes(url + "/{ticker}", timeout_seconds=5)])

    assert market.quote("AAPL").source == "offline"


def test_sources_are_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESEARCH_DESK_SOURCES", "yahoo, offline")

    assert DeskSettings().sources == ("yahoo", "offline")


@pytest.mark.parametrize(
    ("name", "value"), [("SOURCES", ""), ("SOURCES", "bloomberg"), ("QUOTES_URL", "http://a/b")]
)
def test_a_setting_that_cannot_be_used_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"RESEARCH_DESK_{name}", value)

    with pytest.raises(ValueError, match=name.lower()):
        DeskSettings()


@pytest.mark.parametrize("days", [[], [2, 1], [1, 1]])
def test_prices_out_of_order_are_no_history(days: list[int]) -> None:
    closes = tuple(Close(datetime(2025, day, 1, tzinfo=UTC).date(), Decimal(1)) for day in days)

    with pytest.raises(ValueError, match="not in order"):
        PriceHistory(ticker="AAPL", source="test", closes=closes)


@pytest.mark.parametrize("ticker", ["aapl", " AAPL ", "BRK-B", "0700.HK", "^GSPC", "F"])
def test_tickers_are_taken_as_people_write_them(ticker: str) -> None:
    assert normalized(ticker) == ticker.strip().upper()


@pytest.mark.parametrize(
    "ticker",
    [None, "", " ", "A B", "AAPL/..", "{ticker}", "ÄÖÜ", "A" * 11, 7, b"AAPL", "AAPL\n\n-"],
)
def test_what_cannot_be_a_ticker_is_refused(ticker: object) -> None:
    with pytest.raises(InvalidTickerError, match="no ticker"):
        normalized(ticker)
