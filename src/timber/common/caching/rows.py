"""Reads rows of models through the cache, for a session."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from timber.common.caching import codec
from timber.common.caching.fencing import FencedCache, Question
from timber.common.caching.gate import is_isolated, written
from timber.common.caching.local import Key
from timber.common.caching.shapes import CachedRow, Shape, Shapes
from timber.common.modeling.mixins import INCLUDE_DELETED

BYPASSED: Final = object()
"""Returned where the session must ask the database by itself."""
USUAL: Final = "READ COMMITTED"
"""At other levels a transaction reads what was committed before it began."""
Run: TypeAlias = Callable[[Callable[[Session], Any]], Any]
"""Does something in a transaction, and returns what it returns."""


class CachedRows:
    """The cached models of one Timber, as its sessions read them."""

    def __init__(self, *, shapes: Shapes, cache: FencedCache, engine: Engine) -> None:
        self.shapes = shapes
        self.cache = cache
        self._engine = engine
        self.dialect = engine.dialect
        self._is_sqlite = engine.dialect.name == "sqlite"

    def get(self, session: Session, model: Any, ident: Any, connection: Connection | None) -> Any:
        """Return the row with that primary key, None if there is none, or BYPASSED.

        One that is softly deleted is none, unless the session shows the deleted.
        `connection` is the one that the session's transaction has, if it has one yet.
        """
        shape = self.shapes.get(model)
        if shape is None:
            return BYPASSED
        key = shape.key_of(ident)
        if key is None or shape.identity_of(key) in session.identity_map:
            return BYPASSED
        if not self.may_serve(session, connection):
            self.cache.statistics.bypassed += 1
            return BYPASSED
        entry = self.cache.lookup((shape, key))
        if entry is None:
            row = self._read(shape, key, lambda fetch: self.through(session, fetch))
        else:
            row = entry.value
        if row is None or (row.is_deleted and not session.info.get(INCLUDE_DELETED)):
            return None
        return row.added_to(session) if shape.is_exact else row.within(session)

    def known(self, model: Any, ident: Any) -> Any:
        """Return a row of no session, None if there is none, or BYPASSED if one must be asked."""
        shape = self.shapes.get(model)
        if shape is None or shape.eager:
            return BYPASSED
        key = shape.key_of(ident)
        entry = None if key is None else self.cache.lookup((shape, key))
        if entry is None:
            return BYPASSED
        row = entry.value
        return None if row is None or row.is_deleted else row.detached()

    def read(self, model: Any, ident: Any, run: Run) -> Any:
        """Return a row of no session, None if there is none, or BYPASSED.

        `run` does something in a transaction of its own; it is called if nobody knows the row.
        """
        shape = self.shapes.get(model)
        if shape is None or shape.eager or not self._sees_the_latest():
            return BYPASSED
        key = shape.key_of(ident)
        if key is None:
            return BYPASSED
        row = self._read(
            shape, key, lambda fetch: run(lambda session: self.through(session, fetch))
        )
        return None if row is None or row.is_deleted else row.detached()

    def may_serve(self, session: Session, connection: Connection | None) -> bool:
        """Tell whether the session may be told what others have committed a moment ago."""
        if session.bind is not self._engine or not session._is_clean():  # noqa: SLF001 - nothing public tells as fast
            return False
        if connection is None or connection.closed:
            return self._sees_the_latest()
        if written(connection) is not None or is_isolated(connection):
            return False
        if self._is_sqlite:
            driver: Any = connection.connection.driver_connection
            return not driver.in_transaction
        level = connection.get_execution_options().get("isolation_level")
        return (level or connection.default_isolation_level) == USUAL

    def through(self, session: Session, fetch: Callable[[Connection], Any]) -> Any:
        """Return what `fetch` reads on a connection that sees all that is committed by now."""
        if not self._is_sqlite:
            # At READ COMMITTED each statement sees all that was committed before it.
            return fetch(session.connection())
        # A session's own connection sees no more than when its first open cursor began.
        with self._engine.connect() as connection:
            return fetch(connection)

    def _sees_the_latest(self) -> bool:
        """Tell whether a transaction that begins now sees what is committed while it lasts."""
        return self._is_sqlite or self.dialect.default_isolation_level == USUAL

    def _read(
        self, shape: Shape, key: Key, through: Callable[[Callable[[Connection], Any]], Any]
    ) -> CachedRow | None:
        question = Question(
            key=(shape, key),
            name=f"{shape.name}|{codec.dumps(key).decode()}",
            fences=shape.fences_of(key),
            absence=(shape.fences.new,),
            ttl_seconds=shape.ttl_seconds,
        )
        row: CachedRow | None = self.cache.read(
            question, lambda: through(lambda connection: shape.fetch(connection, key)), shape
        )
        return row
