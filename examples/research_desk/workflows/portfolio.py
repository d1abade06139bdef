"""Portfolios: create one, add, update and close positions, see what they return.

Money and shares are decimals from end to end. A float is taken as it is written: 150.1 is 150.1.
With a `user_id`, a portfolio of anybody else reads as one that is not there.
The functions at the end work on the process-wide Timber; `Portfolios` works on any.
"""

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any, Final, TypedDict

from sqlalchemy import select

from examples.research_desk.amounts import PRICE_DECIMALS, Amount, price_of, shares_of
from examples.research_desk.errors import (
    DuplicateError,
    EmptyPortfolioError,
    ForeignPortfolioError,
    InvalidAmountError,
    PortfolioNotFoundError,
    PositionNotFoundError,
)
from examples.research_desk.market.base import normalized
from examples.research_desk.market.market import Market, market_of
from examples.research_desk.settings import DeskSettings
from timber.common import errors as timber
from timber.common.modeling.registry import ModelRegistry
from timber.common.persistence.manager import PersistenceManager, UnitOfWork
from timber.common.runtime import default_timber

_PRECISION: Final = 40
"""Digits: a number of shares times a price has up to 30."""
_RATIO_STEP: Final = Decimal("0.000001")


class PositionReturns(TypedDict):
    """What a position has come to."""

    position_id: str
    ticker: str
    shares: Decimal
    cost: Decimal
    value: Decimal
    gain: Decimal
    total_return: Decimal


class Returns(TypedDict):
    """What a portfolio has come to; `total_return` is the gain by the cost: 0.1 is 10 %."""

    portfolio_id: str
    currency: str
    cost: Decimal
    value: Decimal
    gain: Decimal
    total_return: Decimal
    positions: list[PositionReturns]
    unpriced: list[str]
    """The tickers without a current price, which count at what they cost."""


