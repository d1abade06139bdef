"""What pieces have beside them on PostgreSQL: words as a `tsvector`, and indexes of metadata.

The words lie in a table of their own, ready made, for ranking looks at those of every match.
Beside the words of a piece its `tsvector` holds two that no text can have, as they begin with a
blank: its partition and its source. So one look into the index finds words within these.

The metadata of a piece lies beside its vector, too, and triggers keep it the same: a search by
metadata then reads one row for each that it compares, and not two.

A vector bears the number of the transaction that wrote it, by which whoever holds the vectors of
a moment finds what has come since.
"""

import string
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Dialect

from timber.common.database.attachments import Attachment, Attachments
from timber.common.vector.tables import CHUNKS, EMBEDDINGS, EXTENSION

WORDS: Final = "vector_words"
ATTRIBUTES_INDEX: Final = f"ix_{CHUNKS}_attributes"

LANGUAGE: Final = "timber_vector_language"
"""The function that tells the text search configuration, by which words and stems are told."""
DEFAULT_LANGUAGE: Final = "english"

WRITTEN_BY: Final = "written_by"
"""The column that tells which transaction has written a vector: `xid8`; null: one long ago."""

_TRIGGER: Final = "timber_vector_words"


def partition_lexeme(partition_id: int) -> str:
    """Return the lexeme that all pieces of a partition have."""
    return f" p{partition_id}"


def source_lexeme(source_type: str) -> str:
    """Return the lexeme that all pieces of a source have."""
    return f" s{source_type}"


def attach_postgresql(known: Attachments) -> None:
    """Let `vector_chunks` have them beside it, on PostgreSQL."""
    known.wanted.append(_wanted)


def _wanted(dialect: Dialect) -> Iterator[Attachment]:
    if dialect.name == "postgresql":
        yield _ATTRIBUTES
        yield _WORDS
        yield _BESIDE_VECTORS
        yield _WRITTEN_BY


def in_language(language: str) -> tuple[str, ...]:
    """Return the statements that let texts be read in another language, and read them anew."""
    every = _made("")
    return (
        f"CREATE OR REPLACE FUNCTION {LANGUAGE}() RETURNS regconfig LANGUAGE sql IMMUTABLE"
        f" AS $$ SELECT CAST('{language}' AS regconfig) $$",
        f"INSERT INTO {WORDS} (chunk_id, document) SELECT chunk_id, {every} FROM {CHUNKS}"
        " ON CONFLICT (chunk_id) DO UPDATE SET document = excluded.document",
    )


def _made(row: str) -> str:
    """Return the SQL of the `tsvector` of a row of pieces."""
    return (
        f"array_to_tsvector(ARRAY[' p' || {row}partition_id, ' s' || {row}source_type])"
        f" || to_tsvector({LANGUAGE}(), {only_words(f'coalesce({row}words, {row}content)')})"
    )


def only_words(text: str) -> str:
    """Return the SQL of a text without signs, of which PostgreSQL makes numbers and hosts."""
    # Without the one that drivers look for.
    signs = string.punctuation.replace("'", "''").replace("%", "")
    return f"translate({text}, '{signs}' || chr(37), '{' ' * len(string.punctuation)}')"


_ATTRIBUTES: Final = Attachment(
    name="the index of metadata",
    table=CHUNKS,
    objects=(ATTRIBUTES_INDEX,),
    create=(f"CREATE INDEX {ATTRIBUTES_INDEX} ON {CHUNKS} USING gin (attributes jsonb_path_ops)",),
    drop=(f"DROP INDEX IF EXISTS {ATTRIBUTES_INDEX}",),
)

_LANGUAGE, _READ_ALL = in_language(DEFAULT_LANGUAGE)

_WORDS: Final = Attachment(
    name="the full text",
    table=CHUNKS,
    objects=(WORDS, f"ix_{WORDS}", LANGUAGE, _TRIGGER),
    create=(
        _LANGUAGE,
        f"CREATE TABLE {WORDS} (chunk_id BIGINT PRIMARY KEY"
        f" REFERENCES {CHUNKS} (chunk_id) ON DELETE CASCADE, document TSVECTOR NOT NULL)",
        # What is not in the index yet, every search reads: of the usual 4 MB, for milliseconds.
        f"CREATE INDEX ix_{WORDS} ON {WORDS} USING gin (document)"
        " WITH (gin_pending_list_limit = 256)",
        f"CREATE FUNCTION {_TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" INSERT INTO {WORDS} (chunk_id, document) VALUES (NEW.chunk_id, {_made('NEW.')})"
        " ON CONFLICT (chunk_id) DO UPDATE SET document = excluded.document;"
        " RETURN NULL; END $$",
        f"CREATE TRIGGER {_TRIGGER} AFTER INSERT OR"
        f" UPDATE OF chunk_id, content, words, source_type, partition_id ON {CHUNKS}"
        f" FOR EACH ROW EXECUTE FUNCTION {_TRIGGER}()",
    ),
    drop=(
        f"DROP TRIGGER IF EXISTS {_TRIGGER} ON {CHUNKS}",
        f"DROP FUNCTION IF EXISTS {_TRIGGER}()",
        f"DROP TABLE IF EXISTS {WORDS}",
        f"DROP FUNCTION IF EXISTS {LANGUAGE}()",
    ),
    once=(_READ_ALL,),
)

