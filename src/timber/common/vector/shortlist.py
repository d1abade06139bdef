"""What the legs of a search find, and nothing else of it: for callers who weigh by themselves.

To read the pieces, and to weigh them here, would take longer than to find them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from sqlalchemy import Connection

from timber.common.vector.base import Ahead, Hit, PreparedSearch, Scope
from timber.common.vector.candidates import Legs
from timber.common.vector.fusion import DENSE, TEXT
from timber.common.vector.identities import Identity
from timber.common.vector.reading import read
from timber.common.vector.steps import Asked, Steps, taken, together

Result = TypeVar("Result")

Shortlist = dict[str, dict[str, float]]
"""By the leg, `dense` or `text`, and by the `source_id`: the share, from 0 to 1.
`cosine` has the scores of `dense` themselves, from -1 to 1."""

COSINE: Final = "cosine"

_SOURCE_IDS: Final = {
    "sqlite": (
        "SELECT chunk_id, source_id FROM vector_chunks"
        " WHERE chunk_id IN (SELECT value FROM json_each('[' || :keys || ']'))"
    ),
    "postgresql": (
        "SELECT chunk_id, source_id FROM vector_chunks"
        " WHERE chunk_id = ANY(CAST('{' || %(keys)s || '}' AS bigint[]))"
    ),
}
"""Of pieces that were found: of which text each is."""

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
    meaning: PreparedSearch | None
    matching: Callable[[], list[Hit]]


def prepared(legs: Legs, scope: Scope, *, depth: int, ahead: Ahead) -> Outset:
    """Prepare a search for the `depth` pieces that each leg finds."""
    return Outset(
        *together(
            legs.connection,
            _state(legs.connection, scope.source_type),
            legs.meaning_prepared(scope, depth, ahead),
            legs.words_prepared(scope, depth),
        )
    )


def shortlisted(
    connection: Connection,
    meaning: PreparedSearch | None,
    matching: Sequence[Hit],
    weigh: Callable[[Shortlist], Steps[Result]],
) -> Result:
    """Return what comes of what matches, and of the nearest, as the texts that they are of.

    As the share of a text, that of its best piece counts: of `dense` the cosine, the worst of
    those found as 0 and the best as 1; of `text` the score, as a share of the best.
    What is asked first of a shortlist goes with the question which of its pieces have gone. It
    is weighed again, shorter, if any have.
    """
    hits = {TEXT: matching} if meaning is None else {DENSE: meaning.nearest(), TEXT: matching}
    if meaning is None:
        source_ids = _source_ids(connection, hits, {})
        return taken(connection, weigh(_shortlist(hits, source_ids)))
    source_ids = _source_ids(connection, hits, meaning.source_ids)
    while True:
        weighed = weigh(_shortlist(hits, source_ids))
        gone, result = together(connection, meaning.gone(hits[DENSE]), weighed)
        if not gone:
            return cast("Result", result)
        hits[DENSE] = [one for one in hits[DENSE] if one.chunk_id not in gone]


def _shortlist(hits: Mapping[str, Sequence[Hit]], source_ids: Mapping[int, str]) -> Shortlist:
    best = {leg: _best(some, source_ids) for leg, some in hits.items()}
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


def _source_ids(
    connection: Connection, hits: Mapping[str, Sequence[Hit]], known: Mapping[int, str]
) -> Mapping[int, str]:
    """Return of which texts pieces are; some of it is known."""
    keys = {one.chunk_id for some in hits.values() for one in some}
    found = {key: known[key] for key in keys if key in known}
    unknown = keys - found.keys()
    if unknown:
        given = {"keys": ",".join(map(str, sorted(unknown)))}
        found.update(read(connection, _SOURCE_IDS, given))
    return found
