"""Every error the desk raises.

ResearchDeskError
├── InvalidTickerError(ValueError)           it cannot be the symbol of a stock
├── UnknownTickerError(LookupError)          no source has heard of it
├── MarketUnavailableError                   no source answered
├── TooLittleHistoryError(ValueError)        too few prices for the indicators
├── ResearchOrderError(ValueError)           a step came before the one it builds on
│   └── ResearchFinishedError                … or after the last one
├── InvalidAmountError(ValueError)           a number of shares, or a price
├── PortfolioNotFoundError(LookupError)
│   └── ForeignPortfolioError(PermissionError)  it is somebody else's
├── PositionNotFoundError(LookupError)
├── DuplicateError(ValueError)               the portfolio, or the position, is there already
└── EmptyPortfolioError(ValueError)          nothing in it could have a return

What Timber refuses raises Timber's own errors, such as `UserNotFoundError`.
"""

from collections.abc import Iterable, Mapping


class ResearchDeskError(Exception):
    """The root of every error of the desk; nothing of what failed was kept."""


class InvalidTickerError(ResearchDeskError, ValueError):
    """It cannot be the symbol of a stock."""

    def __init__(self, ticker: object) -> None:
        self.ticker = ticker
        super().__init__(
            f"{ticker!r} is no ticker: give 1 to 10 letters, digits, dots or hyphens, as in 'AAPL'"
        )


class UnknownTickerError(ResearchDeskError, LookupError):
    """No source has heard of the ticker."""

    def __init__(self, ticker: str, *, source: str, known: Iterable[str] = ()) -> None:
        self.ticker = ticker
        listed = ", ".join(sorted(known))
        there = f"; there are {listed}" if listed else ""
        super().__init__(
            f"unknown ticker {ticker!r} in {source}{there}. "
            "For others set RESEARCH_DESK_SOURCES=yahoo,offline"
        )


class MarketUnavailableError(ResearchDeskError):
    """No source answered; `reasons` says for each of them why. Trying again later may help."""

    def __init__(self, ticker: str, reasons: Mapping[str, str]) -> None:
        self.ticker = ticker
        self.reasons = dict(reasons)
        listed = "; ".join(f"{source}: {reason}" for source, reason in reasons.items())
        super().__init__(
            f"no prices of {ticker!r} ({listed}). "
            "Try again later, or name other sources in RESEARCH_DESK_SOURCES"
        )


class TooLittleHistoryError(ResearchDeskError, ValueError):
    """There are too few prices for the indicators."""

    def __init__(self, found: int, *, needed: int) -> None:
        super().__init__(
            f"{found} monthly prices are too few: the indicators need {needed}. "
            "Research a stock that has been listed for longer"
        )


class ResearchOrderError(ResearchDeskError, ValueError):
    """A step of a piece of research cannot be taken now."""


class ResearchFinishedError(ResearchOrderError):
    """The piece of research has ended."""

    def __init__(self, session_id: str, state: str) -> None:
        super().__init__(
            f"the research {session_id!r} is {state}, so nothing can be added to it: begin another"
        )


class InvalidAmountError(ResearchDeskError, ValueError):
    """A number of shares, or a price, cannot be used."""


class PortfolioNotFoundError(ResearchDeskError, LookupError):
    """There is no such portfolio."""

    def __init__(self, portfolio_id: object) -> None:
        super().__init__(
            f"portfolio not found: {portfolio_id!r}; it was never created, or deleted"
        )


class ForeignPortfolioError(PortfolioNotFoundError, PermissionError):
    """The portfolio is somebody else's; the message tells no more than if there were none."""


class PositionNotFoundError(ResearchDeskError, LookupError):
    """There is no such position."""

    def __init__(self, position_id: object) -> None:
        super().__init__(f"position not found: {position_id!r}; it was never added, or deleted")


class DuplicateError(ResearchDeskError, ValueError):
    """The portfolio, or the position in it, is there already."""


class EmptyPortfolioError(ResearchDeskError, ValueError):
    """The portfolio has no positions, so it has no return."""

    def __init__(self, portfolio_id: str) -> None:
        super().__init__(
            f"portfolio {portfolio_id!r} has no positions, so it has no return: add one"
        )
