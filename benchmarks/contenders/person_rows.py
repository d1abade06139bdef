"""The rows about two persons: notes, and a line of each note."""

from collections.abc import Iterator
from typing import Any, Final

from benchmarks.harness.stage import Facts
from sqlalchemy import create_engine, func, select, table

MODELS: Final = """\
models:
  - name: Note
    table_name: notes
    columns:
      - {name: id, type: Integer, primary_key: true}
      - name: author_id
        type: String(36)
        foreign_key: users.user_id
        nullable: false
        index: true
      - {name: body, type: Text, personal: true}
    gdpr: {enabled: true}
  - name: Line
    table_name: lines
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: note_id, type: Integer, foreign_key: notes.id, nullable: false, index: true}
      - {name: words, type: Text, personal: true}
    gdpr: {enabled: true}
"""
PERSONS: Final = ("ann", "bob")
_TEXT: Final = "She sells what the sea leaves on the shore, and remembers who came to buy it."


def notes(size: int) -> Iterator[dict[str, Any]]:
    """Give half of `size` notes about each."""
    for number in range(size // 2 * 2):
        yield {"id": number, "author_id": PERSONS[number % 2], "body": _TEXT}


def lines(size: int) -> Iterator[dict[str, Any]]:
    """Give a line of each note."""
    for number in range(size // 2 * 2):
        yield {"id": number, "note_id": number, "words": _TEXT}


def stored(database_url: str) -> Facts:
    """Return how many rows there are."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        found = {
            name: connection.scalar(select(func.count()).select_from(table(name))) or 0
            for name in ("users", "notes", "lines")
        }
    engine.dispose()
    return found
