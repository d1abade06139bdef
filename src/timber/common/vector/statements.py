"""Statements that are made once: making one, and its text, takes longer than running it."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Statements:
    """Statements by what they are made of; what differs from time to time are parameters."""

    def __init__(self) -> None:
        self._made: dict[Hashable, Any] = {}

    def made(self, of: Hashable, make: Callable[[], T]) -> T:
        """Return the statement that `make` makes, the same one each time for an equal `of`.

        `of` names all that the statement depends on.
        """
        known: T | None = self._made.get(of)
        if known is None:
            known = self._made[of] = make()
        return known

    def clear(self) -> None:
        """Forget them: the tables may be others from now on."""
        self._made.clear()
