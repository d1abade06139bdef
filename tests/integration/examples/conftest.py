"""A research desk over an empty database of each kind, and a market that can be shut."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import pytest
from examples.research_desk.desk import MODELS, Desk, desk_over
from examples.research_desk.errors import MarketUnavailableError
from examples.research_desk.market.base import PriceHistory
from examples.research_desk.market.market import Market
from examples.research_desk.market.offline import OfflinePrices
from tests.lent_timbers import Lender
from typing_extensions import override

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.testing.postgresql import PostgresqlServer


@dataclass
class Prices(OfflinePrices):
    """The prices at hand, from a source that can be shut, or know only the latest months."""

    shut: bool = False
    months: int | None = None
    asked: list[str] = field(default_factory=list)

    @override
    def history(self, ticker: str) -> PriceHistory:
        if self.shut:
            raise MarketUnavailableError(ticker, {self.name: "it is shut"})
        self.asked.append(ticker)
        whole = super().history(ticker)
        closes = whole.closes[-self.months :] if self.months else whole.closes
        return PriceHistory(ticker=ticker, source=whole.source, closes=closes)


@pytest.fixture(scope="package")
def lender(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: PostgresqlServer
) -> Iterator[Lender]:
    def open_at(url: str) -> AbstractContextManager[Timber]:
        return Timber().opened(TimberSettings(database_url=url, model_config_dirs=(MODELS,)))

    with Lender.open(tmp_path_factory.mktemp("research"), postgresql_server, open_at) as lender:
        yield lender


@pytest.fixture(params=["file", "postgresql"])
def database_url(request: pytest.FixtureRequest, lender: Lender) -> str:
    """Give the URL of an empty database, of each kind that a desk is used with."""
    return lender.url(request.param)


@pytest.fixture
def prices() -> Prices:
    return Prices()


@pytest.fixture
def desk(database_url: str, lender: Lender, prices: Prices) -> Desk:
    """Give a desk with two users."""
    made = desk_over(lender.timber(database_url), Market([prices]))
    made.ensure_user("ada")
    made.ensure_user("bob")
    return made


@pytest.fixture
def told(desk: Desk) -> "Told":
    return Told(desk)


@dataclass(frozen=True)
class Told:
    """What the database says of what was done."""

    desk: Desk

    def session(self, session_id: str) -> Any:
        return self.desk.timber.persistence.get_research_session(session_id)

    def events(self, user_id: str = "ada") -> list[str]:
        page = self.desk.timber.persistence.tracker.get_user_events(user_id)
        return sorted(event.event_type for event in page)

    def notifications(self, user_id: str = "ada") -> list[str]:
        page = self.desk.timber.persistence.notifications.get_user_notifications(user_id)
        return [one.title for one in page]
