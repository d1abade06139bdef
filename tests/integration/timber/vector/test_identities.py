"""The first vectors of a source, when many processes bring some at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text
from tests.contracts.vector_shelf import Shelf

from timber.common.errors import ContentionError
from timber.common.vector.identities import Identities, Identity

MINE = Identity("mine", 3)
MANY = 6

pytestmark = pytest.mark.integration


def _identities(shelf: Shelf) -> Identities:
    return shelf.timber.vector_ingestion._identities


def _sources(shelf: Shelf, names: Sequence[str]) -> None:
    """Add sources whose embedder is not known yet, as models with the flag have at first."""
    with shelf.writing() as connection:
        for name in names:
            _identities(shelf)._settle_first(connection, name, Identity(None, None))


def test_nobody_stands_in_anothers_way(postgresql_shelf: Shelf) -> None:
    shelf, together = postgresql_shelf, Barrier(MANY)
    names = [f"source {number}" for number in range(12)]
    _sources(shelf, names)

    def settle(_: int) -> None:
        for name in names:
            together.wait()
            with shelf.engine.begin() as connection:
                _identities(shelf).settle(connection, [name], MINE)

    with ThreadPoolExecutor(MANY) as threads:
        assert list(threads.map(settle, range(MANY))) == [None] * MANY  # no deadlock was raised

    with shelf.engine.connect() as connection:
        stored = connection.execute(
            text("SELECT DISTINCT model_id, dimension FROM vector_sources")
        )
        assert stored.all() == [("mine", 3)]


def test_what_was_settled_is_not_changed_by_another_until_the_end(postgresql_shelf: Shelf) -> None:
    shelf = postgresql_shelf
    _sources(shelf, ["notes"])
    with shelf.engine.begin() as connection:
        _identities(shelf).settle(connection, ["notes"], MINE)

    with shelf.engine.begin() as mine, shelf.engine.begin() as other:
        _identities(shelf).settle(mine, ["notes"], MINE)
        other.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(ContentionError, match="LockNotAvailable"):
            _identities(shelf).settle(other, ["notes"], Identity("another", 4))
