"""The ports of finding by meaning; their docstrings are the contract."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection
from typing_extensions import override

from timber.common.vector.steps import Steps

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors: TypeAlias = NDArray[np.float32]
    """Shape (n, dimension) or (dimension,), each of length one, so that a product is a cosine."""


Answer = TypeVar("Answer")

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


class Ahead:
    """What of a search by meaning is done before the database is asked: here, nothing."""

    def beside(self, ask: Callable[[], Answer]) -> Answer:
        """Return what `ask` returns, and meanwhile do as much of the search as can be done.

        In whatever thread: meanwhile `ask` alone uses the connection. Raises what it raises.
        """
        return ask()

    def stop(self) -> None:
        """Do no more: nothing of it is of use."""


NOT_AHEAD: Final = Ahead()


class PreparedSearch(ABC):
    """A search by meaning, which the database has been asked for."""

    source_ids: Mapping[int, str] = MappingProxyType({})
    """By pieces: of which texts they are, as far as that is known without a question."""

    @abstractmethod
    def nearest(self) -> list[Hit]:
        """Return the nearest; pieces that went lately may be among them."""

    def gone(self, hits: Sequence[Hit]) -> Steps[Collection[int]]:
        """Find which of them went lately, so that no search finds them again."""
        del hits
        return ()
        yield  # nothing is asked: a generator all the same


class PlainSearch(PreparedSearch):
    """A search that needs nothing but to be made."""

    def __init__(self, search: Callable[[], list[Hit]]) -> None:
        self._search = search

    @override
    def nearest(self) -> list[Hit]:
        return self._search()


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

    def ahead(self, vector: "Vectors", *, scope: Scope, limit: int) -> Ahead:
        """Return what of a search can be done before the database is asked for it."""
        del vector, scope, limit
        return NOT_AHEAD

    def prepared(
        self,
        connection: Connection,
        vector: "Vectors",
        *,
        scope: Scope,
        limit: int,
        ahead: Ahead = NOT_AHEAD,
    ) -> Steps[PreparedSearch]:
        """Prepare what `nearest` does; `ahead` has done some of it."""
        del ahead
        return PlainSearch(lambda: self.nearest(connection, vector, scope=scope, limit=limit))
        yield  # nothing is asked: a generator all the same

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

    def prepared(
        self,
        connection: Connection,
        text: str,
        *,
        scope: Scope,
        limit: int,
        hashed: Callable[[str], str] | None = None,
    ) -> Steps[Callable[[], list[Hit]]]:
        """Prepare what `matching` does, and return what does it.

        With `hashed` words are found by hashes: it is given the text without words that mean
        nothing here, as no index can tell later which hashes these are, and returns the hashes.
        """
        text = text if hashed is None else hashed(text)
        return lambda: self.matching(connection, text, scope=scope, limit=limit)
        yield  # nothing is asked: a generator all the same
