"""Fences and values of one process."""

import threading
import zlib
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Final, TypeAlias

SLOTS: Final = 4096
"""Into how many the rows of a table are divided; a write to one touches its slot."""

Key: TypeAlias = tuple[Hashable, ...]


class Fence:
    """What a write passes: its version changes, and stays marked until the write has ended."""

    __slots__ = ("name", "pending", "version")

    def __init__(self, name: str) -> None:
        self.name = name
        self.version = 0
        self.pending = 0


class TableFences:
    """The fences of one table.

    | fence | what passes it |
    |--|--|
    | `any` | every write; before it lie the answers to queries |
    | `every` | a write to rows that are not known one by one; before it lies every row |
    | `new` | rows with unknown keys are added; before it lies that a key has no row |
    | a slot | a write to rows that are known; before it lie the rows of the slot |
    """

    __slots__ = ("_slots", "any", "every", "name", "new")

    def __init__(self, name: str) -> None:
        self.name = name
        self.any = Fence(f"{name}|any")
        self.every = Fence(f"{name}|every")
        self.new = Fence(f"{name}|new")
        self._slots: dict[int, Fence] = {}

    def slot(self, key: Key) -> Fence:
        """Return the fence of the slot in which the row with that key is."""
        number = zlib.crc32(repr(key).encode()) % SLOTS
        fence = self._slots.get(number)
        if fence is None:
            fence = self._slots.setdefault(number, Fence(f"{self.name}|{number}"))
        return fence


class Entry:
    """A value in this process, with what it was read behind."""

    __slots__ = ("_behind", "expires", "tokens", "trusted_until", "value")

    def __init__(
        self,
        value: Any,
        *,
        fences: Sequence[Fence],
        versions: Sequence[int],
        tokens: Sequence[bytes],
        trusted_until: float,
        expires: float,
    ) -> None:
        self.value = value
        self._behind = tuple(zip(fences, versions, strict=True))
        self.tokens = tokens
        self.trusted_until = trusted_until
        self.expires = expires

    def is_current(self) -> bool:
        """Tell whether no write of this process has passed since the value was read."""
        # A loop, for every hit goes through it and a generator costs more.
        for fence, version in self._behind:  # noqa: SIM110 - as said
            if fence.version != version:
                return False
        return True


_lock: Final = threading.Lock()
"""Held for the few additions of a write, whichever Timber writes."""


def versions_of(fences: Iterable[Fence]) -> tuple[int, ...] | None:
    """Return the versions of the fences; None while a write is pending at one of them.

    A version is read before its mark. A write marks, changes the version, writes, changes it
    again and takes the mark away: so whatever comes between is seen in one of the two.
    """
    fences = tuple(fences)
    versions = tuple(fence.version for fence in fences)
    return None if any(fence.pending for fence in fences) else versions


def mark(fences: Iterable[Fence]) -> None:
    """Mark the fences, and change their versions."""
    with _lock:
        for fence in fences:
            fence.pending += 1
            fence.version += 1


def unmark(fences: Iterable[Fence]) -> None:
    """Change the versions again, and take the marks away."""
    with _lock:
        for fence in fences:
            fence.version += 1
            fence.pending -= 1


def touch(fences: Iterable[Fence]) -> None:
    """Change the versions of the fences."""
    with _lock:
        for fence in fences:
            fence.version += 1