class Portfolios:
    """The portfolios of the users of a Timber."""

    def __init__(
        self,
        *,
        persistence: PersistenceManager,
        models: ModelRegistry,
        market: Callable[[], Market],
    ) -> None:
        self._persistence = persistence
        self._models = models
        self._market = market

    def create_portfolio(self, user_id: str, name: str, currency: str = "USD") -> str:
        """Create an empty portfolio, and return its id.

        Raises:
            UserNotFoundError: there is no such user.
            DuplicateError: the user has a portfolio of that name.
            ConstraintError: the name is blank.

        """

        def work(unit: UnitOfWork) -> str:
            # First, for it is the tracker that knows whether there is such a user.
            unit.track_event(user_id, "portfolio_created", {"name": name})
            row = self._models.get("Portfolio")(user_id=user_id, name=name, currency=currency)
            unit.session.add(row)
            unit.session.flush()
            return str(row.id)

        try:
            return self._persistence.run(work)
        except timber.DuplicateError as error:
            raise DuplicateError(
                f"{user_id!r} has a portfolio {name!r} already: take another name"
            ) from error

    def add_position(
        self,
        portfolio_id: str,
        ticker: object,
        shares: Amount,
        entry_price: Amount,
        *,
        user_id: str | None = None,
    ) -> str:
        """Add shares of a stock that is not in the portfolio yet; return the position's id.

        Raises:
            PortfolioNotFoundError: there is none; a ForeignPortfolioError if it is another's.
            InvalidTickerError: it cannot be a ticker.
            UnknownTickerError: no source has it.
            MarketUnavailableError: no source answered.
            InvalidAmountError: the shares or the price are not above zero, or not exact.
            DuplicateError: the stock is there already.

        """
        symbol = normalized(ticker)
        held = shares_of("shares", shares)
        paid = price_of("entry_price", entry_price)
        self._market().history(symbol)

        def work(unit: UnitOfWork) -> str:
            portfolio = self._portfolio(unit, portfolio_id, user_id)
            row = self._models.get("Position")(
                portfolio_id=portfolio.id, ticker=symbol, shares=held, entry_price=paid
            )
            unit.session.add(row)
            unit.session.flush()
            about = {"position_id": row.id, "ticker": symbol, "shares": str(held)}
            unit.track_event(portfolio.user_id, "position_added", about)
            return str(row.id)

        try:
            return self._persistence.run(work)
        except timber.DuplicateError as error:
            raise DuplicateError(
                f"portfolio {portfolio_id!r} has {symbol} already: update that position"
            ) from error

    def update_position(
        self,
        position_id: str,
        *,
        shares: Amount | None = None,
        current_price: Amount | None = None,
        entry_price: Amount | None = None,
        user_id: str | None = None,
    ) -> bool:
        """Change what is given of a position, and return True.

        `entry_price` is what a share cost on average: give it when more were bought at another
        price, else the new ones count as bought at the old one.

        Raises:
            PositionNotFoundError: there is none; a ForeignPortfolioError if it is another's.
            InvalidAmountError: a value is not above zero, or not exact, or nothing is given.

        """
        values: dict[str, Decimal] = {}
        if shares is not None:
            values["shares"] = shares_of("shares", shares)
        if current_price is not None:
            values["current_price"] = price_of("current_price", current_price)
        if entry_price is not None:
            values["entry_price"] = price_of("entry_price", entry_price)
        if not values:
            raise InvalidAmountError("give shares, current_price or entry_price to be changed")

        def work(unit: UnitOfWork) -> bool:
            row = self._position(unit, position_id, user_id)
            for name, value in values.items():
                setattr(row, name, value)
            unit.session.flush()
            told = {name: str(value) for name, value in values.items()}
            about = {"position_id": position_id, **told}
            unit.track_event(row.portfolio.user_id, "position_updated", about)
            return True

        return self._persistence.run(work)

    def close_position(
        self, position_id: str, exit_price: Amount, *, user_id: str | None = None
    ) -> Decimal:
        """Sell all shares of a position at a price each, and return the gain.

        The position is no longer part of the portfolio, nor of its returns; what it was, and
        what it has brought, is kept as an event. Its stock can be added again.

        Raises:
            PositionNotFoundError: there is none; a ForeignPortfolioError if it is another's.
            InvalidAmountError: the price is not above zero, or not exact.

        """
        price = price_of("exit_price", exit_price)

        def work(unit: UnitOfWork) -> Decimal:
            row = self._position(unit, position_id, user_id)
            with localcontext(prec=_PRECISION):
                gain: Decimal = row.shares * (price - row.entry_price)
            about = {
                "position_id": position_id,
                "ticker": row.ticker,
                "shares": str(row.shares),
                "entry_price": str(row.entry_price),
                "exit_price": str(price),
                "gain": str(gain),
            }
            unit.track_event(row.portfolio.user_id, "position_closed", about)
            unit.session.delete(row)
            return gain

        return self._persistence.run(work)

    def price_positions(self, portfolio_id: str, *, user_id: str | None = None) -> int:
        """Give every position the current price of its stock; return how many there are.

        All of them get theirs, or none.

        Raises:
            PortfolioNotFoundError: there is none; a ForeignPortfolioError if it is another's.
            UnknownTickerError, MarketUnavailableError: a price cannot be had.

        """

        def tickers(unit: UnitOfWork) -> list[str]:
            return [row.ticker for row in self._portfolio(unit, portfolio_id, user_id).positions]

        # Outside of a transaction, which should not wait for a market.
        step = Decimal(1).scaleb(-PRICE_DECIMALS)
        quotes = {
            ticker: self._market().quote(ticker).price.quantize(step)
            for ticker in self._persistence.run(tickers)
        }

        def work(unit: UnitOfWork) -> int:
            portfolio = self._portfolio(unit, portfolio_id, user_id)
            priced = [row for row in portfolio.positions if row.ticker in quotes]
            for row in priced:
                row.current_price = quotes[row.ticker]
            unit.track_event(portfolio.user_id, "portfolio_priced", {"portfolio_id": portfolio_id})
            return len(priced)

        return self._persistence.run(work)

    def calculate_returns(self, portfolio_id: str, *, user_id: str | None = None) -> Returns:
        """Return what a portfolio has come to, as a whole and by position.

        Raises:
            PortfolioNotFoundError: there is none; a ForeignPortfolioError if it is another's.
            EmptyPortfolioError: it has no positions.

        """

        def work(unit: UnitOfWork) -> Returns:
            portfolio = self._portfolio(unit, portfolio_id, user_id)
            if not portfolio.positions:
                raise EmptyPortfolioError(portfolio_id)
            return _returns(portfolio)

        return self._persistence.run(work)

    def _portfolio(self, unit: UnitOfWork, portfolio_id: str, user_id: str | None) -> Any:
        model = self._models.get("Portfolio")
        row = unit.session.scalar(select(model).where(model.id == portfolio_id))
        if row is None:
            raise PortfolioNotFoundError(portfolio_id)
        if user_id not in {None, row.user_id}:
            raise ForeignPortfolioError(portfolio_id)
        return row

    def _position(self, unit: UnitOfWork, position_id: str, user_id: str | None) -> Any:
        model = self._models.get("Position")
        row = unit.session.scalar(select(model).where(model.id == position_id).with_for_update())
        if row is None:
            raise PositionNotFoundError(position_id)
        self._portfolio(unit, row.portfolio_id, user_id)
        return row


def _returns(portfolio: Any) -> Returns:
    with localcontext(prec=_PRECISION):
        positions = [_position_returns(row) for row in portfolio.positions]
        cost = sum((one["cost"] for one in positions), Decimal(0))
        value = sum((one["value"] for one in positions), Decimal(0))
        return Returns(
            portfolio_id=portfolio.id,
            currency=portfolio.currency,
            cost=cost,
            value=value,
            gain=value - cost,
            total_return=_ratio(value, cost),
            positions=positions,
            unpriced=[row.ticker for row in portfolio.positions if row.current_price is None],
        )


def _position_returns(row: Any) -> PositionReturns:
    cost = row.shares * row.entry_price
    price = row.entry_price if row.current_price is None else row.current_price
    value = row.shares * price
    return PositionReturns(
        position_id=row.id,
        ticker=row.ticker,
        shares=row.shares,
        cost=cost,
        value=value,
        gain=value - cost,
        total_return=_ratio(value, cost),
    )


def _ratio(value: Decimal, cost: Decimal) -> Decimal:
    return (value / cost - 1).quantize(_RATIO_STEP)


_portfolios: Final = Portfolios(
    persistence=default_timber.persistence,
    models=default_timber.models,
    market=lambda: market_of(DeskSettings()),
)

create_portfolio: Final = _portfolios.create_portfolio
add_position: Final = _portfolios.add_position
update_position: Final = _portfolios.update_position
close_position: Final = _portfolios.close_position
price_positions: Final = _portfolios.price_positions
calculate_returns: Final = _portfolios.calculate_returns
