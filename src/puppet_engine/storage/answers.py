"""What language models have answered, kept until the turn that asked has become fact."""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Delete, Table, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from typing_extensions import override

from puppet_engine.storage.gateway import Storage

KEPT: Final = timedelta(days=2)
"""How long an answer is kept that no turn came to use: longer than any turn is tried again."""

SWEEP: Final = timedelta(hours=1)
"""How often answers that are too old are taken away."""


class AnswerJournal(ABC):
    """Keeps what was paid for, so that a turn which is taken again does not pay again.

    The turn that makes use of an answer takes it away in its own transaction.
    """

    @abstractmethod
    async def find(self, occasion: str, call: int, *, request: str) -> str | None:
        """Return the answer to a turn's n-th call; None when there is none to such a request."""

    @abstractmethod
    async def keep(self, occasion: str, call: int, *, request: str, answer: str) -> None:
        """Note an answer. It is committed when this returns."""

    @abstractmethod
    async def forget(self, occasion: str) -> None:
        """Take away the answers of a turn that was no good: the next one asks anew."""


class StoredAnswers(AnswerJournal):
    """Answers as rows; those that outlive their turn are taken away when they are old."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._swept_at: datetime | None = None

    @override
    async def find(self, occasion: str, call: int, *, request: str) -> str | None:
        kept = self._storage.statement(_answer)
        asked = {"occasion": occasion, "call": call, "request": request}
        return await self._storage.read(lambda session: session.connection().scalar(kept, asked))

    @override
    async def keep(self, occasion: str, call: int, *, request: str, answer: str) -> None:
        now = self._storage.clock.now()
        is_late = self._swept_at is None or now - self._swept_at >= SWEEP
        new = {
            "occasion": occasion,
            "call": call,
            "request": request,
            "answer": answer,
            "created_at": now,
        }

        def work(session: Session) -> None:
            connection = session.connection()
            is_shared = connection.dialect.name == "postgresql"
            kept = _kept_by_all if is_shared else _kept
            connection.execute(self._storage.statement(kept), new)
            if is_late:
                connection.execute(self._storage.statement(_old), {"before": now - KEPT})

        await self._storage.run(work)
        if is_late:
            self._swept_at = now

    @override
    async def forget(self, occasion: str) -> None:
        of_turn = self._storage.statement(_all_of_turn)
        await self._storage.run(
            lambda session: session.connection().execute(of_turn, {"on": occasion}).rowcount
        )


# ------------------------------------------------------------------ statements


def _table(storage: Storage) -> Table:
    table: Table = storage.model("ModelAnswer").__table__
    return table


def _answer(storage: Storage) -> Any:
    table = _table(storage)
    columns = (table.c.occasion, table.c.call, table.c.request)
    asked = (column == bindparam(column.key) for column in columns)
    return select(table.c.answer).where(*asked)


def _kept(storage: Storage) -> Any:
    return _in_place_of_another(storage, sqlite.insert)


def _kept_by_all(storage: Storage) -> Any:
    return _in_place_of_another(storage, postgresql.insert)


def _in_place_of_another(storage: Storage, insert: Any) -> Any:
    """Keep an answer, also where there is one to a request of another kind."""
    table = _table(storage)
    new = insert(table)
    values = {name: new.excluded[name] for name in ("request", "answer", "created_at")}
    return new.on_conflict_do_update(index_elements=[table.c.occasion, table.c.call], set_=values)


def _old(storage: Storage) -> Delete:
    table = _table(storage)
    return delete(table).where(table.c.created_at < bindparam("before"))


def _all_of_turn(storage: Storage) -> Delete:
    table = _table(storage)
    return delete(table).where(table.c.occasion == bindparam("on"))
