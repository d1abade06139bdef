"""Reads any number of rows in bounded memory."""

import contextlib
from collections.abc import AsyncIterator, Generator, Iterator
from itertools import islice
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from sqlalchemy import Executable
from sqlalchemy.orm import Session
from typing_extensions import override

from timber.common.database.threaded_session import InThread

Row = TypeVar("Row")

BATCH: Final = 200
"""How many rows are in memory at once."""


class RowStream(Iterator[Row], Generic[Row]):
    """Rows as they come from the database; read them in a `with`, or to their end.

    A stream that is left early, or forgotten, gives its connection back at once.
    """

    def __init__(self, rows: Generator[Row]) -> None:
        self._rows = rows

    @override
    def __iter__(self) -> Self:
        return self

    @override
    def __next__(self) -> Row:
        return next(self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back; closing again does nothing."""
        self._rows.close()


class AsyncRowStream(AsyncIterator[Row], Generic[Row]):
    """The same for the event loop: read it in an `async with`, by `async for`.

    The rows of a batch are fetched in one hop to a thread.
    """

    def __init__(self, rows: Generator[Row], *, batch: int, in_thread: InThread) -> None:
        self._rows = rows
        self._batch = batch
        self._in_thread = in_thread
        self._fetched: Iterator[Row] = iter(())

    @override
    def __aiter__(self) -> Self:
        return self

    @override
    async def __anext__(self) -> Row:
        for row in self._fetched:
            return row
        fetched = await self._in_thread(lambda: list(islice(self._rows, self._batch)))
        if not fetched:
            raise StopAsyncIteration
        first, *rest = fetched
        self._fetched = iter(rest)
        return first

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give the connection back; closing again does nothing."""
        await self._in_thread(self._rows.close)


def rows_of(session: Session, statement: Executable, *, batch: int) -> Generator[Any]:
    """Give what the statement selects: the thing itself where it selects one, else rows.

    The session is closed in the end.
    """
    is_one = len(getattr(statement, "column_descriptions", ())) == 1
    with session:
        result = session.execute(statement, execution_options={"yield_per": batch})
        with contextlib.closing(result):
            for part in result.partitions():
                yield from (row[0] for row in part) if is_one else part
                for changed in session.dirty:  # which would stay in memory
                    session.expunge(changed)
