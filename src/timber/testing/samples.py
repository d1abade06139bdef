"""Stand-ins for what the guide's tests take from outside: prices and embeddings."""

import importlib
import random
from datetime import datetime, timedelta
from typing import Any, Final
from unittest.mock import Mock  # noqa: TID251 - the guide's tests set and assert on a mock

from timber.common.errors import FeatureUnavailableError

DAYS: Final = 30
DIMENSION: Final = 384


def stock_data(*, end: datetime, chance: random.Random) -> Any:
    """Return a pandas DataFrame of daily prices up to `end`, in the form of the guide.

    Raises:
        FeatureUnavailableError: pandas is not installed.

    """
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        cure = "pip install 'puppet-engine[testing]'"
        raise FeatureUnavailableError("mock_stock_data, which needs pandas,", cure=cure) from error
    return pandas.DataFrame(
        [_day(end - timedelta(days=DAYS - 1 - day), chance) for day in range(DAYS)]
    )


def mock_embeddings() -> Mock:
    """Return a mock that embeds every text as the same vector of 384 numbers."""
    mock = Mock()
    mock.generate_embedding.return_value = [0.1] * DIMENSION
    mock.generate_embeddings_batch.side_effect = lambda texts: [[0.1] * DIMENSION for _ in texts]
    return mock


def _day(date: datetime, chance: random.Random) -> dict[str, Any]:
    opened, closed = chance.gauss(150, 5), chance.gauss(150, 5)
    return {
        "Date": date,
        "Open": opened,
        "High": max(opened, closed) + abs(chance.gauss(0, 2)),
        "Low": min(opened, closed) - abs(chance.gauss(0, 2)),
        "Close": closed,
        "Volume": chance.randint(900_000, 1_100_000),
    }
