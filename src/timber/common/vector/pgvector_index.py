"""The vectors on PostgreSQL: exact search, or HNSW where that is safe and worth it.

An HNSW index walks to the nearest of all, and a filter then leaves few of these or none. Given
the choice, the planner takes it all the same. So it is given none: wherever a filter is, or the
scope is a small part of the index, the order is by an expression that no index has.
"""

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Select,
    Text,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.types import UserDefinedType
from typing_extensions import override

from timber.common.errors import InvalidRequestError
from timber.common.vector.base import Hit, Scope, VectorIndex
from timber.common.vector.scopes import is_in_partitions, is_in_scope, pieces
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


class PgvectorIndex(VectorIndex):
    """Finds by pgvector."""

    def __init__(self, *, exact_up_to: int = EXACT_UP_TO) -> None:
        self._exact_up_to = exact_up_to

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
        held = _held(connection, len(vector), scope)
        if self._is_walked(connection, held, scope):
            found = _hits(connection, _walk(connection, vector, scope, limit))
            # The walk ends early when it meets too much that is out of scope.
            if len(found) == limit:
                return found
        return _hits(connection, _exact(vector, scope, limit))

    def _is_walked(self, connection: Connection, held: float, scope: Scope) -> bool:
        if scope.filters or held < self._exact_up_to:
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
        is_valid = connection.scalar(_IS_VALID, {"name": name})
        counted = {"dimension": dimension, "most": from_count}
        if is_valid or (connection.scalar(_COUNT_UP_TO, counted) or 0) < from_count:
            return False
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
    f"SELECT count(*) FROM (SELECT 1 FROM {EMBEDDINGS}"  # noqa: S608 - the name is ours
    " WHERE vector_dims(embedding) = :dimension LIMIT :most) AS counted"
)
_classes: Final = table("pg_class", column("oid"), column("reltuples", Float))
_indexes: Final = table("pg_index", column("indexrelid"), column("indisvalid", Boolean))


def _held(connection: Connection, dimension: int, scope: Scope) -> float:
    """Return how many vectors the index of a dimension holds; 0 where there is no index."""
    of_scope = select(func.vector_dims(embeddings.c.embedding)).where(
        is_in_partitions(embeddings.c.partition_id, scope)
    )
    held = (
        select(_classes.c.reltuples)
        .join(_indexes, _indexes.c.indexrelid == _classes.c.oid)
        .where(_classes.c.oid == func.to_regclass(hnsw_name(dimension)), _indexes.c.indisvalid)
    )
    found, count = connection.execute(
        select(of_scope.limit(1).scalar_subquery(), held.scalar_subquery())
    ).one()
    if found not in {None, dimension}:
        raise InvalidRequestError(
            f"a vector of {dimension} numbers cannot be compared with those of "
            f"{scope.source_type!r}, which have {found}: search with the "
            f"embedder that made them, or run `timber vectors reembed {scope.source_type}`"
        )
    return count or 0.0


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


def _hits(connection: Connection, statement: Select[Any]) -> list[Hit]:
    return [Hit(chunk_id, score) for chunk_id, score in connection.execute(statement)]


def _exact(vector: "Vectors", scope: Scope, limit: int) -> Select[Any]:
    # `+ 0` makes it an expression that no index can give an order by.
    distance = _distance(embeddings.c.embedding, vector) + 0
    statement = select(embeddings.c.chunk_id, -distance)
    if scope.filters:
        statement = statement.join(pieces, pieces.c.chunk_id == embeddings.c.chunk_id)
        statement = statement.where(is_in_scope(scope, dialect="postgresql"))
    else:
        statement = statement.where(is_in_partitions(embeddings.c.partition_id, scope))
    return statement.order_by(distance, embeddings.c.chunk_id).limit(limit)


def _walk(connection: Connection, vector: "Vectors", scope: Scope, limit: int) -> Select[Any]:
    breadth = min(max(_EF_SEARCH, 2 * limit), _LARGEST_EF_SEARCH)
    connection.execute(
        select(
            func.set_config("hnsw.ef_search", str(breadth), True),  # noqa: FBT003 - of the transaction
            func.set_config("hnsw.iterative_scan", "strict_order", True),  # noqa: FBT003
        )
    )
    dimension = len(vector)
    kind = _indexed_type(dimension)
    stored = embeddings.c.embedding
    near = (
        select(embeddings.c.chunk_id, stored)
        .where(
            func.vector_dims(stored) == literal_column(str(dimension)),
            is_in_partitions(embeddings.c.partition_id, scope),
        )
        .order_by(_product(cast(stored, kind), cast(_written(vector), kind)))
        .limit(limit)
        .subquery()
    )
    distance = _distance(near.c.embedding, vector)
    return select(near.c.chunk_id, -distance).order_by(distance, near.c.chunk_id)


def _distance(stored: ColumnElement[Any], vector: "Vectors") -> ColumnElement[float]:
    """Return the cosine, negative; for vectors of length one it is the product, which is cheap."""
    return _product(stored, cast(_written(vector), _Type("vector")))


def _product(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[float]:
    return one.op("<#>", return_type=Float())(other)


def _written(vector: "Vectors") -> ColumnElement[str]:
    return literal(f"[{','.join(map(repr, vector.tolist()))}]", Text())


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
