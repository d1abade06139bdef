"""The documents that may be an answer: what the legs of a search find, and what is known of it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import Connection, select

from timber.common.vector.base import (
    NOT_AHEAD,
    Ahead,
    FullTextIndex,
    Hit,
    PreparedSearch,
    Scope,
    VectorIndex,
)
from timber.common.vector.fusion import DENSE, TEXT, Facts, Mark, marks_of
from timber.common.vector.questions import Question
from timber.common.vector.scopes import pieces
from timber.common.vector.sealed_pieces import PieceSeals
from timber.common.vector.steps import Steps, taken
from timber.common.vector.store import batches

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors

Key: TypeAlias = tuple[str, str]
"""Of a document: its `source_type` and `source_id`."""
Leg: TypeAlias = Callable[[Scope, int], list[Hit]]
"""Searches a scope for so many pieces."""

_DEPTH: Final = 100
"""How many pieces a leg finds at least, so that the legs meet."""
_PIECES_PER_RESULT: Final = 4
_AT_ONCE: Final = 500


@dataclass(frozen=True)
class Piece:
    """A piece that a leg has found."""

    chunk_id: int
    source_type: str
    source_id: str
    ordinal: int
    owner: str
    content: str
    """Empty while it is sealed."""
    sealed: bytes | None
    metadata: Mapping[str, Any]
    importance: float | None
    occurred_at: datetime | None
    created_at: datetime

    @property
    def key(self) -> Key:
        return self.source_type, self.source_id


@dataclass
class Found:
    """What the legs have found."""

    legs: dict[str, dict[Key, Mark]] = field(default_factory=dict)
    pieces: dict[int, Piece] = field(default_factory=dict)

    @property
    def keys(self) -> set[Key]:
        return {key for marks in self.legs.values() for key in marks}

    @property
    def facts(self) -> dict[Key, Facts]:
        """What is known of each document; all of its pieces know the same."""
        return {
            one.key: Facts(one.occurred_at or one.created_at, one.importance)
            for one in self.pieces.values()
        }


@dataclass(frozen=True)
class Legs:
    """The indexes, with what is searched for in them."""

    connection: Connection
    vectors: VectorIndex
    full_text: FullTextIndex
    vector: "Vectors | None"
    text: str | None
    seals: PieceSeals
    sealed_types: Collection[str]
    """The sources whose texts are found by keyed hashes of their words."""

    def asked(self, question: Question) -> dict[str, Leg]:
        """Return the legs that count for a question."""
        found: dict[str, Leg] = {}
        if self.vector is not None and question.weights.dense:
            found[DENSE] = self.by_meaning
        if self.text is not None and question.weights.text:
            found[TEXT] = self.by_words
        return found

    def by_meaning(self, scope: Scope, limit: int) -> list[Hit]:
        """Return the pieces of a scope that are nearest in meaning."""
        assert self.vector is not None  # noqa: S101 - or it is not asked
        return self.vectors.nearest(self.connection, self.vector, scope=scope, limit=limit)

    def by_words(self, scope: Scope, limit: int) -> list[Hit]:
        """Return the pieces of a scope that match by their words, or by hashes of them."""
        return taken(self.connection, self.words_prepared(scope, limit))()

    def ahead(self, scope: Scope, limit: int) -> Ahead:
        """Return what of `by_meaning` can be done before the database is asked."""
        if self.vector is None:
            return NOT_AHEAD
        return self.vectors.ahead(self.vector, scope=scope, limit=limit)

    def meaning_prepared(
        self, scope: Scope, limit: int, ahead: Ahead
    ) -> Steps[PreparedSearch | None]:
        """Prepare `by_meaning`; None where there is no vector to search for."""
        if self.vector is None:
            return None
        return (
            yield from self.vectors.prepared(
                self.connection, self.vector, scope=scope, limit=limit, ahead=ahead
            )
        )

    def words_prepared(self, scope: Scope, limit: int) -> Steps[Callable[[], list[Hit]]]:
        """Prepare `by_words`, and return what does it."""
        is_sealed = scope.source_type in self.sealed_types
        hashed = partial(self.seals.asked, scope.source_type) if is_sealed else None
        return self.full_text.prepared(
            self.connection, self.text or "", scope=scope, limit=limit, hashed=hashed
        )


def candidates(legs: Legs, question: Question, source_types: Sequence[str]) -> Found:
    """Return what the legs find: `limit` documents at least, if there are so many.

    A document of many pieces takes many places of a leg, so it is looked further until enough
    documents are found, or all.
    """
    depth = max(_DEPTH, _PIECES_PER_RESULT * question.limit)
    asked = legs.asked(question)
    found = Found()
    while asked:
        hits = {name: _merged(leg, question, source_types, depth) for name, leg in asked.items()}
        _read(legs, found, (one.chunk_id for some in hits.values() for one in some))
        documents = {
            chunk_id: piece.key
            for chunk_id, piece in found.pieces.items()
            if piece.key != question.without
        }
        found.legs = {name: marks_of(name, some, documents) for name, some in hits.items()}
        is_all = all(len(some) < depth for some in hits.values())
        if is_all or len(found.keys) >= question.limit:
            break
        depth *= _PIECES_PER_RESULT
    return found


def _merged(leg: Leg, question: Question, source_types: Sequence[str], depth: int) -> list[Hit]:
    hits = [one for name in source_types for one in leg(question.scope(name), depth)]
    if len(source_types) > 1:
        hits.sort(key=lambda hit: (-hit.score, hit.chunk_id))
    return hits[:depth]


def _read(legs: Legs, found: Found, chunk_ids: Iterable[int]) -> None:
    """Read the pieces that are not known yet, but those that an erasure is about to delete."""
    missing = dict.fromkeys(one for one in chunk_ids if one not in found.pieces)
    for some in batches(missing, _AT_ONCE):
        for piece in read_pieces(legs.connection, pieces.c.chunk_id.in_(some)):
            if piece.sealed is None or not legs.seals.is_erased(piece.sealed):
                found.pieces[piece.chunk_id] = piece


def read_pieces(connection: Connection, *conditions: Any) -> list[Piece]:
    """Return the pieces that meet conditions, in the order in which they stand in their texts."""
    statement = (
        select(
            pieces.c.chunk_id,
            pieces.c.source_type,
            pieces.c.source_id,
            pieces.c.ordinal,
            pieces.c.owner,
            pieces.c.content,
            pieces.c.sealed,
            pieces.c.attributes,
            pieces.c.importance,
            pieces.c.occurred_at,
            pieces.c.created_at,
        )
        .where(*conditions)
        .order_by(pieces.c.source_type, pieces.c.source_id, pieces.c.ordinal)
    )
    return [Piece(*tuple(row)) for row in connection.execute(statement)]
