"""What the legs of a search find, and nothing else of it: for callers who weigh by themselves.

To read the pieces, and to weigh them here, would take longer than to find them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, bindparam, text as sql
from sqlalchemy.dialects.postgresql import ARRAY

from timber.common.vector.base import Hit, Scope
from timber.common.vector.candidates import Legs
from timber.common.vector.fusion import DENSE, TEXT, marks_of
from timber.common.vector.identities import Identity

Shortlist = dict[str, dict[str, float]]
"""By the leg, `dense` or `text`, and by the `source_id`: the share, from 0 to 1.
`cosine` has the scores of `dense` themselves, from -1 to 1."""

COSINE: Final = "cosine"

_SOURCE_IDS: Final = {
    "sqlite": sql(
        "SELECT chunk_id, source_id FROM vector_chunks"
        " WHERE chunk_id IN (SELECT value FROM json_each(:keys))"
    ),
    "postgresql": sql(
        "SELECT chunk_id, source_id FROM vector_chunks WHERE chunk_id = ANY(:keys)"
    ).bindparams(bindparam("keys", type_=ARRAY(BigInteger))),
}

_STATE: Final = sql(
    "SELECT (SELECT model_id FROM vector_sources WHERE source_type = :source),"
    " (SELECT dimension FROM vector_sources WHERE source_type = :source),"
    " EXISTS (SELECT 1 FROM vector_outbox WHERE source_type = :source),"
    " EXISTS (SELECT 1 FROM vector_pending WHERE source_type = :source)"
)


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


def shortlisted(legs: Legs, scope: Scope, *, depth: int) -> Shortlist:
    """Return the `depth` pieces that each leg finds, as the texts that they are of.

    As the share of a text, that of its best piece counts: of `dense` the cosine, the worst of
    those found as 0 and the best as 1; of `text` the score, as a share of the best.
    """
    hits: dict[str, list[Hit]] = {}
    if legs.vector is not None:
        hits[DENSE] = legs.by_meaning(scope, depth)
    if legs.text is not None:
        hits[TEXT] = legs.by_words(scope, depth)
    keys = sorted({one.chunk_id for some in hits.values() for one in some})
    texts = _source_ids(legs.connection, keys)
    marks = {leg: marks_of(leg, some, texts) for leg, some in hits.items()}
    found = {leg: {key: one.share for key, one in some.items()} for leg, some in marks.items()}
    if DENSE in marks:
        found[COSINE] = {key: one.score for key, one in marks[DENSE].items()}
    return found


def state_of(connection: Connection, source_type: str) -> State:
    """Return how far the texts of a source are taken in."""
    row = connection.execute(_STATE, {"source": source_type}).one()
    model_id, dimension, unread, unembedded = row
    return State(Identity(model_id, dimension), bool(unread), bool(unembedded))


def _source_ids(connection: Connection, keys: list[int]) -> Mapping[int, str]:
    is_sqlite = connection.dialect.name == "sqlite"
    given: Any = str(keys) if is_sqlite else keys
    rows = connection.execute(_SOURCE_IDS[connection.dialect.name], {"keys": given})
    return dict(tuple(row) for row in rows.all())
