"""Export and erasure in the way of timber-common 1.2.2, written by hand.

Its package wants another Python, so what runs here has the shape of its `gdpr/deletion.py`: it
goes through the models that have a `user_id`, takes all rows of a person into one value in
memory, deletes by one statement a model, and puts the whole export into an audit row. It knows no
other path to a person, so both tables have a `user_id` here; and the person's own row, which it
leaves, is deleted here, for all contenders are to do the same.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from benchmarks.contenders import person_rows
from benchmarks.harness.stage import Facts, Stage, Trial
from sqlalchemy import ForeignKey, Integer, String, Text, create_engine, delete, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

_AT_ONCE = 10_000


class Base(DeclarativeBase):
    """The base of the classes of this module."""


class User(Base):
    """A person."""

    __tablename__ = "users"
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    username: Mapped[str] = mapped_column(String(150))


class Note(Base):
    """A note of a person."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    body: Mapped[str] = mapped_column(Text)


class Line(Base):
    """A line of a note, which says of itself whose it is."""

    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id"), index=True)
    words: Mapped[str] = mapped_column(Text)


class AuditLog(Base):
    """What was done."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    details: Mapped[str] = mapped_column(Text)


_MODELS: tuple[type[Any], ...] = (Line, Note)
"""Those with a `user_id`, in an order in which they can be deleted."""


@contextlib.contextmanager
def _filled(stage: Stage) -> Iterator[Session]:
    engine = create_engine(stage.database_url)
    Base.metadata.create_all(engine)
    people = [{"user_id": one, "email": one, "username": one} for one in person_rows.PERSONS]
    notes = [
        {"id": row["id"], "user_id": row["author_id"], "body": row["body"]}
        for row in person_rows.notes(stage.size)
    ]
    whose = [one["user_id"] for one in notes]
    lines = [
        {**row, "user_id": who}
        for row, who in zip(person_rows.lines(stage.size), whose, strict=True)
    ]
    with Session(engine) as session, session.begin():
        for model, rows in ((User, people), (Note, notes), (Line, lines)):
            for start in range(0, len(rows), _AT_ONCE):
                session.execute(insert(model), rows[start : start + _AT_ONCE])
    with Session(engine) as session:
        yield session
    engine.dispose()


def _exported(session: Session, user_id: str) -> dict[str, list[dict[str, Any]]]:
    return {
        model.__name__: [
            {column.key: getattr(row, column.key) for column in model.__table__.columns}
            for row in session.scalars(select(model).where(model.user_id == user_id))
        ]
        for model in _MODELS
    }


@contextlib.contextmanager
def export(stage: Stage) -> Iterator[Trial]:
    """Write one JSON document of all that was found."""
    target = stage.folder / "export.json"
    with _filled(stage) as session:

        def work() -> None:
            found = _exported(session, "ann")
            target.write_text(json.dumps(found, indent=2), encoding="utf-8")

        def check() -> Facts:
            rows = json.loads(target.read_text(encoding="utf-8"))
            return {name: len(rows[name]) for name in ("Note", "Line")}

        yield Trial(work=work, check=check)


@contextlib.contextmanager
def erase(stage: Stage) -> Iterator[Trial]:
    """Export, delete model by model, and keep the export in the audit row."""
    with _filled(stage) as session:

        def work() -> None:
            details = json.dumps(_exported(session, "ann"))
            for model in _MODELS:
                session.execute(delete(model).where(model.user_id == "ann"))
            session.execute(delete(User).where(User.user_id == "ann"))
            session.execute(insert(AuditLog), {"details": details})
            session.commit()

        def check() -> Facts:
            return person_rows.stored(stage.database_url)

        yield Trial(work=work, check=check)
