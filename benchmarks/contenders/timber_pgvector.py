"""Timber: its search by vectors on PostgreSQL."""

import contextlib
from collections.abc import Callable, Iterator

from benchmarks.contenders.pgvector_data import SOURCE, is_tenth, is_thousandth, queries, trial
from benchmarks.contenders.vector_data import LIMIT, OWNERS
from benchmarks.harness.stage import Stage, Trial

from timber.common.database.engine import opened_engine
from timber.common.vector.base import Scope
from timber.common.vector.pgvector_index import PgvectorIndex


@contextlib.contextmanager
def search(stage: Stage) -> Iterator[Trial]:
    """Search all vectors, along the index."""
    with _searching(stage, lambda _: Scope(SOURCE), lambda _: "true") as ready:
        yield ready


@contextlib.contextmanager
def search_owner(stage: Stage) -> Iterator[Trial]:
    """Search those of one owner, one in a hundred."""

    def scope(place: int) -> Scope:
        return Scope(SOURCE, owner=str(place % OWNERS))

    with _searching(stage, scope, lambda place: f"owner = {place % OWNERS}") as ready:
        yield ready


@contextlib.contextmanager
def search_topic(stage: Stage) -> Iterator[Trial]:
    """Search those with one topic in their metadata, one in a hundred."""

    def scope(place: int) -> Scope:
        return Scope(SOURCE, filters={"topic": place % OWNERS})

    with _searching(stage, scope, lambda place: f"owner = {place % OWNERS}") as ready:
        yield ready


@contextlib.contextmanager
def search_thousandth(stage: Stage) -> Iterator[Trial]:
    """Search one in a thousand, by its metadata."""

    def scope(place: int) -> Scope:
        return Scope(SOURCE, filters={"thousandth": place % OWNERS})

    with _searching(stage, scope, is_thousandth) as ready:
        yield ready


@contextlib.contextmanager
def search_tenth(stage: Stage) -> Iterator[Trial]:
    """Search one in ten, by its metadata."""

    def scope(place: int) -> Scope:
        return Scope(SOURCE, filters={"tenth": place % 10})

    with _searching(stage, scope, is_tenth) as ready:
        yield ready


@contextlib.contextmanager
def _searching(
    stage: Stage, scope: Callable[[int], Scope], where: Callable[[int], str]
) -> Iterator[Trial]:
    asked = queries()
    index = PgvectorIndex(exact_up_to=1000)
    with opened_engine(stage.database_url) as engine, engine.connect() as connection:

        def ask(place: int) -> list[int]:
            found = index.nearest(connection, asked[place], scope=scope(place), limit=LIMIT)
            return [hit.chunk_id for hit in found]

        yield trial(connection, ask, where)