_COPIED: Final = ("source_type", "attributes")
"""What is known of a piece, and lies beside its vector."""

_COME: Final = "timber_vector_metadata_comes"
_CHANGE: Final = "timber_vector_metadata_changes"
_BY_SOURCE: Final = f"ix_{EMBEDDINGS}_source_type"
_BY_ATTRIBUTES: Final = f"ix_{EMBEDDINGS}_attributes"


def _listed(form: str, *, between: str = ", ") -> str:
    return between.join(form.format(name) for name in _COPIED)


_SAME: Final = _listed("{0} = pieces.{0}")
_DIFFERS: Final = _listed("{{0}}.{0} IS DISTINCT FROM {{1}}.{0}", between=" OR ")

_BESIDE_VECTORS: Final = Attachment(
    name="the metadata beside vectors",
    table=CHUNKS,
    needs=(EMBEDDINGS,),
    objects=(_BY_SOURCE, _BY_ATTRIBUTES, _COME, _CHANGE),
    create=(
        f"ALTER TABLE {EMBEDDINGS} ADD COLUMN IF NOT EXISTS source_type VARCHAR(100),"
        " ADD COLUMN IF NOT EXISTS attributes JSONB",
        # The piece is held: who changes its metadata now would not see the vector that comes.
        f"CREATE FUNCTION {_COME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" SELECT {_listed('pieces.{0}')} INTO {_listed('NEW.{0}')} FROM {CHUNKS} AS pieces"
        " WHERE chunk_id = NEW.chunk_id FOR SHARE; RETURN NEW; END $$",
        f"CREATE TRIGGER {_COME} BEFORE INSERT OR UPDATE OF chunk_id ON {EMBEDDINGS}"
        f" FOR EACH ROW EXECUTE FUNCTION {_COME}()",
        f"CREATE FUNCTION {_CHANGE}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" UPDATE {EMBEDDINGS} SET {_listed('{0} = NEW.{0}')} WHERE chunk_id = NEW.chunk_id;"
        " RETURN NULL; END $$",
        # A vector that stays as it is moves all the same, in every index: not without need.
        f"CREATE TRIGGER {_CHANGE} AFTER UPDATE OF {_listed('{0}')} ON {CHUNKS} FOR EACH ROW"
        f" WHEN ({_DIFFERS.format('OLD', 'NEW')}) EXECUTE FUNCTION {_CHANGE}()",
        f"UPDATE {EMBEDDINGS} AS vectors SET {_SAME} FROM {CHUNKS} AS pieces"
        " WHERE pieces.chunk_id = vectors.chunk_id"
        f" AND ({_DIFFERS.format('pieces', 'vectors')})",
        f"CREATE INDEX {_BY_SOURCE} ON {EMBEDDINGS} (source_type)",
        f"CREATE INDEX {_BY_ATTRIBUTES} ON {EMBEDDINGS} USING gin (attributes jsonb_path_ops)",
    ),
    drop=(
        f"DROP TRIGGER IF EXISTS {_COME} ON {EMBEDDINGS}",
        f"DROP FUNCTION IF EXISTS {_COME}()",
        f"DROP TRIGGER IF EXISTS {_CHANGE} ON {CHUNKS}",
        f"DROP FUNCTION IF EXISTS {_CHANGE}()",
        f"DROP INDEX IF EXISTS {_BY_SOURCE}",
        f"DROP INDEX IF EXISTS {_BY_ATTRIBUTES}",
    ),
    extension=EXTENSION,
)

_WRITES: Final = "timber_vector_written_by"
_BY_WRITER: Final = f"ix_{EMBEDDINGS}_partition_id_{WRITTEN_BY}"

_WRITTEN_BY: Final = Attachment(
    name="what tells new vectors",
    table=CHUNKS,
    needs=(EMBEDDINGS,),
    objects=(_BY_WRITER, _WRITES),
    create=(
        f"ALTER TABLE {EMBEDDINGS} ADD COLUMN IF NOT EXISTS {WRITTEN_BY} XID8",
        f"CREATE FUNCTION {_WRITES}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" NEW.{WRITTEN_BY} = pg_current_xact_id(); RETURN NEW; END $$",
        f"CREATE TRIGGER {_WRITES} BEFORE INSERT OR UPDATE OF chunk_id, partition_id, embedding"
        f" ON {EMBEDDINGS} FOR EACH ROW EXECUTE FUNCTION {_WRITES}()",
        # Also where rows are replicated: the number of a transaction elsewhere means nothing.
        f"ALTER TABLE {EMBEDDINGS} ENABLE ALWAYS TRIGGER {_WRITES}",
        f"CREATE INDEX {_BY_WRITER} ON {EMBEDDINGS} (partition_id, {WRITTEN_BY})",
    ),
    drop=(
        f"DROP TRIGGER IF EXISTS {_WRITES} ON {EMBEDDINGS}",
        f"DROP FUNCTION IF EXISTS {_WRITES}()",
        f"DROP INDEX IF EXISTS {_BY_WRITER}",
    ),
    extension=EXTENSION,
)
