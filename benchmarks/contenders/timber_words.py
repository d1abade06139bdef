"""Timber: its search by words on SQLite, through FTS5."""

import contextlib
from collections.abc import Iterator

from benchmarks.contenders.word_data import LIMIT, OWNERS, Texts, texts_of, trial
from benchmarks.harness.stage import Stage, Trial
from sqlalchemy import Connection, insert

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.common.vector.base import Scope
from timber.common.vector.fulltext_sqlite import SqliteFullText

SOURCE = "notes"


@contextlib.contextmanager
def search(stage: Stage) -> Iterator[Trial]:
    """Search all texts."""
    with _searching(stage, of_owner=False) as ready:
        yield ready


@contextlib.contextmanager
def search_owner(stage: Stage) -> Iterator[Trial]:
    """Search those of one owner."""
    with _searching(stage, of_owner=True) as ready:
        yield ready


@contextlib.contextmanager
def _searching(stage: Stage, *, of_owner: bool) -> Iterator[Trial]:
    texts, index = texts_of(stage), SqliteFullText()
    with _filled(texts) as connection:

        def ask(place: int) -> list[int]:
            scope = Scope(SOURCE, str(place % OWNERS) if of_owner else None)
            hits = index.matching(connection, texts.queries[place], scope=scope, limit=LIMIT)
            return [hit.chunk_id - 1 for hit in hits]

        yield trial(texts, ask, of_owner=of_owner)


@contextlib.contextmanager
def _filled(texts: Texts) -> Iterator[Connection]:
    """Give a connection to the database, which the first run of a size fills."""
    path = texts.folder / "timber.db"
    is_new = not path.exists()
    settings = TimberSettings(database_url=f"sqlite:///{path}", packaged_models=False)
    with Timber().opened(settings) as timber:
        if is_new:
            _fill(timber, texts)
        with timber.database.engine.connect() as connection:
            yield connection


def _fill(timber: Timber, texts: Texts) -> None:
    source, partition, chunk = (
        timber.models.get(f"Vector{name}").__table__ for name in ("Source", "Partition", "Chunk")
    )
    with timber.database.engine.begin() as connection:
        connection.execute(insert(source).values(source_type=SOURCE))
        connection.execute(
            insert(partition),
            [
                {"partition_id": number + 1, "source_type": SOURCE, "owner": str(number)}
                for number in range(OWNERS)
            ],
        )
        rows = [
            {
                "chunk_id": number + 1,
                "partition_id": number % OWNERS + 1,
                "source_type": SOURCE,
                "source_id": str(number),
                "ordinal": 0,
                "owner": str(number % OWNERS),
                "content": content,
            }
            for number, content in enumerate(texts.texts)
        ]
        connection.execute(insert(chunk), rows)
