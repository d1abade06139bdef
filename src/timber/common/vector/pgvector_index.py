"""The vectors on PostgreSQL: exact search, or HNSW where that is safe and worth it.

An HNSW index walks to the nearest of all, and a filter then leaves few of these or none. Given
the choice, the planner takes it all the same. So it is given none: wherever a filter is, or the
scope is a small part of the index, the order is by an expression that no index has.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    Connection,
    ColumnElement,
    Engine,
    Float,
    Select,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
)
from typing_extensions import override

from timber.common.errors import FeatureUnavailableError
from timber.common.vector.base import Hit, Scope, VectorIndex
from timber.common.vector.scopes import chunks, in_scope, partition_in
from timber.common.vector.tables import EMBEDDINGS, EmbeddingType, embeddings

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


class PgvectorIndex(VectorIndex):
    """Finds by pgvector."""

    def __init__(self, *, exact_up_to: int = EXACT_UP_TO) -> None:
        self._exact_up_to = exact_up_to

    @override
    def nearest(
        self, connection: Connection, vector: "Vectors", *, scope: Scope, limit: int
    ) -> list[Hit]:
        if self.walks(connection, len(vector), scope):
            found = _hits(connection, _walk(connection, vector, scope, limit))
            # The walk ends early when it meets too much that is out of scope.
            if len(found) == limit:
                return found
        return _hits(connection, _exact(vector, scope, limit))

    def walks(self, connection: Connection, dimension: int, scope: Scope) -> bool:
        """Tell whether an index is walked along; it is not when all are compared."""
        if scope.filters or dimension > _LONGEST_HALF:
            return False
        held = connection.scalar(_VECTORS_IN_INDEX, {"name": hnsw_name(dimension)})
        if held is None or held < self._exact_up_to:
            return False
        return _estimate(connection, scope) >= max(self._exact_up_to, SMALLEST_SHARE * held)


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
        valid = connection.scalar(_IS_VALID, {"name": name})
        if valid:
            return False
        counted = {"dimension": dimension, "most": from_count}
        if (connection.scalar(_COUNT_UP_TO, counted) or 0) < from_count:
            return False
        if valid is False:
            connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
        kind = _indexed_type(dimension)
        connection.execute(
            text(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {EMBEDDINGS}"
                f" USING hnsw ((embedding::{kind}({dimension})) {kind}_ip_ops)"
                f" WHERE vector_dims(embedding) = {dimension}"
            )
        )
        connection.execute(text(f"ANALYZE {EMBEDDINGS}"))
    return True


_VECTORS_IN_INDEX: Final = text(
    "SELECT reltuples FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid"
    " WHERE pg_class.oid = to_regclass(:name) AND indisvalid"
)
_IS_VALID: Final = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
_COUNT_UP_TO: Final = text(
    f"SELECT count(*) FROM (SELECT 1 FROM {EMBEDDINGS}"  # noqa: S608 - the name is ours
    " WHERE vector_dims(embedding) = :dimension LIMIT :most) AS some"
)
_ESTIMATE: Final = "EXPLAIN (FORMAT JSON) SELECT 1 FROM vector_chunks WHERE source_type = :source"


def _estimate(connection: Connection, scope: Scope) -> float:
    """Return how many pieces the planner takes to be in a scope, without a look at any."""
    owned = "" if scope.owner is None else " AND owner = :owner"
    given = {"source": scope.source_type, "owner": scope.owner}
    plan: Any = connection.scalar(text(_ESTIMATE + owned), given)
    return float(plan[0]["Plan"]["Plan Rows"])


def _hits(connection: Connection, statement: Select[Any]) -> list[Hit]:
    return [Hit(chunk_id, score) for chunk_id, score in connection.execute(statement)]


def _exact(vector: "Vectors", scope: Scope, limit: int) -> Select[Any]:
    # The vectors have length one, so this is the cosine, and cheaper than its operator.
    # `+ 0` makes it an expression that no index can give an order by.
    distance = _distance(embeddings.c.embedding, vector) + 0
    statement = select(embeddings.c.chunk_id, -distance)
    if scope.filters:
        statement = statement.join(chunks, chunks.c.chunk_id == embeddings.c.chunk_id)
        statement = statement.where(in_scope(scope, dialect="postgresql"))
    else:
        statement = statement.where(partition_in(embeddings.c.partition_id, scope))
    return statement.order_by(distance, embeddings.c.chunk_id).limit(limit)


def _walk(connection: Connection, vector: "Vectors", scope: Scope, limit: int) -> Select[Any]:
    breadth = min(max(_EF_SEARCH, 2 * limit), _LARGEST_EF_SEARCH)
    connection.execute(
        select(
            func.set_config("hnsw.ef_search", str(breadth), True),
            func.set_config("hnsw.iterative_scan", "strict_order", True),
        )
    )
    dimension = len(vector)
    kind = _indexed_type(dimension)
    indexed: ColumnElement[Any] = literal_column(
        f"(vector_embeddings.embedding::{kind}({dimension}))"
    )
    wanted = literal_column(f"'{_written(vector)}'::{kind}({dimension})")
    near = (
        select(embeddings.c.chunk_id, embeddings.c.embedding)
        .where(
            literal_column(f"vector_dims(vector_embeddings.embedding) = {dimension}"),
            # An array, or the planner might join and lose the order.
            embeddings.c.partition_id == func.any(func.array(_partitions(scope))),
        )
        .order_by(indexed.op("<#>", return_type=Float())(wanted))
        .limit(limit)
        .subquery()
    )
    distance = _distance(near.c.embedding, vector)
    return select(near.c.chunk_id, -distance).order_by(distance, near.c.chunk_id)
