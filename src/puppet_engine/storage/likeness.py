"""How much texts mean the same, by the embedder that memories are found with."""

from functools import lru_cache
from typing import Final

from puppet_engine.storage.gateway import Storage

NEARBY: Final = frozenset({"minilm", "static", "multilingual"})
"""Embedders that run in this process: a text that waits to leave waits for no network."""

KEPT: Final = 2_048
"""How many vectors are kept, of what was said last: some three megabytes."""


class Likeness:
    """Tells how much two texts mean the same, 0 to 1: the cosine of their vectors.

    Each text is embedded once, and what an agent has said is compared again and again.
    """

    def __init__(self, storage: Storage) -> None:
        self._vector = lru_cache(maxsize=KEPT)(storage.meaning)

    def __call__(self, one: str, other: str) -> float:
        """Return the cosine, 0 where they are opposites.

        Raises:
            NotRunningError: the storage is not open.
            StorageError: the embedder refused a text.

        """
        return max(0.0, float(self._vector(one) @ self._vector(other)))


def likeness_by(storage: Storage) -> Likeness | None:
    """Return how texts are compared by meaning; None where there is no embedder at hand."""
    return Likeness(storage) if storage.embedder in NEARBY else None
