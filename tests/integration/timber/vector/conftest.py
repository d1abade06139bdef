"""A Timber on PostgreSQL, and texts and vectors to be found there."""

from collections.abc import Iterator

import pytest

from tests.contracts.vector_shelf import Shelf
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.testing.database import empty_tables


@pytest.fixture(scope="module")
def on_postgresql(postgresql_module_url: str) -> Iterator[Timber]:
    with Timber().opened(TimberSettings(database_url=postgresql_module_url)) as timber:
        yield timber


@pytest.fixture
def postgresql_shelf(on_postgresql: Timber) -> Shelf:
    with on_postgresql.database.engine.begin() as connection:
        empty_tables(connection, on_postgresql.base.metadata)
    return Shelf(on_postgresql)
