"""The vectors on PostgreSQL: exact search, or HNSW where that is safe and worth it.

An HNSW index walks to the nearest of all, and a filter then leaves few of these or none. Given
the choice, the planner takes it all the same. So it is given none: wherever a filter is, or the
scope is a small part of the index, the order is by an expression that no index has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Float,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.types import UserDefinedType
from typing_extensions import override

from timber.common.errors import DatabaseError, InvalidRequestError
from timber.common.vector.base import Hit, Scope, VectorIndex
from timber.common.vector.scopes import (
    is_in_partitions,
    is_in_partitions_of,
    is_in_scope,
    pieces,
)
from timber.common.vector.tables import EMBEDDINGS, embeddings

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors

EXACT_UP_TO: Final = 20_000
"""So many vectors are compared one by one in some milliseconds."""
SMALLEST_SHARE: Final = 0.1
"""Of what an index holds, a scope must be so much for the walk to find enough of it."""

_LONGEST_VECTOR: Final = 2_000
_LONGEST_HALF: Final = 4_000
"""What pgvector can index, in 32 and in 16 bits a number."""
_EF_SEARCH: Final = 100
_LARGEST_EF_SEARCH: Final = 1_000
_REMEMBERED: Final = 10_000
_OTHER_LENGTH: Final = "22000"
"""The code of pgvector's error when it cannot compare vectors; nothing else here ends with it."""


class PgvectorIndex(VectorIndex):
    """Finds by pgvector.

    Whether the index is walked along in a scope is looked up for some searches at once, for it
    takes longer than a search of few vectors.
    """

    def __init__(self, *, exact_up_to: int = EXACT_UP_TO) -> None:
        self._exact_up_to = exact_up_to
        self._known: dict[tuple[str, str | None, int], _Decision] = {}

    @override
    def nearest(
        self, connection: Connection, vector: "Vectors", *, scope: Scope, limit: int
    ) -> list[Hit]:
        """Return the nearest by cosine, as the port says.

        Raises:
            InvalidRequestError: the limit or a filter cannot be used, or the vector is longer or
                shorter than those of the source.
            DatabaseError: the database cannot be read.

        """
        if limit < 1:
            raise InvalidRequestError(f"limit must be 1 at least, not {limit!r}")
        if not scope.filters and self._is_walked(connection, scope, len(vector)):
            found = _walk(connection, vector, scope, limit)
            # The walk ends early when it meets too much that is out of scope.
            if len(found) == limit:
                return found
        try:
            return _exact(connection, vector, scope, limit)
        except DatabaseError as error:
            if error.code != _OTHER_LENGTH:
                raise
            raise InvalidRequestError(
                f"a vector of {len(vector)} numbers cannot be compared with those of "
                f"{scope.source_type!r}, which have more or less: search with the embedder "
                f"that made them, or run `timber vectors reembed {scope.source_type}`"
            ) from error

    def _is_walked(self, connection: Connection, scope: Scope, dimension: int) -> bool:
        key = (scope.source_type, scope.owner, dimension)
        known = self._known.get(key)
        if known is None or not known.left:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[key] = _Decision(
                is_walked=self._is_worth_it(connection, scope, dimension)
            )
        known.left -= 1
        return known.is_walked

    def _is_worth_it(self, connection: Connection, scope: Scope, dimension: int) -> bool:
        held = connection.scalar(_HELD, {"name": hnsw_name(dimension)}) or 0
        if held < self._exact_up_to:
            return False
        return _estimate(connection, scope) >= max(self._exact_up_to, SMALLEST_SHARE * held)


@dataclass
class _Decision:
    is_walked: bool
    left: int = 100
    """For how many searches it holds."""


def hnsw_name(dimension: int) -> str:
    """Return the name of the index of all vectors of a dimension."""
    return f"ix_{EMBEDDINGS}_hnsw_{dimension}"


def ensure_hnsw(engine: Engine, dimension: int, *, from_count: int = EXACT_UP_TO) -> bool:
    """Build the HNSW index of a dimension if there are so many vectors; tell whether it was built.

    Writers are not kept waiting. What an earlier attempt has left half-built is built anew.
    """
    if dimension > _LONGEST_HALF:
        return False
    name = hnsw_name(dimension)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_valid = connection.scalar(_IS_VALID, {"name": name})
        counted = {"dimension": dimension, "most": from_count}
        if is_valid or (connection.scalar(_COUNT_UP_TO, counted) or 0) < from_count:
            return False
        # It takes as long as it takes; the setting goes with the connection.
        connection.detach()
        connection.execute(text("SET statement_timeout = 0"))
        if is_valid is False:
            connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
        kind = _indexed_type(dimension).written
        connection.execute(
            text(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {EMBEDDINGS} USING hnsw"
                f" (CAST(embedding AS {kind}) {kind.partition('(')[0]}_ip_ops)"
                f" WHERE vector_dims(embedding) = {dimension}"
            )
        )
        connection.execute(text(f"ANALYZE {EMBEDDINGS}"))
    return True


