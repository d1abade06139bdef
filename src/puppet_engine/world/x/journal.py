"""The port to what the world writes down before it answers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from typing_extensions import override


class JournalEntry(NamedTuple):
    """One thing that happened; `record` holds JSON values only."""

    kind: str
    record: Mapping[str, Any]


class Journal(ABC):
    """Keeps, in order, everything the world has acknowledged."""

    @abstractmethod
    async def append(self, kind: str, record: Mapping[str, Any]) -> None:
        """Keep an entry for ever. It is durable when this returns."""

    @abstractmethod
    async def load(self) -> Sequence[JournalEntry]:
        """Return every entry, oldest first."""


class InMemoryJournal(Journal):
    """Outlives a world, but not the process."""

    def __init__(self) -> None:
        self._entries: list[JournalEntry] = []

    @override
    async def append(self, kind: str, record: Mapping[str, Any]) -> None:
        self._entries.append(JournalEntry(kind, dict(record)))

    @override
    async def load(self) -> Sequence[JournalEntry]:
        return list(self._entries)
