"""What one process writes, the next search of another finds."""

from pathlib import Path
from typing import Any

import pytest
from tests.contracts.vector_index import EAST, NORTH, WEST, found, ids, piece
from tests.contracts.vector_shelf import NEWS, Shelf
from tests.forks import forking

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.common.vector.base import Scope
from timber.common.vector.exact_index import ExactIndex
from timber.common.vector.partitions import Partitions


def settings(path: Path) -> TimberSettings:
    return TimberSettings(database_url=f"sqlite:///{path}/shared.db", packaged_models=False)


def write(path: Path, pipe: Any) -> None:
    """Do what is said, and tell the keys, until nothing more is said."""
    with Timber().opened(settings(path)) as timber:
        shelf = Shelf(timber)
        while (said := pipe.recv()) is not None:
            what, argument = said
            keys: list[int] = []
            with shelf.engine.connect() as connection:
                if what == "take":
                    shelf.take(connection, *argument)
                else:
                    keys = shelf.put(connection, *argument)
                if what == "roll back":
                    connection.rollback()
                else:
                    connection.commit()
            pipe.send(keys)


@pytest.mark.parametrize("scope", [Scope(NEWS), Scope(NEWS, owner="ann")])
def test_a_search_finds_what_another_process_has_just_committed(
    tmp_path: Path, scope: Scope
) -> None:
    with Timber().opened(settings(tmp_path)) as timber:
        shelf, index = Shelf(timber), ExactIndex(partitions=Partitions(limit_bytes=1_000_000))
        spawn = forking()
        ours, theirs = spawn.Pipe()
        writer = spawn.Process(target=write, args=(tmp_path, theirs))
        writer.start()

        def told(what: str, argument: object) -> list[int]:
            ours.send((what, argument))
            return list(ours.recv())

        first = told("put", [piece("1", EAST, owner="ann"), piece("2", WEST, owner="ann")])
        assert ids(found(shelf, index, EAST, scope)) == first

        for number in range(5):
            told("roll back", [piece("x", EAST, owner="ann")])
            assert ids(found(shelf, index, EAST, scope)) == first
            (new,) = told("put", [piece(f"n{number}", NORTH, owner="ann")])
            assert ids(found(shelf, index, NORTH, scope))[0] == new
            told("take", [new])
            assert ids(found(shelf, index, EAST, scope)) == first

        ours.send(None)
        writer.join()
        assert writer.exitcode == 0
