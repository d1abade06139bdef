"""Which indexes a database has. They are loaded on first use: whoever finds nothing needs none."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from typing_extensions import override

from timber.common.vector.base import FullTextIndex, Hit, Scope, VectorIndex
from timber.common.vector.numerics import needed

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors


@dataclass(frozen=True)
class Indexes:
    """The indexes over the pieces of one database."""

    vectors: VectorIndex
    full_text: FullTextIndex


class NoVectors(VectorIndex):
    """Stands where vectors cannot be compared, for what they need is not installed."""

    @override
    def nearest(
        self, connection: Connection, vector: "Vectors", *, scope: Scope, limit: int
    ) -> list[Hit]:
        """Raise a `FeatureUnavailableError`."""
        needed("numpy", feature="finding by meaning", extra="vectors")
        return []  # not reached: else this would not stand here


def indexes_of(dialect: str, *, memory_bytes: int, graph_from: int) -> Indexes:
    """Return the indexes of a kind of database.

    `memory_bytes` is what they may keep in memory; on SQLite, `graph_from` is from how many
    vectors on a graph is made of them. Where NumPy is not installed, words are found, and
    vectors are not.
    """
    if dialect == "postgresql":
        from timber.common.vector.fulltext_postgresql import PostgresqlFullText  # noqa: PLC0415
        from timber.common.vector.pgvector_index import PgvectorIndex  # noqa: PLC0415

        if find_spec("numpy") is None:
            return Indexes(PgvectorIndex(), PostgresqlFullText())
        from timber.common.vector.memory_index import MemoryIndex  # noqa: PLC0415
        from timber.common.vector.partitions_postgresql import PostgresqlPartitions  # noqa: PLC0415

        memory = MemoryIndex(partitions=PostgresqlPartitions(limit_bytes=memory_bytes))
        return Indexes(PgvectorIndex(memory=memory), PostgresqlFullText())
    from timber.common.vector.fulltext_sqlite import SqliteFullText  # noqa: PLC0415

    if find_spec("numpy") is None:
        return Indexes(NoVectors(), SqliteFullText())
    from timber.common.vector.ann_index import AnnIndex  # noqa: PLC0415
    from timber.common.vector.exact_index import ExactIndex  # noqa: PLC0415
    from timber.common.vector.partitions import Partitions  # noqa: PLC0415

    partitions = Partitions(limit_bytes=memory_bytes)
    exact = ExactIndex(partitions=partitions)
    vectors = AnnIndex(exact=exact, partitions=partitions, at_least=graph_from)
    return Indexes(vectors, SqliteFullText())
