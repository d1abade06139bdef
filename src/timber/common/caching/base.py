"""The port of a shared cache, and what its users say to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a shared cache tells of a key and the fences before it."""

    tokens: tuple[bytes, ...]
    """The token of each fence; what is read from the database now may be stored under them."""
    pending: bool
    """Whether somebody is about to commit: then nothing may be stored, and nothing is told."""
    value: bytes | None
    """What was stored under these tokens; None if nothing was."""
    left_seconds: float
    """For how long the value is stored yet."""
    may_load: bool
    """Whether nobody else is reading the value from the database at this moment."""


class SharedCache(Protocol):
    """Keeps values behind fences, for all processes.

    A fence has a token, which no write leaves as it was. A value is stored under the tokens
    that its reader was told before it read, and is told only while they are still the same.
    So a value is never older than the last write that passed its fences.

    Every method raises a SharedCacheUnavailableError when there is no answer in time.
    What it was asked to do may then have happened, or happen later.
    """

    def look(self, fences: Sequence[str], key: str) -> Look:
        """Tell the tokens of the fences, and what is stored at the key under them."""
        ...

    def store(
        self,
        fences: Sequence[str],
        tokens: Sequence[bytes],
        key: str,
        value: bytes,
        *,
        deciding: int,
        ttl_seconds: float,
    ) -> bool:
        """Store the value, unless a token has changed or a write is pending; tell whether.

        From then on only the first `deciding` tokens say whether the value is told.
        """
        ...

    def begin(self, fences: Sequence[str], writer: str) -> None:
        """Change the tokens, and let nothing be stored until the writer ends, or is dead."""
        ...

    def end(self, fences: Sequence[str], writer: str) -> None:
        """Change the tokens again, and forget that the writer is at work."""
        ...

    def clear(self) -> None:
        """Forget every value, and change every token."""
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...
