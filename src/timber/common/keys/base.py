"""The port behind which master keys are kept: those under which all other keys are wrapped."""

from collections.abc import Mapping
from typing import Protocol


class MasterKeys(Protocol):
    """Keeps master keys of 32 bytes by version, apart from what is wrapped under them.

    Raises:
        MasterKeyError: what is kept cannot be used, or others could read it.

    """

    @property
    def where(self) -> str:
        """Where they are kept, in words for people; never a key."""
        ...

    @property
    def is_kept_here(self) -> bool:
        """Whether versions can be made and destroyed here; else an operator does both."""
        ...

    def read(self) -> Mapping[int, bytes]:
        """Return all keys that are kept now by their version, from 1; empty if there are none."""
        ...

    def create(self, version: int) -> None:
        """Make a random key of a version that is not there yet, and store it for good.

        Raises:
            MasterKeyError: it is there, or an operator has to make it.

        """
        ...

    def destroy(self, version: int) -> None:
        """Destroy the key of a version for good; one that is not there is no harm.

        Raises:
            MasterKeyError: an operator has to do so.

        """
        ...
