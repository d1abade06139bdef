"""Reads rows of models through the cache, for a session."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from timber.common.caching import codec
from timber.common.caching.fencing import FencedCache, Question
from timber.common.caching.gate import is_isolated, written
from timber.common.caching.local import Key
from timber.common.caching.shapes import Raw, Shape, Shapes, exact_key

BYPASSED: Final = object()
"""Returned where the session must ask the database by itself."""
USUAL: Final = "READ COMMITTED"
"""At other levels a transaction reads what was committed before it began."""


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

        `connection` is the one that the session's transaction has, if it has one yet.
        """
        shape = self.shapes.get(model)
        if shape is None:
            return BYPASSED
        values = ident if type(ident) is tuple else (ident,)
        key = exact_key(shape.key_columns, values) if shape.is_exact else hashable(values)
        if key is None or shape.mapper.identity_key_from_primary_key(key) in session.identity_map:
            return BYPASSED
        if not self.may_serve(session, connection):
            self.cache.statistics.bypassed += 1
            return BYPASSED
        raw = self._raw(session, shape, key)
        return None if raw is None else (shape, raw)

    def may_serve(self, session: Session, connection: Connection | None) -> bool:
        """Tell whether the session may be told what others have committed a moment ago."""
        if session.bind is not self._engine or session.new or session.deleted or session.dirty:
            return False
        if connection is None or connection.closed:
            return self._is_sqlite or self.dialect.default_isolation_level == USUAL
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

    def _raw(self, session: Session, shape: Shape, key: Key) -> Raw | None:
        place = (shape, key)
        entry = self.cache.lookup(place)
        if entry is not None:
            found: Raw | None = entry.value
            return found
        question = Question(
            key=place,
            name=f"{shape.name}|{codec.dumps(key).decode()}",
            fences=shape.fences_of(key),
            absence=(shape.fences.new,),
            ttl_seconds=shape.ttl_seconds,
        )
        value: Raw | None = self.cache.read(
            question,
            lambda: self.through(session, lambda connection: shape.fetch(connection, key)),
            codec,
        )
        return value


def hashable(values: tuple[Any, ...]) -> Key | None:
    """Return values of any kind as a key; None if they cannot be one."""
    try:
        hash(values)
    except TypeError:
        return None
    return values
