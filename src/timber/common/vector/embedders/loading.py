"""Models that are loaded when they are first used, once, whatever the number of threads."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

from timber.common.errors import FeatureUnavailableError

T = TypeVar("T")
_PIECE: Final = 1024 * 1024


class Once(Generic[T]):
    """Makes something at the first call, and returns the same at every other.

    Threads that call meanwhile wait. When making it fails, the next call tries again.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []
        self._lock = threading.Lock()

    def __call__(self) -> T:
        if not self._made:
            with self._lock:
                if not self._made:
                    self._made.append(self._make())
        return self._made[0]

    @property
    def is_made(self) -> bool:
        return bool(self._made)


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def refuse_other(file: Path, *, expected: str, feature: str, cure: str) -> None:
    """Do nothing, if a file is the one that was pinned.

    Raises:
        FeatureUnavailableError: it is not there, or it is another.

    """
    try:
        found = sha256(file)
    except OSError as error:
        reason = f"{file} cannot be read ({error.strerror})"
        raise FeatureUnavailableError(feature, cure=f"{reason}: {cure}") from error
    if found != expected:
        raise FeatureUnavailableError(
            feature,
            cure=f"{file} is another file than it should be, or damaged: its SHA-256 is "
            f"{found}, and should be {expected}: {cure}",
        )
