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

DEFAULT_LANGUAGE: Final = "english"


def partition_lexeme(partition_id: int) -> str:
    """Return the lexeme that all pieces of a partition have."""
    return f" p{partition_id}"


def source_lexeme(source_type: str) -> str:
    """Return the lexeme that all pieces of a source have."""
    return f" s{source_type}"


class PostgresqlTables:
    """Attaches them; `language` may be set until the tables are made."""

    def __init__(self) -> None:
        self.language = DEFAULT_LANGUAGE
        """The text search configuration that knows the stems: a name of small letters and `_`."""

    def attach(self, known: Attachments) -> None:
        """Let `vector_chunks` have them beside it, on PostgreSQL."""
        known.wanted.append(self._wanted)

    def _wanted(self, dialect: Dialect) -> Iterator[Attachment]:
        if dialect.name != "postgresql":
            return
        yield Attachment(
            name="the index of metadata",
            table=CHUNKS,
            objects=(ATTRIBUTES_INDEX,),
            create=(
                f"CREATE INDEX {ATTRIBUTES_INDEX} ON {CHUNKS}"
                " USING gin (attributes jsonb_path_ops)",
            ),
            drop=(f"DROP INDEX IF EXISTS {ATTRIBUTES_INDEX}",),
        )
        yield _words(self.language)


def _words(language: str) -> Attachment:
    # Another language is another trigger, so the words are read anew.
    name = f"timber_vector_words_{language}"
    made = _made(language, "NEW.")
    every = _made(language, "")
    return Attachment(
        name="the full text",
        table=CHUNKS,
        objects=(WORDS, f"ix_{WORDS}", name),
        create=(
            f"CREATE TABLE {WORDS} (chunk_id BIGINT PRIMARY KEY"
            f" REFERENCES {CHUNKS} (chunk_id) ON DELETE CASCADE, document TSVECTOR NOT NULL)",
            f"CREATE INDEX ix_{WORDS} ON {WORDS} USING gin (document)",
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" INSERT INTO {WORDS} (chunk_id, document) VALUES (NEW.chunk_id, {made})"
            " ON CONFLICT (chunk_id) DO UPDATE SET document = excluded.document;"
            " RETURN NULL; END $$",
            f"CREATE TRIGGER {name} AFTER INSERT OR"
            f" UPDATE OF chunk_id, content, words, source_type, partition_id ON {CHUNKS}"
            f" FOR EACH ROW EXECUTE FUNCTION {name}()",
        ),
        drop=(
            f"DROP TRIGGER IF EXISTS {name} ON {CHUNKS}",
            f"DROP FUNCTION IF EXISTS {name}()",
            f"DROP TABLE IF EXISTS {WORDS}",
        ),
        once=(f"INSERT INTO {WORDS} (chunk_id, document) SELECT chunk_id, {every} FROM {CHUNKS}",),  # noqa: S608 - the names are ours
    )


def _made(language: str, row: str) -> str:
    """Return the SQL of the `tsvector` of a row of pieces."""
    return (
        f"array_to_tsvector(ARRAY[' p' || {row}partition_id, ' s' || {row}source_type])"
        f" || to_tsvector('{language}', {_only_words(f'coalesce({row}words, {row}content)')})"
    )


def _only_words(text: str) -> str:
    """Return the SQL of a text without signs, of which PostgreSQL makes numbers and hosts."""
    # Doubled where SQL and the driver would find a meaning in it.
    signs = string.punctuation.replace("'", "''").replace("%", "%%")
    return f"translate({text}, '{signs}', '{' ' * len(string.punctuation)}')"
