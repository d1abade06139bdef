"""What one would write by hand to export and erase a person of whom one knows the tables."""

import contextlib
import json
from collections.abc import Iterator

from benchmarks.contenders import person_rows
from benchmarks.harness.stage import Facts, Stage, Trial
from sqlalchemy import (
    Column,
    ColumnElement,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    insert,
    select,
)

_METADATA = MetaData()
_USERS = Table(
    "users",
    _METADATA,
    Column("user_id", String(36), primary_key=True),
    Column("email", String(320)),
    Column("username", String(150)),
)
_NOTES = Table(
    "notes",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("author_id", ForeignKey("users.user_id"), nullable=False, index=True),
    Column("body", Text),
)
_LINES = Table(
    "lines",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("note_id", ForeignKey("notes.id"), nullable=False, index=True),
    Column("words", Text),
)
_AT_ONCE = 10_000


@contextlib.contextmanager
def _filled(stage: Stage) -> Iterator[Engine]:
    engine = create_engine(stage.database_url)
    _METADATA.create_all(engine)
    with engine.begin() as connection:
        people = [{"user_id": one, "email": one, "username": one} for one in person_rows.PERSONS]
        connection.execute(insert(_USERS), people)
        for table, rows in (
            (_NOTES, list(person_rows.notes(stage.size))),
            (_LINES, list(person_rows.lines(stage.size))),
        ):
            for start in range(0, len(rows), _AT_ONCE):
                connection.execute(insert(table), rows[start : start + _AT_ONCE])
    yield engine
    engine.dispose()


def _mine() -> list[tuple[str, Table, ColumnElement[bool]]]:
    keys = select(_NOTES.c.id).where(_NOTES.c.author_id == "ann")
    return [
        ("Line", _LINES, _LINES.c.note_id.in_(keys)),
        ("Note", _NOTES, _NOTES.c.author_id == "ann"),
    ]


@contextlib.contextmanager
def export(stage: Stage) -> Iterator[Trial]:
    """Write a line of JSON for each row, in parts."""
    target = stage.folder / "export.jsonl"
    with _filled(stage) as engine:

        def work() -> None:
            with engine.connect() as connection, target.open("w", encoding="utf-8") as file:
                for name, table, condition in _mine():
                    rows = connection.execution_options(yield_per=200).execute(
                        select(table).where(condition)
                    )
                    for row in rows.mappings():
                        file.write(json.dumps([name, dict(row)]) + "\n")

        def check() -> Facts:
            found = {"Note": 0, "Line": 0}
            for line in target.read_text(encoding="utf-8").splitlines():
                found[json.loads(line)[0]] += 1
            return found

        yield Trial(work=work, check=check)


@contextlib.contextmanager
def erase(stage: Stage) -> Iterator[Trial]:
    """Delete by a statement for each table."""
    with _filled(stage) as engine:

        def work() -> None:
            with engine.begin() as connection:
                for _, table, condition in _mine():
                    connection.execute(delete(table).where(condition))
                connection.execute(delete(_USERS).where(_USERS.c.user_id == "ann"))

        yield Trial(work=work, check=lambda: person_rows.stored(stage.database_url))
