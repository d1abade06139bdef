"""A column type that encrypts with Fernet, as most who use SQLAlchemy encrypt."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.contenders import letters
from benchmarks.contenders.engines import engine_with_tables
from benchmarks.harness.stage import Stage, Trial
from cryptography.fernet import Fernet
from sqlalchemy import Dialect, ForeignKey, LargeBinary, String, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine
from typing_extensions import override

_FERNET: Final = Fernet(Fernet.generate_key())


class Encrypted(TypeDecorator[str]):
    """A text that is stored encrypted."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = LargeBinary
    cache_ok: bool | None = True

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else _FERNET.encrypt(value.encode())

    @override
    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else _FERNET.decrypt(value).decode()


class Base(DeclarativeBase):
    """The base of the classes of this module."""


class User(Base):
    """Whoever writes."""

    __tablename__ = "users"

    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)


class Letter(Base):
    """A row of `letters`."""

    __tablename__ = "letters"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    body: Mapped[str] = mapped_column(Encrypted)


@contextlib.contextmanager
def seal_fields(stage: Stage) -> Iterator[Trial]:
    """Encrypt texts, each to a text."""
    bodies = [row["body"] for row in letters.rows(stage.size)]
    sealed: list[str] = []

    def work() -> None:
        sealed.extend(_FERNET.encrypt(body.encode()).decode() for body in bodies)

    yield Trial(work=work, check=lambda: letters.fields([one.encode() for one in sealed]))


@contextlib.contextmanager
def open_fields(stage: Stage) -> Iterator[Trial]:
    """Decrypt texts, and look whether they are JSON, as what was no text was made."""
    bodies = [row["body"] for row in letters.rows(stage.size)]
    sealed = [_FERNET.encrypt(body.encode()).decode() for body in bodies]
    opened: list[Any] = []

    def work() -> None:
        for one in sealed:
            text = _FERNET.decrypt(one.encode()).decode()
            try:
                opened.append(json.loads(text))
            except json.JSONDecodeError:
                opened.append(text)

    yield Trial(work=work, check=lambda: {"fields": len(opened), "right": opened == bodies})


_TABLE: Final = Base.metadata.tables["letters"]


@contextlib.contextmanager
def insert_many(stage: Stage) -> Iterator[Trial]:
    """Insert all rows with one statement of the ORM."""
    rows = letters.rows(stage.size)
    with engine_with_tables(stage.database_url, Base.metadata) as engine:
        with Session(engine) as session, session.begin():
            session.execute(insert(User), [{"user_id": one} for one in letters.writers()])

        def work() -> None:
            with Session(engine) as session, session.begin():
                session.execute(insert(Letter), rows)

        yield Trial(work=work, check=lambda: letters.stored(stage.database_url))


@contextlib.contextmanager
def bulk_insert_core(stage: Stage) -> Iterator[Trial]:
    """Insert all rows with one statement of Core."""
    rows = letters.rows(stage.size)
    with engine_with_tables(stage.database_url, Base.metadata) as engine:
        with Session(engine) as session, session.begin():
            session.execute(insert(User), [{"user_id": one} for one in letters.writers()])

        def work() -> None:
            with engine.begin() as connection:
                connection.execute(insert(_TABLE), rows)

        yield Trial(work=work, check=lambda: letters.stored(stage.database_url))
