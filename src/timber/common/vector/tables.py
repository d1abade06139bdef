"""Where the vectors lie: beside the pieces of text, in tables that only databases of them have.

`vector_chunks` and the tables around it are models, in `vectors.yaml`. A table of vectors cannot
be one: on PostgreSQL it needs an extension that someone who uses no vectors need not have. So it
is attached to `vector_chunks`, and no statement of SQLAlchemy's own makes it.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import BigInteger, Column, Dialect, LargeBinary, MetaData, Table
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

    @override
    def get_col_spec(self, **_: object) -> str:
        """Return how PostgreSQL writes the type."""
        return "vector"


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

_COLUMNS: Final = f"""(
    chunk_id {{key}} NOT NULL PRIMARY KEY REFERENCES {CHUNKS} (chunk_id) ON DELETE CASCADE,
    partition_id BIGINT NOT NULL,
    embedding {{type}} NOT NULL
)"""

_ROW_OF_EVENT: Final = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}

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
    # On SQLite an INTEGER key is the row's own number; any other key would be an index beside it.
    key, kind = ("INTEGER", "BLOB") if is_sqlite else ("BIGINT", "vector")
    for name in (EMBEDDINGS, NEXT_EMBEDDINGS):
        index = f"ix_{name}_partition_id"
        yield Attachment(
            name=f"the table {name}",
            table=CHUNKS,
            objects=(name, index),
            create=(
                f"CREATE TABLE IF NOT EXISTS {name} "
                f"{_COLUMNS.format(key=key, type=kind)}",
                f"CREATE INDEX IF NOT EXISTS {index} ON {name} (partition_id)",
            ),
            drop=(f"DROP TABLE IF EXISTS {name}",),
            extension=None if is_sqlite else EXTENSION,
        )
    if is_sqlite:
        yield _versions()
        yield _nothing_left()


def _versions() -> Attachment:
    """Let a partition have another version whenever a vector of it comes, goes or changes."""
    triggers = {f"timber_vector_version_{event.lower()}": event for event in _ROW_OF_EVENT}
    return Attachment(
        name="the version of partitions",
        table=CHUNKS,
        needs=("vector_partitions", EMBEDDINGS),
        objects=tuple(triggers),
        create=tuple(
            f"CREATE TRIGGER {name} AFTER {event} ON {EMBEDDINGS} BEGIN"
            " UPDATE vector_partitions SET version = lower(hex(randomblob(16)))"
            f" WHERE partition_id = {_ROW_OF_EVENT[event]}.partition_id; END"
            for name, event in triggers.items()
        ),
        drop=tuple(f"DROP TRIGGER IF EXISTS {name}" for name in triggers),
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
