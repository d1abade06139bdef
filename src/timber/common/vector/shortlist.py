"""What the legs of a search find, and nothing else of it: for callers who weigh by themselves.

To read the pieces, and to weigh them here, would take longer than to find them.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from timber.common.vector.base import Begun, Hit, Scope
from timber.common.vector.candidates import Legs
from timber.common.vector.fusion import DENSE, TEXT
from timber.common.vector.identities import Identity
from timber.common.vector.reading import read
from timber.common.vector.steps import Asked, Steps, together

Shortlist = dict[str, dict[str, float]]
"""By the leg, `dense` or `text`, and by the `source_id`: the share, from 0 to 1.
`cosine` has the scores of `dense` themselves, from -1 to 1."""

COSINE: Final = "cosine"

_SOURCE_IDS: Final = {
    "sqlite": (
        "SELECT chunk_id, source_id, 1 FROM vector_chunks"
        " WHERE chunk_id IN (SELECT value FROM json_each('[' || :keys || ']'))"
    ),
    # What is in memory may have no vector any more, or belong to somebody else.
    "postgresql": (
        "SELECT chunk_id, source_id, EXISTS (SELECT 1 FROM vector_embeddings AS its WHERE"
        " its.chunk_id = vector_chunks.chunk_id AND its.partition_id = vector_chunks.partition_id)"
        " FROM vector_chunks WHERE chunk_id = ANY(CAST('{' || %(keys)s || '}' AS bigint[]))"
        " AND source_type = %(source)s AND owner = %(owner)s"
    ),
}
"""Of pieces that were found: of which text each is, and whether it still has a vector."""

_STATE: Final = (
    "SELECT (SELECT model_id FROM vector_sources WHERE source_type = {source}),"
    " (SELECT dimension FROM vector_sources WHERE source_type = {source}),"
    " EXISTS (SELECT 1 FROM vector_outbox WHERE source_type = {source}),"
    " EXISTS (SELECT 1 FROM vector_pending WHERE source_type = {source})"
)
_STATES: Final = {
    "sqlite": _STATE.format(source=":source"),
    "postgresql": _STATE.format(source="%(source)s"),
}


@dataclass(frozen=True)
class State:
    """How far the texts of a source are taken in, whosever they are."""

    identity: Identity
    """By what its vectors are made, as far as that is known."""
    has_unread: bool
    has_unembedded: bool

    def anything_waits(self, *, vectors: bool) -> bool:
        """Tell whether rows are unread, or pieces without `vectors`."""
        return self.has_unread or (vectors and self.has_unembedded)


@dataclass(frozen=True)
class Waiting:
    """What must be taken in before a search."""

    pieces: Mapping[str, int]
    """How many rows are unread, and pieces without a vector, of each source."""


@dataclass(frozen=True)
class Outset:
    """A search that can be made, if the texts are as far as they must be."""

    state: State
    meaning: Callable[[], Begun] | None
    matching: AbstractContextManager[list[Hit]]


def prepared(legs: Legs, scope: Scope, *, depth: int) -> Outset:
    """Prepare a search for the `depth` pieces that each leg finds."""
    return Outset(
        *together(
            legs.connection,
            _state(legs.connection, scope.source_type),
            legs.meaning_prepared(scope, depth),
            legs.words_prepared(scope, depth),
        )
    )


def shortlisted(connection: Connection, outset: Outset, scope: Scope) -> Shortlist:
    """Make a search, and return the pieces as the texts that they are of.

    As the share of a text, that of its best piece counts: of `dense` the cosine, the worst of
    those found as 0 and the best as 1; of `text` the score, as a share of the best.
    """
    hits: dict[str, list[Hit]] = {}
    # Very many vectors are compared while the database looks for the words.
    meaning = None if outset.meaning is None else outset.meaning()
    with outset.matching as matching:
        if meaning is not None:
            hits[DENSE] = meaning.ended()
    hits[TEXT] = matching
    keys = sorted({one.chunk_id for some in hits.values() for one in some})
    texts, embedded = _texts(connection, scope, keys)
    best = {leg: _best(some, embedded if leg == DENSE else texts) for leg, some in hits.items()}
    if meaning is not None and (gone := {one.chunk_id for one in hits[DENSE]} - embedded.keys()):
        meaning.tell_gone(gone)
    found = {leg: _shares(leg, some, of=hits[leg]) for leg, some in best.items()}
    return {**found, COSINE: best[DENSE]} if DENSE in best else found


def _best(hits: Sequence[Hit], texts: Mapping[int, str]) -> dict[str, float]:
    """Return the score of the best piece of each text; the hits come best first."""
    found: dict[str, float] = {}
    for chunk_id, score in hits:
        if chunk_id in texts:  # else it has gone since
            found.setdefault(texts[chunk_id], score)
    return found


def _shares(leg: str, scores: Mapping[str, float], *, of: Sequence[Hit]) -> dict[str, float]:
    if not scores:
        return {}
    floor = of[-1].score if leg == DENSE else 0.0
    reach = of[0].score - floor
    return {key: (score - floor) / reach if reach > 0 else 1.0 for key, score in scores.items()}


def _state(connection: Connection, source_type: str) -> Steps[State]:
    rows = yield Asked(_STATES[connection.dialect.name], {"source": source_type})
    [(model_id, dimension, unread, unembedded)] = rows
    return State(Identity(model_id, dimension), bool(unread), bool(unembedded))


def _texts(
    connection: Connection, scope: Scope, keys: Sequence[int]
) -> tuple[Mapping[int, str], Mapping[int, str]]:
    """Return of which texts pieces are, by their keys; and the same of those with a vector."""
    given = {"keys": ",".join(map(str, keys)), "source": scope.source_type, "owner": scope.owner}
    rows = read(connection, _SOURCE_IDS, given)
    texts = {chunk_id: source_id for chunk_id, source_id, _ in rows}
    return texts, {key: texts[key] for key, _, has_vector in rows if has_vector}
