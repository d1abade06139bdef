"""A research desk over an empty database of each kind, and a market that can be shut."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from examples.research_desk.desk import MODELS, Desk, desk_over
from examples.research_desk.errors import MarketUnavailableError
from examples.research_desk.market.base import PriceHistory
from examples.research_desk.market.market import Market
from examples.research_desk.market.offline import OfflinePrices
from typing_extensions import override

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings


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


@pytest.fixture(params=["file", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database, of each kind that a desk is used with."""
    if request.param == "file":
        return f"sqlite:///{tmp_path}/research.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def prices() -> Prices:
    return Prices()


@pytest.fixture
def desk(database_url: str, prices: Prices) -> Iterator[Desk]:
    """Give a desk with two users."""
    settings = TimberSettings(database_url=database_url, model_config_dirs=(MODELS,))
    with Timber().opened(settings) as timber:
        made = desk_over(timber, Market([prices]))
        made.ensure_user("ada")
        made.ensure_user("bob")
        yield made


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
