"""The exact index keeps the contract, in memory and in a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from tests.contracts.vector_index import VectorIndexContract
from tests.contracts.vector_shelf import Shelf
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.common.vector.base import VectorIndex
from timber.common.vector.exact_index import ExactIndex
from timber.common.vector.partitions import Partitions

ROOM = 1_000_000


@pytest.fixture(params=["memory", "file"])
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "sqlite:///:memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/v.db"


class TestExactIndex(VectorIndexContract):
    @pytest.fixture
    @override
    def shelf(self, sqlite_url: str) -> Iterator[Shelf]:
        settings = TimberSettings(database_url=sqlite_url, packaged_models=False)
        with Timber().opened(settings) as timber:
            yield Shelf(timber)

    @pytest.fixture
    @override
    def index(self, shelf: Shelf) -> VectorIndex:
        return ExactIndex(partitions=Partitions(limit_bytes=ROOM))


class TestExactIndexWithoutRoom(TestExactIndex):
    """Nothing fits into its memory, so every search reads the database."""

    @pytest.fixture
    @override
    def index(self, shelf: Shelf) -> VectorIndex:
        return ExactIndex(partitions=Partitions(limit_bytes=0))
