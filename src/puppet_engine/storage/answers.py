"""What language models have answered, kept until the turn that asked has become fact."""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Delete, Table, bindparam, delete, select
from sqlalchemy.orm import Session
from typing_extensions import override

from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.rows import upsert

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

        def work(session: Session) -> str | None:
            found = session.connection().execute(kept, asked)
            opened = list(self._storage.opened(_table(self._storage), found))
            return str(opened[0].answer) if opened else None

        return await self._storage.read(work)

    @override
    async def keep(self, occasion: str, call: int, *, request: str, answer: str) -> None:
        now = self._storage.clock.now()
        is_late = self._swept_at is None or now - self._swept_at >= SWEEP
        answered = {"request": request, "answer": answer, "created_at": now, "person_id": None}
        new = {"occasion": occasion, "call": call, **answered}

        def work(session: Session) -> None:
            connection = session.connection()
            connection.execute(self._storage.statement(_newest), new)
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
    return select(table).where(*asked)


def _newest(storage: Storage) -> Any:
    return upsert(storage, _table(storage))


def _old(storage: Storage) -> Delete:
    table = _table(storage)
    return delete(table).where(table.c.created_at < bindparam("before"))


def _all_of_turn(storage: Storage) -> Delete:
    table = _table(storage)
    return delete(table).where(table.c.occasion == bindparam("on"))
