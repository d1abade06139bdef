"""A session for the event loop, whose calls run in threads, one after the other."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Executable, Result as Rows

from timber.common.database.session import TimberSession
from timber.common.modeling.mixins import SoftDeleteMixin

Result = TypeVar("Result")


class InThread(Protocol):
    """Runs a function off the event loop."""

    def __call__(self, work: Callable[[], Result], /) -> Awaitable[Result]:
        """Return what `work` returns."""
        ...


class ThreadedSession:
    """An SQLAlchemy session whose blocking calls are awaited.

    Several calls in one `run` cost one hop to a thread instead of one each.
    """

    def __init__(self, session: TimberSession, *, in_thread: InThread) -> None:
        self._session = session
        self._in_thread = in_thread

    async def run(self, work: Callable[[TimberSession], Result]) -> Result:
        """Return what `work` returns; it may use the session in any way."""
        return await self._in_thread(lambda: work(self._session))

    def add(self, row: object) -> None:
        """Store a row with the next flush; this waits for nothing."""
        self._session.add(row)

    def add_all(self, rows: Iterable[object]) -> None:
        """Store rows with the next flush; this waits for nothing."""
        self._session.add_all(rows)

    async def execute(self, statement: Executable, **options: Any) -> Rows[Any]:
        """Run a statement; its rows are here, already fetched, when this returns."""
        return await self.run(lambda session: session.execute(statement, **options).freeze()())

    async def scalars(self, statement: Executable, **options: Any) -> Sequence[Any]:
        """Return the first column of every row."""
        return await self.run(lambda session: session.scalars(statement, **options).all())

    async def scalar(self, statement: Executable, **options: Any) -> Any:
        """Return the first column of the first row; None if there is no row."""
        return await self.run(lambda session: session.scalar(statement, **options))

    async def get(self, model: type[Result], key: Any, **options: Any) -> Result | None:
        """Return the row with that primary key; None if there is none."""
        return await self.run(lambda session: session.get(model, key, **options))

    async def delete(self, row: object) -> None:
        """Delete a row with the next flush: softly, if its model has SoftDeleteMixin."""
        await self.run(lambda session: session.delete(row))

    async def hard_delete(self, row: object) -> None:
        """Delete a row for good, at once."""
        await self.run(lambda session: session.hard_delete(row))

    async def restore(self, row: SoftDeleteMixin) -> None:
        """Take back the soft deletion of a row, at once."""
        await self.run(lambda session: session.restore(row))

    async def flush(self) -> None:
        """Send to the database what was added, changed and deleted."""
        await self.run(TimberSession.flush)

    async def commit(self) -> None:
        """Keep what was done so far."""
        await self.run(TimberSession.commit)

    async def rollback(self) -> None:
        """Undo what was done since the last commit."""
        await self.run(TimberSession.rollback)

    async def close(self) -> None:
        """Roll back what was not committed and give the connection back."""
        await self.run(TimberSession.close)
