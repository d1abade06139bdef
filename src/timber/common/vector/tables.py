"""Where the vectors lie: beside the pieces of text, in tables that only databases of them have.

`vector_chunks` and the tables around it are models, in `vectors.yaml`. A table of vectors cannot
be one: on PostgreSQL it needs an extension that someone who uses no vectors need not have. So it
is attached to `vector_chunks`, and no statement of SQLAlchemy's own makes it.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import BigInteger, Column, Dialect, LargeBinary, MetaData, Table
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import TypeEngine, UserDefinedType
from typing_extensions import override

from timber.common.database.attachments import Attachment, Attachments

CHUNKS: Final = "vector_chunks"
EMBEDDINGS: Final = "vector_embeddings"
NEXT_EMBEDDINGS: Final = "vector_embeddings_next"
"""The vectors of the embedder that takes over when all of them are there."""

EXTENSION: Final = "vector"
"""What PostgreSQL keeps vectors by."""


class EmbeddingType(UserDefinedType[bytes]):
    """A vector of any length: `vector` on PostgreSQL, whose text form is given and returned."""

    cache_ok: bool | None = True

    def __init__(self, dimensions: object = None) -> None:
        self.dimensions = dimensions

    @override
    def get_col_spec(self, **_: object) -> str:
        """Return how PostgreSQL writes the type."""
        return "vector" if self.dimensions is None else f"vector({self.dimensions})"


class TransactionType(UserDefinedType[str]):
    """The number of a transaction on PostgreSQL."""

    cache_ok: bool | None = True

    @override
    def get_col_spec(self, **_: object) -> str:
        """Return how PostgreSQL writes the type."""
        return "xid8"


# So that SQLAlchemy, when it looks at a database, warns of no type that it does not know.
ischema_names.setdefault(EXTENSION, EmbeddingType)
ischema_names.setdefault("xid8", TransactionType)


def _vector() -> TypeEngine[bytes]:
    """Return float32, little end first, on SQLite; a `vector` on PostgreSQL."""
    return LargeBinary().with_variant(EmbeddingType(), "postgresql")


_BESIDE: Final = MetaData()


def _table(name: str) -> Table:
    return Table(
        name,
        _BESIDE,
        Column("chunk_id", BigInteger, primary_key=True, autoincrement=False),
        Column("partition_id", BigInteger, nullable=False),
        Column("embedding", _vector(), nullable=False),
    )


embeddings: Final = _table(EMBEDDINGS)
"""The vectors: `chunk_id`, `partition_id`, `embedding`. For statements; `attachments` makes it."""

next_embeddings: Final = _table(NEXT_EMBEDDINGS)

_SQLITE_COLUMNS: Final = f"""(
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    chunk_id INTEGER NOT NULL UNIQUE REFERENCES {CHUNKS} (chunk_id) ON DELETE CASCADE,
    partition_id INTEGER NOT NULL,
    embedding BLOB NOT NULL
)"""
"""No number is given twice, and a vector that changes gets another one: so whoever holds the
vectors of a moment needs only those with higher numbers, and to know which have gone."""

_POSTGRESQL_COLUMNS: Final = f"""(
    chunk_id BIGINT NOT NULL PRIMARY KEY REFERENCES {CHUNKS} (chunk_id) ON DELETE CASCADE,
    partition_id BIGINT NOT NULL,
    embedding vector NOT NULL
)"""

_GONE: Final = "timber_vector_chunks_gone"


def prepare(metadata: MetaData) -> None:
    """Say of the tables of models what no model file can say.

    No key of a piece is given twice on SQLite: whoever remembers one never means another piece.
    """
    if CHUNKS in metadata.tables:
        metadata.tables[CHUNKS].kwargs["sqlite_autoincrement"] = True


def attach_embeddings(known: Attachments) -> None:
    """Let `vector_chunks` have vectors beside it."""
    known.wanted.append(_embeddings)


def _embeddings(dialect: Dialect) -> Iterator[Attachment]:
    is_sqlite = dialect.name == "sqlite"
    columns = _SQLITE_COLUMNS if is_sqlite else _POSTGRESQL_COLUMNS
    for name in (EMBEDDINGS, NEXT_EMBEDDINGS):
        index = f"ix_{name}_partition_id"
        yield Attachment(
            name=f"the table {name}",
            table=CHUNKS,
            objects=(name, index),
            create=(
                f"CREATE TABLE IF NOT EXISTS {name} {columns}",
                f"CREATE INDEX IF NOT EXISTS {index} ON {name} (partition_id)",
            ),
            drop=(f"DROP TABLE IF EXISTS {name}",),
            extension=None if is_sqlite else EXTENSION,
            is_made_anew=False,
        )
    if is_sqlite:
        yield _versions()
        yield _nothing_left()


def _versions() -> Attachment:
    """Let a partition, and its source, have another version whenever a vector comes or goes.

    A version is random: one that was rolled back is never given again, as a count would be.
    Its first half stays as it is while vectors only come.
    """
    came, gone = _renewed("NEW", _CAME), _renewed("OLD", _RANDOM)
    triggers = {
        "timber_vector_version_insert": f"INSERT ON {EMBEDDINGS} BEGIN {came}",
        "timber_vector_version_delete": f"DELETE ON {EMBEDDINGS} BEGIN {gone}",
        # Both of the others follow from it.
        "timber_vector_version_update": (
            f"UPDATE ON {EMBEDDINGS} BEGIN"
            f" DELETE FROM {EMBEDDINGS} WHERE number = NEW.number;"
            f" INSERT INTO {EMBEDDINGS} (chunk_id, partition_id, embedding)"
            " VALUES (NEW.chunk_id, NEW.partition_id, NEW.embedding);"
        ),
        # Its vectors go after it, when nothing tells any more whose they were.
        "timber_vector_version_partition": (
            "DELETE ON vector_partitions BEGIN"
            f" UPDATE vector_sources SET version = {_RANDOM} WHERE source_type = OLD.source_type;"
        ),
    }
    return Attachment(
        name="the versions of vectors",
        table=CHUNKS,
        needs=("vector_partitions", "vector_sources", EMBEDDINGS),
        objects=tuple(triggers),
        create=tuple(
            f"CREATE TRIGGER {name} AFTER {action} END" for name, action in triggers.items()
        ),
        drop=tuple(f"DROP TRIGGER IF EXISTS {name}" for name in triggers),
    )


_RANDOM: Final = "lower(hex(randomblob(16)))"
_CAME: Final = "substr(version, 1, 16) || lower(hex(randomblob(8)))"


def _renewed(row: str, version: str) -> str:
    """Return what gives the partition of a row, and its source, another version."""
    return (
        f"UPDATE vector_partitions SET version = {version}"
        f" WHERE partition_id = {row}.partition_id;"
        f" UPDATE vector_sources SET version = {version} WHERE source_type ="
        f" (SELECT source_type FROM vector_partitions WHERE partition_id = {row}.partition_id);"
    )


def _nothing_left() -> Attachment:
    """Let a piece take its vectors with it even where SQLite does not follow foreign keys."""
    beside = (EMBEDDINGS, NEXT_EMBEDDINGS, "vector_pending")
    deletes = " ".join(f"DELETE FROM {name} WHERE chunk_id = OLD.chunk_id;" for name in beside)
    return Attachment(
        name="the end of vectors with their texts",
        table=CHUNKS,
        needs=beside,
        objects=(_GONE,),
        create=(f"CREATE TRIGGER {_GONE} AFTER DELETE ON {CHUNKS} BEGIN {deletes} END",),
        drop=(f"DROP TRIGGER IF EXISTS {_GONE}",),
    )
