"""An empty database of texts and vectors, in memory and in a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.vector_shelf import Shelf
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings


@pytest.fixture(params=["memory", "file"])
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "sqlite:///:memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/v.db"


@pytest.fixture
def sqlite_shelf(sqlite_url: str) -> Iterator[Shelf]:
    settings = TimberSettings(database_url=sqlite_url, packaged_models=False)
    with Timber().opened(settings) as timber:
        yield Shelf(timber)
