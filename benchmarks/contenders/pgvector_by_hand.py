"""pgvector by hand: SQL as its documentation has it, over a table made for it."""

import contextlib
from collections.abc import Callable, Iterator

from benchmarks.contenders.pgvector_data import is_tenth, is_thousandth, queries, trial, written
from benchmarks.contenders.vector_data import LIMIT, OWNERS
from benchmarks.harness.stage import Stage, Trial
from sqlalchemy import create_engine, make_url, text

_NEAREST = "ORDER BY embedding <=> CAST(:vector AS vector) LIMIT :limit"
_EXACT = "ORDER BY (embedding <=> CAST(:vector AS vector)) + 0 LIMIT :limit"
BREADTH = 100
"""What Timber sets `hnsw.ef_search` to; pgvector's default is 40."""
_OWNER = "WHERE owner = :owner"
_TOPIC = "WHERE about @> jsonb_build_object('topic', CAST(:owner AS integer))"
_THOUSANDTH = "WHERE about @> jsonb_build_object('thousandth', CAST(:owner AS integer))"
_TENTH = "WHERE about @> jsonb_build_object('tenth', mod(CAST(:owner AS integer), 10))"


@contextlib.contextmanager
def search(stage: Stage) -> Iterator[Trial]:
    """Search all vectors, along the index."""
    with _searching(stage, _NEAREST, lambda _: "true") as ready:
        yield ready


@contextlib.contextmanager
def search_as_broadly(stage: Stage) -> Iterator[Trial]:
    """Search all vectors, along the index, as broadly as Timber does."""
    with _searching(stage, _NEAREST, lambda _: "true", breadth=BREADTH) as ready:
        yield ready


@contextlib.contextmanager
def search_owner(stage: Stage) -> Iterator[Trial]:
    """Compare with those of one owner."""
    with _searching(stage, f"{_OWNER} {_EXACT}", _is_owners) as ready:
        yield ready


@contextlib.contextmanager
def search_topic(stage: Stage) -> Iterator[Trial]:
    """Compare with those of one topic."""
    with _searching(stage, f"{_TOPIC} {_EXACT}", _is_owners) as ready:
        yield ready


@contextlib.contextmanager
def search_owner_as_planned(stage: Stage) -> Iterator[Trial]:
    """Search those of one owner as the planner likes."""
    with _searching(stage, f"{_OWNER} {_NEAREST}", _is_owners) as ready:
        yield ready


@contextlib.contextmanager
def search_topic_as_planned(stage: Stage) -> Iterator[Trial]:
    """Search those of one topic as the planner likes."""
    with _searching(stage, f"{_TOPIC} {_NEAREST}", _is_owners) as ready:
        yield ready


@contextlib.contextmanager
def search_thousandth(stage: Stage) -> Iterator[Trial]:
    """Compare with one in a thousand."""
    with _searching(stage, f"{_THOUSANDTH} {_EXACT}", is_thousandth) as ready:
        yield ready


@contextlib.contextmanager
def search_thousandth_as_planned(stage: Stage) -> Iterator[Trial]:
    """Search one in a thousand as the planner likes."""
    with _searching(stage, f"{_THOUSANDTH} {_NEAREST}", is_thousandth) as ready:
        yield ready


@contextlib.contextmanager
def search_tenth(stage: Stage) -> Iterator[Trial]:
    """Compare with one in ten."""
    with _searching(stage, f"{_TENTH} {_EXACT}", is_tenth) as ready:
        yield ready


@contextlib.contextmanager
def search_tenth_as_planned(stage: Stage) -> Iterator[Trial]:
    """Search one in ten as the planner likes."""
    with _searching(stage, f"{_TENTH} {_NEAREST}", is_tenth) as ready:
        yield ready


def _is_owners(place: int) -> str:
    return f"owner = {place % OWNERS}"


@contextlib.contextmanager
def _searching(
    stage: Stage, rest: str, where: Callable[[int], str], *, breadth: int | None = None
) -> Iterator[Trial]:
    asked = queries()
    engine = create_engine(make_url(stage.database_url).set(drivername="postgresql+psycopg"))
    statement = text(f"SELECT id, 1 - (embedding <=> CAST(:vector AS vector)) FROM by_hand {rest}")
    takes_owner = ":owner" in rest
    with engine.connect() as connection:
        if breadth is not None:
            connection.execute(text(f"SET hnsw.ef_search = {breadth}"))
            connection.execute(text("SET hnsw.iterative_scan = strict_order"))
            connection.commit()

        def ask(place: int) -> list[int]:
            given = {"vector": written(asked[place]), "limit": LIMIT}
            if takes_owner:
                given["owner"] = place % OWNERS
            return [number for number, _ in connection.execute(statement, given)]

        yield trial(connection, ask, where)
    engine.dispose()
