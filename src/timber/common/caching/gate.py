"""Where every write of an engine passes, whatever it was written with."""

import itertools
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine, Table, TextClause, event

from timber.common.caching.changes import Change, Changes
from timber.common.caching.fencing import FencedCache, Write
from timber.common.caching.local import Fence
from timber.common.caching.shapes import Shape, exact_key

GATE: Final = "timber_write_gate"
"""The execution option under which a connection finds the gate."""
_WRITE: Final = "timber_write"
_ISOLATED: Final = "timber_isolated"
MOST_KEYS: Final = 64
"""How many rows a statement may change one by one; more are the whole table."""


class WriteGate:
    """Notes what each transaction changes, and marks it in the cache around the commit."""

    def __init__(
        self,
        *,
        changes: Changes,
        shapes: Iterable[Shape],
        cache: FencedCache,
        count_epoch: Callable[[Any], None],
    ) -> None:
        self._changes = changes
        self._shapes: Mapping[str, Shape] = {shape.table.key: shape for shape in shapes}
        self._cache = cache
        self._count_epoch = count_epoch
        self._writers = map(f"{uuid.uuid4().hex}-{{:x}}".format, itertools.count(1))

    def install(self, engine: Engine) -> None:
        """Have everything that the engine does pass here."""
        engine.update_execution_options(**{GATE: self})
        # Events of the dialect: those of the engine make every connection slower.
        for name in ("do_execute", "do_executemany"):
            event.listen(engine, name, self._before_execute)
        event.listen(
            engine,
            "do_execute_no_params",
            lambda cursor, statement, context: self._before_execute(
                cursor, statement, None, context
            ),
        )
        self._wrap(engine.dialect)

    def _wrap(self, dialect: Any) -> None:
        """Have the dialect, which is the engine's own, say how transactions end."""
        commit, rollback = dialect.do_commit, dialect.do_rollback
        prepare = dialect.do_prepare_twophase

        def do_prepare_twophase(connection: Connection, xid: Any) -> None:
            if (write := written(connection)) is not None:
                write.may_stay = True  # somebody else may commit it
                self._begin(write, connection)
            prepare(connection, xid)

        dialect.do_commit = partial(self._commit, commit)
        dialect.do_rollback = partial(self._rollback, commit, rollback)
        dialect.do_prepare_twophase = do_prepare_twophase

    def _commit(self, commit: Callable[[Any], None], connection: Any) -> None:
        write = _taken(connection)
        if write is None:
            commit(connection)
            return
        with self._cache.writing(write, when_missed=partial(self._count_epoch, connection)):
            commit(connection)

    def _rollback(
        self, commit: Callable[[Any], None], rollback: Callable[[Any], None], connection: Any
    ) -> None:
        write = _taken(connection)
        if write is None:
            rollback(connection)
            return
        try:
            rollback(connection)
            if write.may_stay:
                missed = partial(self._count_epoch, connection)
                with self._cache.writing(write, when_missed=missed):
                    commit(connection)  # of the count alone, if there is one
        finally:
            self._cache.end(write)

    def passes(self, connection: Connection, changes: Iterable[Change], rows: Any = ()) -> None:
        """Note what is about to be changed by the connection."""
        fences: set[Fence] = set()
        may_stay = _commits_by_itself(connection)
        for change in changes:
            may_stay |= not change.is_certain
            fences.update(self._fences(change, rows))
        if not fences:
            return
        write = connection.info.get(_WRITE)
        if write is None:
            write = connection.info[_WRITE] = Write(writer=next(self._writers))
        write.fences |= fences
        if may_stay:
            write.may_stay = True
            self._begin(write, connection)

    def _begin(self, write: Write, connection: Connection) -> None:
        self._cache.begin(write, when_missed=lambda: self._count_epoch(connection.connection))

    def _before_execute(
        self, _cursor: Any, statement: str, _parameters: Any, context: Any
    ) -> None:
        if context is None:
            return
        if context.compiled is not None:
            changes = self._changes.of_compiled(context.compiled)
            by_hand = isinstance(context.compiled.statement, TextClause)
        else:
            changes = self._changes.of_text(statement)
            by_hand = True
        if by_hand and self._changes.isolates(statement):
            context.root_connection.info[_ISOLATED] = True
        if changes:
            self.passes(
                context.root_connection,
                changes,
                context.compiled_parameters if context.compiled else (),
            )

    def _fences(self, change: Change, rows: Any) -> Iterable[Fence]:
        if change.table is None:
            for one in self._shapes.values():
                yield from (one.fences.any, one.fences.every)
            return
        shape = self._shapes.get(change.table)
        if shape is None:
            return
        yield shape.fences.any
        keys = self._keys(shape, change, rows)
        if keys is not None:
            yield from keys
        elif change.adds and shape.is_exact:
            yield shape.fences.new
        else:
            yield shape.fences.every

    @staticmethod
    def _keys(shape: Shape, change: Change, rows: Any) -> set[Fence] | None:
        if change.keys is None or not shape.is_exact or not 0 < len(rows) <= MOST_KEYS:
            return None
        found: set[Fence] = set()
        for row in rows:
            values = tuple(row.get(name) for name in change.keys)
            key = exact_key(shape.key_columns, values)
            if key is None:
                return None
            found.add(shape.fences.slot(key))
        return found


def note_insert(connection: Connection, table: Table) -> None:
    """Note that rows are about to be added past SQLAlchemy, on the driver's own cursor."""
    gate: WriteGate | None = connection.get_execution_options().get(GATE)
    if gate is not None:
        gate.passes(connection, (Change(table.key, adds=True),))


def written(connection: Connection) -> Write | None:
    """Return what the connection's transaction has changed so far; None if nothing."""
    return cast("Write | None", connection.info.get(_WRITE))


def is_isolated(connection: Connection) -> bool:
    """Tell whether a statement written by hand has set what the connection may see."""
    return _ISOLATED in connection.info


def _taken(dbapi_connection: Any) -> Write | None:
    info = getattr(dbapi_connection, "info", None)
    found: Write | None = info.pop(_WRITE, None) if isinstance(info, dict) else None
    return found


def _commits_by_itself(connection: Connection) -> bool:
    """Tell whether the driver keeps every statement at once."""
    driver: Any = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        return driver.isolation_level is None
    return bool(getattr(driver, "autocommit", False))
