"""The desk as one thing to open and close: what programs and agents hold.

with opened_desk("sqlite:///research.db") as desk:
    desk.ensure_user("ada")
    outcome = desk.research.research("ada", "AAPL", Path("reports"))
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from examples.research_desk.market.market import Market, market_of
from examples.research_desk.settings import DeskSettings
from examples.research_desk.workflows.portfolio import Portfolios
from examples.research_desk.workflows.stock_research import StockResearch
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

MODELS: Final = Path(__file__).parent / "data" / "models"
"""The folder of the desk's model files."""


@dataclass(frozen=True)
class Desk:
    """Research and portfolios over one Timber, which has the models in `MODELS`."""

    research: StockResearch
    portfolios: Portfolios
    timber: Timber

    def ensure_user(self, user_id: str) -> None:
        """Store a user of that id, unless there is one.

        Raises:
            ValueError: the id is blank.

        """
        if not user_id.strip():
            raise ValueError("a user needs an id that is not blank")
        model = self.timber.models.get("User")
        with self.timber.database.session_scope() as session:
            if session.get(model, user_id) is None:
                email = f"{user_id}@localhost"
                session.add(model(user_id=user_id, username=user_id, email=email))


def desk_over(timber: Timber, market: Market) -> Desk:
    """Return a desk over an open Timber and a market."""
    return Desk(
        research=StockResearch(persistence=timber.persistence, market=lambda: market),
        portfolios=Portfolios(
            persistence=timber.persistence, models=timber.models, market=lambda: market
        ),
        timber=timber,
    )


@contextmanager
def opened_desk(database_url: str, settings: DeskSettings | None = None) -> Generator[Desk]:
    """Give a desk over a database of its own, for the length of a block.

    Raises as `Timber.open` does.
    """
    opened = TimberSettings(database_url=database_url, model_config_dirs=(MODELS,))
    with Timber().opened(opened) as timber:
        yield desk_over(timber, market_of(settings or DeskSettings()))
