"""Keystores of each kind, and what opens them again."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from timber.common.clock import SystemClock
from timber.common.keys.base import MasterKeys
from timber.common.keys.master_file import FileMasterKeys
from timber.common.keys.master_text import MemoryMasterKeys
from timber.common.keys.opening import OpenKeys, opened_keys
from timber.common.keys.places import KeyPlaces


class MemoryBond:
    """What data knows of its keystore, without data."""

    def __init__(self) -> None:
        self.store_id: bytes | None = None

    def read(self) -> bytes | None:
        return self.store_id

    def write(self, store_id: bytes) -> None:
        self.store_id = store_id


@dataclass(frozen=True)
class Keys:
    """A place for keys, which can be opened any number of times."""

    places: KeyPlaces
    bond: MemoryBond

    def open(
        self, *, may_create: bool = True, masters: MasterKeys | None = None
    ) -> AbstractContextManager[OpenKeys]:
        places = replace(self.places, masters=masters) if masters else self.places
        return opened_keys(places, bond=self.bond, clock=SystemClock(), may_create=may_create)


@pytest.fixture(params=["file", "postgresql"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Keys:
    """Give a place for keys that outlives whoever opens it, of each kind in turn."""
    is_file = request.param == "file"
    return keys_in(
        tmp_path / "keys", "" if is_file else str(request.getfixturevalue("postgresql_url"))
    )


@pytest.fixture
def file_keys(tmp_path: Path) -> Keys:
    """Give a place for keys in the folder `keys`."""
    return keys_in(tmp_path / "keys")


def keys_in(folder: Path, url: str = "") -> Keys:
    """Return a place for keys in a folder; with a URL only the master key is in that."""
    masters = FileMasterKeys(folder / "master.key")
    file = KeyPlaces(masters=masters, file=folder / "keystore.db")
    return Keys(KeyPlaces(masters=masters, url=url) if url else file, MemoryBond())


@pytest.fixture
def open_keys(keys: Keys) -> Iterator[OpenKeys]:
    with keys.open() as opened:
        yield opened


@pytest.fixture
def memory_keys() -> Iterator[OpenKeys]:
    with Keys(KeyPlaces(masters=MemoryMasterKeys()), MemoryBond()).open() as opened:
        yield opened


OpenAgain = Callable[[], OpenKeys]


@pytest.fixture
def open_again(keys: Keys) -> Iterator[OpenAgain]:
    """Give what opens the keys once more, as another process does."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(keys.open(may_create=False))
