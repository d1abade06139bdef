"""What statements name of the tables of models, and filters as conditions of SQL on them."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Float, Integer, LargeBinary, Text, column, table

from timber.common.modeling.stored_types import UtcDateTime
from timber.common.vector.filter_reader import read_filters
from timber.common.vector.filter_sql import Condition, condition_on
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

PARTITION_OF_OWNER: Final = (
    "(SELECT partition_id FROM vector_partitions WHERE source_type = :source AND owner = :owner)"
)


def meeting(filters: Mapping[str, Any], *, dialect: str, table: str = CHUNKS) -> Condition:
    """Return the condition that a row of `vector_chunks` meets where filters match.

    On PostgreSQL `vector_embeddings` is such a `table`, too.

    Raises:
        InvalidRequestError: they cannot be read.

    """
    return condition_on(f"{table}.attributes", read_filters(filters), dialect=dialect)
