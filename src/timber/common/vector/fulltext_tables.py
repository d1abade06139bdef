"""The full text of pieces on SQLite: an FTS5 table over `vector_chunks`, kept by triggers.

| column | what is in it |
|--|--|
| `content` | the words of the piece: its `words`, or where it has none its content |
| `scope` | `p12`, the partition it is in, and what `source_term` says of its source |

The table holds the index alone; the texts stay where they are.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Dialect

from timber.common.database.attachments import Attachment, Attachments
from timber.common.vector.tables import CHUNKS

FULLTEXT: Final = "vector_fulltext"

TOKENIZER: Final = "porter unicode61 remove_diacritics 2"
"""Words without case and accents, English ones without their endings."""

_TEXTS: Final = "vector_texts"
"""What the index is built from, should it have to be built anew."""

_END: Final = "0"
"""Behind it Porter's algorithm finds no ending that it could take away."""


def source_term(source_type: str) -> str:
    """Return the word of the column `scope` that all texts of a source have."""
    return f"s{source_type.encode().hex()}{_END}"


def partition_term(partition_id: int) -> str:
    """Return the word of the column `scope` that all texts of a partition have."""
    return f"p{partition_id}"


def attach_fulltext(known: Attachments) -> None:
    """Let `vector_chunks` have its full text beside it, on SQLite."""
    known.wanted.append(_fulltext)


def _fulltext(dialect: Dialect) -> Iterator[Attachment]:
    if dialect.name != "sqlite":
        return
    delete = (
        f"INSERT INTO {FULLTEXT} ({FULLTEXT}, rowid, content, scope)"  # noqa: S608 - names of our own
        f" VALUES ('delete', OLD.chunk_id, {_content('OLD')}, {_scope('OLD')});"
    )
    insert = (
        f"INSERT INTO {FULLTEXT} (rowid, content, scope)"  # noqa: S608 - names of our own
        f" VALUES (NEW.chunk_id, {_content('NEW')}, {_scope('NEW')});"
    )
    triggers = {
        "timber_vector_fulltext_insert": f"INSERT ON {CHUNKS} BEGIN {insert} END",
        "timber_vector_fulltext_delete": f"DELETE ON {CHUNKS} BEGIN {delete} END",
        "timber_vector_fulltext_update": (
            f"UPDATE OF chunk_id, content, words, source_type, partition_id ON {CHUNKS}"
            f" BEGIN {delete} {insert} END"
        ),
    }
    view = (
        f"CREATE VIEW {_TEXTS} AS SELECT chunk_id, {_content(CHUNKS)} AS content,"  # noqa: S608 - names of our own
        f" {_scope(CHUNKS)} AS scope FROM {CHUNKS}"
    )
    table = (
        f"CREATE VIRTUAL TABLE {FULLTEXT} USING fts5 (content, scope,"
        f" content = '{_TEXTS}', content_rowid = 'chunk_id', tokenize = '{TOKENIZER}')"
    )
    yield Attachment(
        name="the full text",
        table=CHUNKS,
        objects=(_TEXTS, FULLTEXT, *triggers),
        create=(
            view,
            table,
            *(f"CREATE TRIGGER {name} AFTER {action}" for name, action in triggers.items()),
        ),
        drop=(
            *(f"DROP TRIGGER IF EXISTS {name}" for name in triggers),
            f"DROP TABLE IF EXISTS {FULLTEXT}",
            f"DROP VIEW IF EXISTS {_TEXTS}",
        ),
        once=(f"INSERT INTO {FULLTEXT} ({FULLTEXT}) VALUES ('rebuild')",),  # noqa: S608 - names of our own
    )


def _content(row: str) -> str:
    return f"coalesce({row}.words, {row}.content)"


def _scope(row: str) -> str:
    return f"'p' || {row}.partition_id || ' s' || lower(hex({row}.source_type)) || '{_END}'"
