"""The engine's database, opened through Timber."""

import asyncio
import contextlib
from collections import namedtuple
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias, TypeVar

from sqlalchemy import Row, Table, make_url
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import (
    ConfigurationError,
    NotRunningError,
    OutdatedDatabaseError,
    StorageError,
)
from puppet_engine.core.ids import IdFactory
from puppet_engine.storage.embedders import WORDS_ONLY, usable
from puppet_engine.storage.group_commit import GroupCommit, Together, one_by_one
from timber.common import errors as timber_errors
from timber.common.encryption.base import Keystore
from timber.common.runtime import Timber
from timber.common.settings import SQLiteSynchronous, TimberSettings
from timber.common.vector.embedding import Embedding
from timber.common.vector.selecting import Selecting
from timber.common.vector.steps import Steps, taken

MODELS: Final = Path(__file__).parent / "models"

MIGRATIONS: Final = Path("var/migrations")
"""Where the steps are kept that an operator is told to make, a folder for each database."""

_MOST_STATEMENTS: Final = 64
"""Of those that differ by numbers so many are known."""

A = TypeVar("A")
T = TypeVar("T")

_named: Final[Any] = namedtuple  # noqa: PYI024 - of rows, whose columns are a query's

Proposals: TypeAlias = Mapping[str, Mapping[str, float]]
"""What may answer a query: by `dense`, meaning, and by `text`, words; the shares by primary key.
By `cosine` the meaning again, from -1 to 1."""


