"""The part of the plugin that gives tests something to work on: rows, and stand-ins."""

import random
import zlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from faker import Faker
    from sqlalchemy.orm import Session

    from timber.testing.clock import FrozenClock
    from timber.testing.factories import RowMaker


@pytest.fixture
def make(
    db_session: "Session", timber_faker: "Faker", request: pytest.FixtureRequest
) -> "RowMaker":
    """Make rows from what the model files say: `make("User", email="a@example.org")`."""
    from timber.common.runtime import default_timber  # noqa: PLC0415
    from timber.testing.factories import RowMaker  # noqa: PLC0415
    from timber.testing.invention import Inventor  # noqa: PLC0415

    inventor = Inventor(faker=timber_faker, seed=_seed(request))
    return RowMaker(models=default_timber.models, session=db_session, inventor=inventor)


@pytest.fixture(scope="session")
def timber_faker() -> "Faker":
    """Return the Faker that invents the values of `make`; it is seeded by each test's name."""
    try:
        from faker import Faker  # noqa: PLC0415
    except ImportError as error:
        from timber.common.errors import FeatureUnavailableError  # noqa: PLC0415

        cure = "pip install 'puppet-engine[testing]'"
        raise FeatureUnavailableError("make", cure=cure) from error
    return Faker()


@pytest.fixture
def sample_user(db_session: "Session") -> Any:
    """Store a user."""
    from timber.common.models import get_model  # noqa: PLC0415

    user = get_model("User")(
        user_id="test-user-123", email="test@example.com", username="testuser"
    )
    db_session.add(user)
    db_session.commit()
    return user


@pytest.fixture
def sample_research_session(db_session: "Session", sample_user: Any) -> Any:
    """Store a session of research on one stock; needs the model `StockResearchSession`."""
    from timber.common.models import get_model  # noqa: PLC0415

    session = get_model("StockResearchSession")(
        user_id=sample_user.user_id,
        ticker="AAPL",
        state="initialized",
        config={"analysis_type": "fundamental"},
    )
    db_session.add(session)
    db_session.commit()
    return session


@pytest.fixture
def frozen_clock(monkeypatch: pytest.MonkeyPatch) -> "FrozenClock":
    """Stop the clock of Timber, until the test moves it."""
    from timber.common.clock import SystemClock  # noqa: PLC0415
    from timber.testing.clock import FrozenClock  # noqa: PLC0415

    clock = FrozenClock()
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    return clock


@pytest.fixture
def mock_stock_data(request: pytest.FixtureRequest) -> Any:
    """Return a pandas DataFrame of thirty days of prices, up to now."""
    from timber.common.clock import SystemClock  # noqa: PLC0415
    from timber.testing.samples import stock_data  # noqa: PLC0415

    chance = random.Random(_seed(request))  # noqa: S311 - nothing secret
    return stock_data(end=SystemClock().now(), chance=chance)


@pytest.fixture
def mock_embedding_service() -> Any:
    """Return a mock that embeds every text as the same vector of 384 numbers."""
    from timber.testing.samples import mock_embeddings  # noqa: PLC0415

    return mock_embeddings()


def _seed(request: pytest.FixtureRequest) -> int:
    """Return the same number at every run of a test, whatever runs before it."""
    return zlib.crc32(request.node.nodeid.encode())
