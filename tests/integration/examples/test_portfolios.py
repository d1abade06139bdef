"""Portfolios: money that stays exact, and doors that stay shut, on every database."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from examples.research_desk.amounts import Amount
from examples.research_desk.desk import Desk
from examples.research_desk.errors import (
    DuplicateError,
    EmptyPortfolioError,
    ForeignPortfolioError,
    InvalidAmountError,
    InvalidTickerError,
    MarketUnavailableError,
    PortfolioNotFoundError,
    PositionNotFoundError,
    UnknownTickerError,
)
from examples.research_desk.workflows.portfolio import Portfolios
from tests.integration.examples.conftest import Prices, Told

from timber.common.errors import ConstraintError, UserNotFoundError


@pytest.fixture
def portfolios(desk: Desk) -> Portfolios:
    return desk.portfolios


@pytest.fixture
def portfolio(portfolios: Portfolios) -> str:
    return portfolios.create_portfolio("ada", "Growth")


def test_returns_are_exact_where_floats_are_not(portfolios: Portfolios, portfolio: str) -> None:
    apple = portfolios.add_position(portfolio, "AAPL", shares=0.1, entry_price=0.2)
    portfolios.add_position(portfolio, "IBM", shares="3", entry_price="100.01")
    portfolios.update_position(apple, current_price=0.3)

    returns = portfolios.calculate_returns(portfolio)

    assert returns["cost"] == Decimal("300.05")  # 0.02 + 300.03
    assert returns["value"] == Decimal("300.06")
    assert returns["gain"] == Decimal("0.01")
    assert returns["total_return"] == Decimal("0.000033")
    assert [one["total_return"] for one in returns["positions"]] == [Decimal("0.5"), 0]
    assert returns["unpriced"] == ["IBM"]
    assert all(type(returns[name]) is Decimal for name in ("cost", "value", "gain"))


def test_the_largest_amounts_stay_exact(portfolios: Portfolios, portfolio: str) -> None:
    shares, price = Decimal("999999999.999999"), Decimal("99999999999.9999")
    portfolios.add_position(portfolio, "AAPL", shares, price)

    returns = portfolios.calculate_returns(portfolio)

    assert returns["cost"] == Decimal("99999999999999800000.0000000001")


def test_an_average_price_can_follow_what_was_bought(
    portfolios: Portfolios, portfolio: str
) -> None:
    position = portfolios.add_position(portfolio, "AAPL", 100, 150)

    portfolios.update_position(position, shares=150, entry_price="160", current_price=200)

    returns = portfolios.calculate_returns(portfolio)
    assert (returns["cost"], returns["value"]) == (Decimal(24_000), Decimal(30_000))
    assert returns["total_return"] == Decimal("0.25")


def test_a_position_that_is_closed_tells_its_gain_and_is_gone(
    portfolios: Portfolios, portfolio: str
) -> None:
    apple = portfolios.add_position(portfolio, "AAPL", shares="0.1", entry_price="0.2")
    portfolios.add_position(portfolio, "IBM", shares="3", entry_price="100.01")

    gain = portfolios.close_position(apple, "0.3", user_id="ada")

    assert gain == Decimal("0.01")
    returns = portfolios.calculate_returns(portfolio)
    assert [one["ticker"] for one in returns["positions"]] == ["IBM"]
    with pytest.raises(PositionNotFoundError):
        portfolios.close_position(apple, "0.3")
    portfolios.add_position(portfolio, "AAPL", shares=1, entry_price=1)


@pytest.mark.parametrize("price", [0, -1, "nothing"])
def test_a_position_is_not_closed_for_nothing(
    portfolios: Portfolios, portfolio: str, price: Any
) -> None:
    apple = portfolios.add_position(portfolio, "AAPL", shares=1, entry_price=1)

    with pytest.raises(InvalidAmountError):
        portfolios.close_position(apple, price)
    with pytest.raises(ForeignPortfolioError):
        portfolios.close_position(apple, 1, user_id="bob")

    assert len(portfolios.calculate_returns(portfolio)["positions"]) == 1


def test_positions_get_the_prices_of_the_market_all_or_none(
    portfolios: Portfolios, portfolio: str, prices: Prices
) -> None:
    for ticker in ("AAPL", "MSFT"):
        portfolios.add_position(portfolio, ticker, 1, 100)
    prices.shut = True
    with pytest.raises(MarketUnavailableError):
        portfolios.price_positions(portfolio)
    assert portfolios.calculate_returns(portfolio)["unpriced"] == ["AAPL", "MSFT"]

    prices.shut = False
    count = portfolios.price_positions(portfolio)

    assert count == 2
    assert portfolios.calculate_returns(portfolio)["value"] == Decimal("251.82")


@pytest.mark.parametrize(
    ("ticker", "shares", "price", "error"),
    [
        ("NOPE", 1, 1, UnknownTickerError),
        ("", 1, 1, InvalidTickerError),
        (None, 1, 1, InvalidTickerError),
        ("AAPL", -1, 1, InvalidAmountError),
        ("AAPL", 0, 1, InvalidAmountError),
        ("AAPL", 1, 0, InvalidAmountError),
        ("AAPL", 1, float("nan"), InvalidAmountError),
    ],
)
def test_a_position_that_cannot_be_is_refused(  # noqa: PLR0917 - one row of the table
    portfolios: Portfolios,
    portfolio: str,
    told: Told,
    ticker: str | None,
    shares: Amount,
    price: Amount,
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        portfolios.add_position(portfolio, ticker, shares, price)

    assert told.events() == ["portfolio_created"]
    with pytest.raises(EmptyPortfolioError, match="no positions"):
        portfolios.calculate_returns(portfolio)


@pytest.mark.parametrize("change", [{}, {"shares": -5}, {"current_price": 0}, {"entry_price": 0}])
def test_a_change_that_cannot_be_is_refused(
    portfolios: Portfolios, portfolio: str, change: dict[str, Any]
) -> None:
    position = portfolios.add_position(portfolio, "AAPL", 1, 100)
    before = portfolios.calculate_returns(portfolio)

    with pytest.raises(InvalidAmountError):
        portfolios.update_position(position, **change)

    assert portfolios.calculate_returns(portfolio) == before


def test_the_portfolio_of_somebody_else_reads_as_none(
    portfolios: Portfolios, portfolio: str
) -> None:
    position = portfolios.add_position(portfolio, "AAPL", 1, 100, user_id="ada")
    attempts: list[Callable[[], object]] = [
        lambda: portfolios.add_position(portfolio, "IBM", 1, 1, user_id="bob"),
        lambda: portfolios.update_position(position, shares=2, user_id="bob"),
        lambda: portfolios.price_positions(portfolio, user_id="bob"),
        lambda: portfolios.calculate_returns(portfolio, user_id="bob"),
    ]

    for attempt in attempts:
        with pytest.raises(ForeignPortfolioError, match="portfolio not found"):
            attempt()

    [held] = portfolios.calculate_returns(portfolio, user_id="ada")["positions"]
    assert (held["ticker"], held["shares"]) == ("AAPL", Decimal(1))


def test_what_is_not_there_is_said_to_be_missing(portfolios: Portfolios) -> None:
    with pytest.raises(PortfolioNotFoundError, match="'nowhere'"):
        portfolios.calculate_returns("nowhere")
    with pytest.raises(PortfolioNotFoundError, match="'nowhere'"):
        portfolios.add_position("nowhere", "AAPL", 1, 1)
    with pytest.raises(PositionNotFoundError, match="'nothing'"):
        portfolios.update_position("nothing", shares=1)
    with pytest.raises(UserNotFoundError):
        portfolios.create_portfolio("eve", "Growth")


def test_names_and_stocks_are_there_once(portfolios: Portfolios, portfolio: str) -> None:
    portfolios.add_position(portfolio, "AAPL", 1, 1)

    with pytest.raises(DuplicateError, match="has AAPL already: update that position"):
        portfolios.add_position(portfolio, "aapl", 1, 1)
    with pytest.raises(DuplicateError, match="has a portfolio 'Growth' already"):
        portfolios.create_portfolio("ada", "Growth")
    with pytest.raises(ConstraintError):
        portfolios.create_portfolio("ada", "  ")
    assert portfolios.create_portfolio("bob", "Growth") != portfolio