_IS_VALID: Final = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
_COUNT_UP_TO: Final = text(
    f"SELECT count(*) FROM (SELECT 1 FROM {EMBEDDINGS}"
    " WHERE vector_dims(embedding) = :dimension LIMIT :most) AS counted"
)
_HELD: Final = text(
    "SELECT reltuples FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid"
    " WHERE pg_class.oid = to_regclass(:name) AND indisvalid"
)


_ESTIMATE: Final = "EXPLAIN (FORMAT JSON) SELECT 1 FROM vector_chunks WHERE source_type = :source"


def _estimate(connection: Connection, scope: Scope) -> float:
    """Return how many pieces the planner takes to be in a scope, without a look at any."""
    given = {"source": scope.source_type}
    statement = _ESTIMATE
    if scope.owner is not None:
        given["owner"] = scope.owner
        statement += " AND owner = :owner"
    plan: Any = connection.scalar(text(statement), given)
    return float(plan[0]["Plan"]["Plan Rows"])


def _exact(connection: Connection, vector: "Vectors", scope: Scope, limit: int) -> list[Hit]:
    given: dict[str, Any] = {"vector": _written(vector), "limit": limit}
    if not scope.filters:
        given["source"] = scope.source_type
        if scope.owner is not None:
            given["owner"] = scope.owner
        return _hits(connection, _COMPARED[scope.owner is not None], given)
    statement = _COMPARING.join(pieces, pieces.c.chunk_id == embeddings.c.chunk_id)
    return _hits(connection, statement.where(is_in_scope(scope, dialect="postgresql")), given)


def _hits(connection: Connection, statement: Select[Any], given: Mapping[str, Any]) -> list[Hit]:
    return [Hit(chunk_id, score) for chunk_id, score in connection.execute(statement, given)]


def _walk(connection: Connection, vector: "Vectors", scope: Scope, limit: int) -> list[Hit]:
    breadth = min(max(_EF_SEARCH, 2 * limit), _LARGEST_EF_SEARCH)
    connection.execute(_BROADLY, {"breadth": str(breadth)})
    dimension = len(vector)
    kind = _indexed_type(dimension)
    stored = embeddings.c.embedding
    near = (
        select(embeddings.c.chunk_id, stored)
        .where(
            func.vector_dims(stored) == literal_column(str(dimension)),
            is_in_partitions(embeddings.c.partition_id, scope),
        )
        .order_by(_product(cast(stored, kind), cast(_VECTOR, kind)))
        .limit(_LIMIT)
        .subquery()
    )
    distance = _distance(near.c.embedding)
    found = select(near.c.chunk_id, -distance).order_by(distance, near.c.chunk_id)
    return _hits(connection, found, {"vector": _written(vector), "limit": limit})


_BROADLY: Final = text(
    "SELECT set_config('hnsw.ef_search', :breadth, true),"
    " set_config('hnsw.iterative_scan', 'strict_order', true)"
)


def _distance(stored: ColumnElement[Any]) -> ColumnElement[float]:
    """Return the cosine, negative; for vectors of length one it is the product, which is cheap."""
    return _product(stored, cast(_VECTOR, _Type("vector")))


def _product(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[float]:
    return one.op("<#>", return_type=Float())(other)


def _written(vector: "Vectors") -> str:
    return f"[{','.join(map(repr, vector.tolist()))}]"


class _Type(UserDefinedType[str]):
    """A type of pgvector, in its text form."""

    cache_ok: bool | None = True

    def __init__(self, written: str) -> None:
        self.written = written

    @override
    def get_col_spec(self, **_: object) -> str:
        """Return how PostgreSQL writes the type."""
        return self.written


def _indexed_type(dimension: int) -> _Type:
    """Return as what vectors of a dimension are indexed: long ones by 16 bits a number."""
    half = dimension > _LONGEST_VECTOR
    return _Type(f"{'halfvec' if half else 'vector'}({dimension})")


# Of no type of SQL's own: a cast from text would be reckoned for every row.
_VECTOR: Final = bindparam("vector", type_=_Type("vector"))
_LIMIT: Final = bindparam("limit", type_=Integer())


def _comparing() -> Select[Any]:
    # `+ 0` makes it an expression that no index can give an order by.
    distance = _distance(embeddings.c.embedding) + 0
    ordered = select(embeddings.c.chunk_id, -distance).order_by(distance, embeddings.c.chunk_id)
    return ordered.limit(_LIMIT)


_COMPARING: Final = _comparing()
_SOURCE: Final = bindparam("source", type_=Text())
_OWNER: Final = bindparam("owner", type_=Text())
_COMPARED: Final = {
    False: _COMPARING.where(is_in_partitions_of(embeddings.c.partition_id, _SOURCE, None)),
    True: _COMPARING.where(is_in_partitions_of(embeddings.c.partition_id, _SOURCE, _OWNER)),
}
"""Made once: of a source, and of an owner."""
