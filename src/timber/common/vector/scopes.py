"""Scopes as conditions of SQL, and what statements name of the tables of models."""

from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    LargeBinary,
    Text,
    and_,
    column,
    select,
    table,
)

from timber.common.modeling.stored_types import UtcDateTime
from timber.common.vector.base import Scope
from timber.common.vector.filter_reader import read_filters
from timber.common.vector.filter_sql import condition_on
from timber.common.vector.tables import CHUNKS

pieces: Final = table(
    CHUNKS,
    column("chunk_id", BigInteger),
    column("partition_id", BigInteger),
    column("source_type", Text),
    column("source_id", Text),
    column("ordinal", Integer),
    column("owner", Text),
    column("content", Text),
    column("sealed", LargeBinary),
    column("attributes", JSON),
    column("importance", Float),
    column("occurred_at", UtcDateTime),
    column("created_at", UtcDateTime),
)

_partitions: Final = table(
    "vector_partitions",
    column("partition_id", BigInteger),
    column("source_type", Text),
    column("owner", Text),
)


def is_in_partitions(partition_id: ColumnElement[Any], scope: Scope) -> ColumnElement[bool]:
    """Return whether a piece belongs to the source and the owner of a scope."""
    return is_in_partitions_of(partition_id, scope.source_type, scope.owner)


def is_in_partitions_of(
    partition_id: ColumnElement[Any], source_type: Any, owner: Any
) -> ColumnElement[bool]:
    """Return whether a piece belongs to a source and an owner: values, or parameters for them."""
    of_source = select(_partitions.c.partition_id).where(_partitions.c.source_type == source_type)
    if owner is None:
        return partition_id.in_(of_source)
    # One value, which is known before the search begins.
    of_owner = of_source.where(_partitions.c.owner == owner)
    return partition_id == of_owner.scalar_subquery()


def is_in_scope(scope: Scope, *, dialect: str) -> ColumnElement[bool]:
    """Return whether a row of `pieces` lies in a scope.

    Raises:
        InvalidRequestError: its filters cannot be read.

    """
    mine = (
        pieces.c.source_type == scope.source_type
        if scope.owner is None
        else is_in_partitions(pieces.c.partition_id, scope)
    )
    filters = read_filters(scope.filters)
    return and_(mine, condition_on(pieces.c.attributes, filters, dialect=dialect))
