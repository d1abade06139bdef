"""What language models have answered, kept until the turn that asked has become fact."""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, delete, select
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
        return await self._storage.read(lambda session: session.scalar(kept, asked))

    @override
    async def keep(self, occasion: str, call: int, *, request: str, answer: str) -> None:
        model, now = self._storage.model("ModelAnswer"), self._storage.clock.now()
        is_late = self._swept_at is None or now - self._swept_at >= SWEEP

        def work(session: Session) -> None:
            row = session.get(model, (occasion, call)) or model(occasion=occasion, call=call)
            row.request, row.answer, row.created_at = request, answer, now
            session.add(row)
            if is_late:
                session.execute(delete(model).where(model.created_at < now - KEPT))

        await self._storage.run(work)
        if is_late:
            self._swept_at = now

    @override
    async def forget(self, occasion: str) -> None:
        model = self._storage.model("ModelAnswer")

        def work(session: Session) -> None:
            session.execute(delete(model).where(model.occasion == occasion))

        await self._storage.run(work)


def _answer(storage: Storage) -> Any:
    model = storage.model("ModelAnswer")
    columns = (model.occasion, model.call, model.request)
    return select(model.answer).where(*(column == bindparam(column.key) for column in columns))
