"""Reads the answers to queries through the cache, for a session."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from cachebox import LRUCache
from sqlalchemy import Connection, Executable, Result, Select, Table
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.orm.util import LoaderCriteriaOption
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import TextClause

from timber.common.caching import codec
from timber.common.caching.driver_values import type_names
from timber.common.caching.fencing import Question
from timber.common.caching.local import Fence
from timber.common.caching.rows import CachedRows
from timber.common.caching.shapes import CachedRow, Shape
from timber.common.errors import NotCachedError

CACHED: Final = "cached"
"""The execution option by which a query asks for the cache."""
MOST_PLANS: Final = 1_000
"""How many different queries are remembered, apart from their parameters."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is known of a query, whatever its parameters."""

    shape: Shape
    fences: tuple[Fence, ...]
    sql: str


@dataclass(frozen=True)
class Answers:
    """Writes the rows that answer a query, for other processes."""

    shape: Shape

    def dumps(self, rows: list[CachedRow]) -> bytes:
        types = rows[0].raw[0] if rows else ()
        return codec.dumps((types, [row.raw[1] for row in rows]))

    def loads(self, written: bytes) -> list[CachedRow]:
        types, rows = codec.loads(written)
        return [self.shape.row((tuple(types), tuple(row))) for row in rows]


class CachedQueries:
    """The answers to queries about cached models."""

    def __init__(self, rows: CachedRows) -> None:
        self._rows = rows
        self._shapes = {shape.table.key: shape for shape in rows.shapes.values()}
        self._plans: LRUCache[Any, Plan] = LRUCache(MOST_PLANS)

    def answer(self, state: ORMExecuteState, connection: Connection | None) -> Result[Any] | None:
        """Return the answer to a query; None if the session must ask the database by itself.

        Raises:
            NotCachedError: answers to such a query cannot be cached.

        """
        statement: Any = state.statement
        cache_key = statement._generate_cache_key()  # noqa: SLF001 - what SQLAlchemy's own cache asks
        if cache_key is None:
            raise NotCachedError("the query holds something that SQLAlchemy cannot compare")
        plan = self._plans.get(cache_key.key)
        if plan is None:
            plan = self._plans[cache_key.key] = self._planned(statement)
        cache = self._rows.cache
        if not self._rows.may_serve(state.session, connection):
            cache.statistics.bypassed += 1
            return None
        given = (
            [bind.effective_value for bind in cache_key.bindparams],
            dict(sorted(_one(state.parameters).items())),
        )
        found = self._found(state, plan, statement, _written(given))
        rows = [(row.within(state.session),) for row in found]
        return IteratorResult(SimpleResultMetaData([plan.shape.model.__name__]), iter(rows))

    def _found(self, state: ORMExecuteState, plan: Plan, statement: Any, given: bytes) -> Any:
        cache = self._rows.cache
        place = (plan.sql, given)
        entry = cache.lookup(place)
        if entry is not None:
            return entry.value
        digest = hashlib.sha256(plan.sql.encode() + b"\n" + given).hexdigest()
        raw = statement.with_only_columns(*plan.shape.raw_attributes(), maintain_column_froms=True)

        def fetch(connection: Connection) -> Any:
            result = connection.execute(raw, _one(state.parameters))
            types = type_names(result)
            return [plan.shape.row((types, tuple(row))) for row in result]

        question = Question(
            key=place,
            name=f"{plan.shape.name}|query|{digest}",
            fences=plan.fences,
            ttl_seconds=plan.shape.ttl_seconds,
        )
        answers = Answers(plan.shape)
        return cache.read(question, lambda: self._rows.through(state.session, fetch), answers)

    def _planned(self, statement: Executable) -> Plan:
        if not isinstance(statement, Select) or statement._for_update_arg is not None:  # noqa: SLF001 - nothing public tells
            raise NotCachedError("only a `select` that locks nothing can be cached")
        described = statement.column_descriptions
        shape = self._rows.shapes.get(described[0]["expr"]) if len(described) == 1 else None
        if shape is None:
            raise NotCachedError("a cached query selects one model, and the model has a cache")
        options: Any = statement._with_options  # noqa: SLF001 - nothing public tells
        if not all(isinstance(option, LoaderCriteriaOption) for option in options):
            raise NotCachedError("a cached query takes no options of loading")
        fences = []
        for table in sorted(set(_tables(statement)), key=str):
            read = self._shapes.get(table)
            if read is None:
                raise NotCachedError(f"the query reads {table!r}, whose model has no cache")
            fences.append(read.fences.any)
        sql = str(statement.compile(dialect=self._rows.dialect))
        return Plan(shape=shape, fences=tuple(fences), sql=sql)


def _tables(statement: Any) -> Iterator[str]:
    """Give the key of every table that the query reads."""
    for part in visitors.iterate(statement):
        if isinstance(part, TextClause):
            raise NotCachedError("a cached query is written without `text`")
        if isinstance(part, Table):
            yield part.key
        if isinstance(part, Select):
            for source in part.get_final_froms():
                yield from (one.key for one in visitors.iterate(source) if isinstance(one, Table))


def _one(parameters: Any) -> dict[str, Any]:
    if isinstance(parameters, list):
        raise NotCachedError("a cached query takes one set of parameters")
    return dict(parameters or {})


def _written(given: Any) -> bytes:
    try:
        return codec.dumps(given)
    except TypeError as error:
        raise NotCachedError(f"a parameter of a cached query: {error}") from error
