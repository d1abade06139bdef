"""Keys for data that does not outlive the process: in memory, with nothing to back up."""

import contextlib
from collections.abc import Generator

from typing_extensions import override

from timber.common.clock import SteadyClock, SystemClock
from timber.common.encryption.base import Keystore
from timber.common.keys.bond import Bond
from timber.common.keys.master_text import MemoryMasterKeys
from timber.common.keys.opening import opened_keys
from timber.common.keys.places import KeyPlaces


@contextlib.contextmanager
def passing_keys() -> Generator[Keystore]:
    """Give a keystore that ends with the block, for `Timber(keystore=…)`.

    Whoever opens the database again within the block gives the same one. What was sealed with it
    nobody opens afterwards: it is for databases that go, too, such as those of a simulation.

    Raises:
        FeatureUnavailableError: the extra `encryption` is not installed.

    """
    places = KeyPlaces(masters=MemoryMasterKeys())
    clock = SteadyClock(SystemClock())
    with opened_keys(places, bond=_NoBond(), clock=clock, may_create=True) as keys:
        yield keys.store


class _NoBond(Bond):
    """Of data that goes with its keys, nothing needs to be remembered."""

    @override
    def read(self) -> bytes | None:
        return None

    @override
    def write(self, store_id: bytes) -> None:
        """Do nothing: the next keys are for other data."""
