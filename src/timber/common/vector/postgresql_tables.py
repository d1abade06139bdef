"""What pieces have beside them on PostgreSQL: words as a `tsvector`, and an index of metadata.

The words lie in a table of their own, ready made, for ranking looks at those of every match.
Beside the words of a piece its `tsvector` holds two that no text can have, as they begin with a
blank: its partition and its source. So one look into the index finds words within these.
"""

import string
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Dialect

from timber.common.database.attachments import Attachment, Attachments
from timber.common.vector.tables import CHUNKS

WORDS: Final = "vector_words"
ATTRIBUTES_INDEX: Final = f"ix_{CHUNKS}_attributes"

LANGUAGE: Final = "timber_vector_language"
"""The function that tells the text search configuration, by which words and stems are told."""
DEFAULT_LANGUAGE: Final = "english"

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
        f"CREATE INDEX ix_{WORDS} ON {WORDS} USING gin (document)",
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