class Storage:
    """One database with the engine's tables. Building it does nothing; `open` opens it."""

    _is_alone: ClassVar[bool] = False
    """Whether nobody writes or searches while somebody does: then a search that has to take in
    what its owner wrote takes in all that waits, and many find nothing to do."""

    def __init__(  # noqa: PLR0913 - keyword arguments with defaults, chosen one by one
        self,
        database_url: str,
        *,
        clock: Clock,
        ids: IdFactory,
        synchronous: SQLiteSynchronous = "FULL",
        embedder: str = WORDS_ONLY,
        follows_texts: bool = False,
        keystore: Keystore | None = None,
    ) -> None:
        """Have memories found by what they mean with an `embedder`, or by their words only.

        With `follows_texts` a thread takes in what was written, a moment after its commit.
        Without, all of it is taken in by the next search, or by the next one of somebody who has
        written: so a life that is repeated, turn by turn, finds the same each time.
        The keys are kept where Timber's settings say, or in the `keystore` given.
        """
        self.clock = clock
        self.ids = ids
        self.embedder = usable(embedder)
        self._follows_texts = follows_texts
        self._dialect = make_url(database_url).get_backend_name()
        self._settings = TimberSettings(
            database_url=database_url,
            embedder=self.embedder,
            enable_auto_vector_ingestion=follows_texts,
            model_config_dirs=(MODELS,),
            create_tables=True,
            sqlite_synchronous=synchronous,
        )
        self._timber = Timber(clock=clock, keystore=keystore)
        self._opening = asyncio.Lock()
        self._writer: GroupCommit | None = None
        self._forbidden: StorageError | None = None
        self._statements: dict[Callable[[Storage], Any], Any] = {}
        self._selecting: dict[tuple[Callable[..., Any], tuple[int, ...]], Selecting] = {}

    @property
    def is_open(self) -> bool:
        return self._writer is not None

    @property
    def dialect(self) -> str:
        """Whose SQL the database speaks: `sqlite` or `postgresql`."""
        return self._dialect

    async def open(self) -> None:
        """Open the database and make its tables. Calling it again does nothing.

        Raises:
            ConfigurationError: the URL or a model file cannot be used; nothing was touched.
            OutdatedDatabaseError: its tables are of another version; says how to change them.
            StorageError: the database cannot be opened.

        """
        async with self._opening:
            if not self.is_open:
                with in_our_words(), self._told_how_to_migrate():
                    await asyncio.to_thread(self._timber.open, self._settings)
                self._writer = GroupCommit(self._timber.database)

    @contextlib.contextmanager
    def _told_how_to_migrate(self) -> Generator[None]:
        try:
            yield
        except timber_errors.SchemaMismatchError as error:
            url = make_url(self._settings.database_url).render_as_string(hide_password=True)
            found = error.what.removesuffix("\nTo mend it")
            steps = MIGRATIONS / Path(make_url(url).database or "puppets").stem
            where = f"{MODELS} --database {url} --migrations {steps}"
            raise OutdatedDatabaseError(
                f"{url} is of another version of the engine, and was not touched: {found}\n"
                "To go on with what is in it, end every engine on it, make a copy, and run:\n"
                f'  timber migrate plan {where} -m "Another version"\n'
                f"  timber migrate apply {where}"
            ) from error

    async def close(self) -> None:
        """Commit what waits, and close the database. Calling it again does nothing."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
            self._statements.clear()
            self._selecting.clear()
            await asyncio.to_thread(self._timber.close)

    def forbid_writing(self, reason: StorageError) -> None:
        """Refuse all that is to be written from now on: the database is not ours any more."""
        self._forbidden = reason

    def model(self, name: str) -> Any:
        """Return the class of one of the engine's tables. Raises `NotRunningError`."""
        self._require_open()
        return self._timber.models.get(name)

    def tables(self) -> list[Table]:
        """Return the tables of all models, by name. Raises `NotRunningError`."""
        self._require_open()
        models = map(self._timber.models.get, self._timber.models.names())
        return sorted((model.__table__ for model in models), key=lambda table: table.name)

    def statement(self, make: Callable[["Storage"], T]) -> T:
        """Return the statement that `make` makes of our tables, the same one each time.

        What differs from time to time are its parameters.
        To make a statement, and to find its text again, takes longer than SQLite takes for it.
        Raises `NotRunningError`.
        """
        self._require_open()
        known: T | None = self._statements.get(make)
        if known is None:
            known = self._statements[make] = make(self)
        return known

    def selecting(self, make: Callable[..., Any], *numbers: int) -> Selecting:
        """Return the statement that `make` makes of our tables and numbers, for the driver.

        The same one each time. Raises `NotRunningError`.
        """
        self._require_open()
        known = self._selecting.get((make, numbers))
        if known is None:
            if len(self._selecting) >= _MOST_STATEMENTS:
                self._selecting.clear()
            known = Selecting(make(self, *numbers), self.dialect)
            self._selecting[make, numbers] = known
        return known

    async def run(self, work: Callable[[Session], T]) -> T:
        """Do `work`, whole or not at all: all of it is committed when this returns, or nothing.

        It shares its commit with others; when one of those fails it may be done again,
        so it should do nothing but use its session.

        Raises:
            NotRunningError: the storage is not open.
            StorageError: the database refused; nothing of the work was kept.

        """
        result: T = await self.write(one_by_one, work)
        return result

    async def write(self, together: Together[A, T], argument: A) -> T:
        """Do as `run` with all that is to be written by the function `together` at the time.

        It gets the arguments of everybody who shares the commit, and returns a result for each.
        """
        if self._writer is None:
            raise _not_open()
        if self._forbidden is not None:
            raise self._forbidden
        with in_our_words():
            return await self._writer.write(together, argument)

    async def read(self, work: Callable[[Session], T]) -> T:
        """Do `work` that changes nothing, beside the writer, on what is committed.

        Raises:
            NotRunningError: the storage is not open.
            StorageError: the database refused.

        """
        self._require_open()
        with in_our_words():
            return await self._timber.database.run(work)

    async def propose(
        self,
        query: str,
        *,
        owner: str,
        depth: int,
        weigh: Callable[[Proposals], Steps[T]],
    ) -> T:
        """Return what `weigh` makes of the memories of an owner that may answer a query.

        It gets those that are nearest in meaning, and those that match by words, as many as
        `depth` of each, and asks in steps what else it must know; it may be called again. What
        was written before is among them: an owner's rows are taken in first, or, where no
        thread follows what is written, all that wait. A blank query proposes nothing.

        Raises:
            NotRunningError: the storage is not open.
            StorageError: the database, or the embedder, refused.

        """
        self._require_open()
        with in_our_words():
            return await self._timber.database.call(self._propose, query, owner, depth, weigh)

    def _propose(
        self, query: str, owner: str, depth: int, weigh: Callable[[Proposals], Steps[T]]
    ) -> T:
        if not query or query.isspace():
            return self._timber.database.run_sync(
                lambda session: taken(session.connection(), weigh({}))
            )
        source = self.model("Memory").__tablename__
        if not self._follows_texts and not self._is_alone:
            self._timber.vector_ingestion.process_pending(source)
        return self._timber.vector_search.shortlist(
            query, source, owner=owner, depth=depth, weigh=weigh, with_others=self._is_alone
        )

    def meaning(self, text: str) -> Any:
        """Return the vector of a text, of length one, by the embedder of memories.

        Raises:
            NotRunningError: the storage is not open.
            StorageError: the embedder refused, or there is none.

        """
        self._require_open()
        with in_our_words():
            embedding = Embedding(self._timber.vector_search.embedding_service)
            return embedding.of_texts([text.encode(errors="replace").decode()])[0]

    def opened(self, table: Table, found: Iterable[Row[Any]]) -> Iterator[Any]:
        """Yield rows that were selected of a table, with what is sealed in them opened.

        Among the columns are `person_id`, and what the model says under `bound_to`, or else the
        primary key.
        What the session loads as objects opens by itself.

        Raises:
            StorageError: something cannot be opened, or the keystore refused.

        """
        rows = iter(found)
        if (first := next(rows, None)) is None:
            return
        columns = tuple(first._fields)
        yield from map(_row_of(columns), self.open_rows(table, columns, chain([first], rows)))

    def open_rows(
        self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> Iterator[Sequence[Any]]:
        """Do as `opened` with rows whose columns these are; others are left as they are."""
        if not self.sealed(table):
            yield from rows
            return
        with in_our_words():
            yield from self._timber.sealer.open_rows(table.name, columns, rows)

    def row_key(self, table: Table) -> tuple[str, ...]:
        """Return the columns by which a row is known, and by which what is sealed in it is."""
        known = self._timber.sealer.tables.get(table.name)
        bound = () if known is None else known.key_names
        return tuple(dict.fromkeys((*table.primary_key.columns.keys(), *bound)))

    def sealed(self, table: Table) -> Mapping[str, TypeEngine[Any]]:
        """Return the columns of a table that are sealed, and of what type their values are."""
        known = self._timber.sealer.tables.get(table.name)
        fields = {} if known is None else known.fields
        return {name: one.column.plain for name, one in fields.items()}

    async def erase(
        self,
        model_name: str,
        key: str,
        *,
        on_progress: Callable[[str, int], None] | None = None,
    ) -> str:
        """Erase a person, a row of the model, and return the signed certificate, as JSON.

        Broken off, the next call goes on, and so does the next opening.

        Raises:
            NotRunningError: the storage is not open.
            StorageError: nothing is known of the person, or the database or keystore refused.

        """
        self._require_open()
        with in_our_words():
            erased = await asyncio.to_thread(
                self._timber.gdpr.erase, key, model=model_name, on_progress=on_progress
            )
        return erased.as_json()

    async def insert(self, model_name: str, rows: Sequence[dict[str, Any]]) -> int:
        """Insert many rows by the database's fastest way, all of them or none."""
        model = self.model(model_name)
        return await self.run(
            lambda session: self._timber.database.bulk_insert(model, rows, session=session)
        )

    def _require_open(self) -> None:
        if not self.is_open:
            raise _not_open()


@lru_cache
def _row_of(columns: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    """Return what makes a row of its values."""
    row: Any = _named("Row", columns)
    make: Callable[[Sequence[Any]], Any] = row._make
    return make


def _not_open() -> NotRunningError:
    return NotRunningError("the storage", "await open() first")


@contextlib.contextmanager
def in_our_words() -> Generator[None]:
    """Raise what Timber raises in a block as errors of ours."""
    try:
        yield
    except (timber_errors.ConfigurationError, timber_errors.DocumentError) as error:
        raise ConfigurationError(str(error)) from error
    except timber_errors.TimberError as error:
        raise StorageError(str(error)) from error
