"""The ports of finding by meaning; their docstrings are the contract."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from sqlalchemy import Connection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors: TypeAlias = NDArray[np.float32]
    """Shape (n, dimension) or (dimension,), each of length one, so that a product is a cosine."""


OnProgress: TypeAlias = Callable[[str, int, int], None]
"""Told of a source or an index, how much of it is done, and of how much."""


class Embedder(Protocol):
    """Turns texts into vectors.

    It may also have `model_id: str`, which is stored with what it embedded and must not change
    while its vectors would; and `dimension: int`. One that has neither is taken by what it gives.
    """

    def generate_embedding(self, text: str, /) -> Sequence[float]:
        """Return the vector of a text: `dimension` finite numbers."""

    def generate_embeddings_batch(
        self, texts: Sequence[str], /
    ) -> "Sequence[Sequence[float]] | Vectors":
        """Return the vectors of texts, one each, in their order."""


@dataclass(frozen=True)
class Scope:
    """Among which texts is searched."""

    source_type: str
    owner: str | None = None
    """None: those of all owners, and of none."""
    filters: Mapping[str, Any] = field(default_factory=dict)
    """What their metadata must be like; see `filters.py`."""


class Hit(NamedTuple):
    """A piece of text that was found."""

    chunk_id: int
    score: float
    """The higher the better; comparable within one leg only."""


def _nothing(chunk_ids: Collection[int]) -> None:
    del chunk_ids


@dataclass(frozen=True)
class Begun:
    """A search that goes on while its caller asks the connection for something else."""

    ended: "Callable[[], list[Hit]]"
    """Ends it, once, and returns what was found; pieces that went lately may be among it."""
    tell_gone: Callable[[Collection[int]], None] = _nothing
    """Is to be told which of these have gone, so that they are not found again."""


class VectorIndex(ABC):
    """Finds the pieces of text whose vectors are nearest to one."""

    @abstractmethod
    def nearest(
        self, connection: Connection, vector: "Vectors", *, scope: Scope, limit: int
    ) -> list[Hit]:
        """Return the nearest by cosine, best first, equal ones by `chunk_id`.

        What the connection's transaction sees is searched, and nothing else: neither what it
        has deleted nor what others have not committed. There are `limit` hits whenever that
        many pieces with a vector lie in the scope, however few of all these are.
        """

    def begun(
        self, connection: Connection, vector: "Vectors", *, scope: Scope, limit: int
    ) -> Begun:
        """Begin what `nearest` does, where it can be done beside something else."""
        found = self.nearest(connection, vector, scope=scope, limit=limit)
        return Begun(lambda: found)

    def close(self) -> None:
        """Stop what is done in the background, and forget what is in memory."""


class FullTextIndex(ABC):
    """Finds the pieces of text that hold words."""

    @abstractmethod
    def matching(
        self, connection: Connection, text: str, *, scope: Scope, limit: int
    ) -> list[Hit]:
        """Return the best by words, `limit` at the most, best first, equal ones by `chunk_id`.

        Any text is a query: its words are looked for, and no sign in it has a meaning.
        """

    @contextlib.contextmanager
    def matching_after(
        self, connection: Connection, text: str, *, scope: Scope, limit: int
    ) -> Generator[list[Hit]]:
        """Find what `matching` does, beside what the block does, where the database can.

        Gives a list that has it when the block is left; within, the connection is not used.
        """
        yield self.matching(connection, text, scope=scope, limit=limit)

    def without_stop_words(self, connection: Connection, text: str) -> str:
        """Return a query without the words that mean nothing here, for one that is to be hashed.

        No index can tell later which hashes these are.
        """
        del connection
        return text
