"""The SQL that compares vectors on PostgreSQL; each made once, for to make it takes as long.

Parameters are `vector` (in pgvector's text form), `source`, `owner` where one is meant, `limit`,
and those of the condition. What is nearer comes first, with the cosine, negative: of vectors of
length one that is the product, which is cheap. Of one table everything is read: what a condition
asks of lies beside the vector (`postgresql_tables.py`).
"""

from functools import lru_cache
from typing import Final

from sqlalchemy import TextClause, text

from timber.common.vector.scopes import PARTITION_OF_OWNER
from timber.common.vector.tables import EMBEDDINGS

_SHAPES: Final = 512
_LONGEST_VECTOR: Final = 2_000
LONGEST_INDEXED: Final = 4_000
"""What pgvector can index, in 32 and in 16 bits a number."""

# Read as a parameter of that type: a cast from text would be reckoned for every row.
_VECTOR: Final = "CAST(:vector AS vector)"
# `+ 0` makes it an expression that no index can give an order by.
_COMPARED: Final = f"(embedding <#> {_VECTOR}) + 0 AS distance"


@lru_cache(maxsize=_SHAPES)
def comparing(*, of_owner: bool, condition: str | None = None) -> TextClause:
    """Return what compares with every vector of a scope, or with those whose pieces meet more."""
    more = "" if condition is None else f" AND {condition}"
    return text(
        f"SELECT chunk_id, {_COMPARED} FROM {EMBEDDINGS} WHERE {_scope(of_owner=of_owner)}{more}"
        " ORDER BY distance, chunk_id LIMIT :limit"
    )


@lru_cache(maxsize=_SHAPES)
def walking(*, of_owner: bool, dimension: int) -> TextClause:
    """Return what walks along the index of a dimension, and compares what it meets exactly."""
    kind = indexed_type(dimension)
    return text(
        f"SELECT chunk_id, embedding <#> {_VECTOR} AS distance FROM ("
        f"SELECT chunk_id, embedding FROM {EMBEDDINGS}"
        f" WHERE vector_dims(embedding) = {dimension} AND {_scope(of_owner=of_owner)}"
        f" ORDER BY CAST(embedding AS {kind}) <#> CAST(:vector AS {kind}) LIMIT :limit"
        ") AS near ORDER BY distance, chunk_id"
    )


def indexed_type(dimension: int) -> str:
    """Return as what vectors of a dimension are indexed: long ones by 16 bits a number."""
    return f"{'halfvec' if dimension > _LONGEST_VECTOR else 'vector'}({dimension})"


def _scope(*, of_owner: bool) -> str:
    if of_owner:
        # One value, which is known before the search begins.
        return f"partition_id = {PARTITION_OF_OWNER}"
    return "source_type = :source"
