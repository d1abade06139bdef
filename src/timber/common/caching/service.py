"""The cache of one Timber: what it does, and what it has done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, MetaData, inspect

from timber.common.caching.base import SharedCache
from timber.common.caching.changes import Changes
from timber.common.caching.epochs import TABLE, Epochs
from timber.common.caching.fencing import FencedCache, Sharing
from timber.common.caching.gate import WriteGate
from timber.common.caching.local import TableFences
from timber.common.caching.queries import CachedQueries
from timber.common.caching.redis import RedisCache
from timber.common.caching.rows import CachedRows
from timber.common.caching.shapes import Shape
from timber.common.caching.statistics import CacheStatistics
from timber.common.errors import (
    ConfigurationError,
    NotCachedError,
    NotOpenError,
    SharedCacheUnavailableError,
)


@dataclass(frozen=True)
class SessionCache:
    """What sessions read through."""

    rows: CachedRows
    queries: CachedQueries


@dataclass(frozen=True, kw_only=True)
class CachedModel:
    """A model with a cache."""

    name: str
    table: str
    ttl_seconds: float
    """How long a row is known at most."""


@dataclass(frozen=True, kw_only=True)
class RedisStatus:
    """How it stands with the cache that processes share."""

    answers: bool
    problem: str | None
    """Why it does not."""
    bound_seconds: float
    """How long the write of another process may stay unseen."""
    untold_writes: int
    """How many transactions have told the database only, since there is one."""


@dataclass(frozen=True, kw_only=True)
class CacheStatus:
    """What is cached, and where."""

    models: tuple[CachedModel, ...]
    redis: RedisStatus | None
    """None: each process has a cache of its own."""


class CacheService:
    """What is cached of a Timber's models; stable, and filled while the Timber is open."""

    def __init__(self) -> None:
        self._cache: FencedCache | None = None
        self._shapes: Mapping[type[Any], Shape] = {}
        self._epochs: Epochs | None = None
        self._sharing: Sharing | None = None

    def open(
        self,
        *,
        models: Iterable[type[Any]],
        metadata: MetaData,
        engine: Engine,
        redis_url: str | None,
        size: int,
        bound_seconds: float,
    ) -> SessionCache | None:
        """Have the engine's writes pass, and return what reads rows; None if none are cached.

        Raises:
            ConfigurationError: `redis_url` cannot be used.

        """
        self._shapes = {
            model: Shape(
                model,
                fences=TableFences(model.__table__.name),
                ttl_seconds=model.__timber__.caching.ttl_seconds,
                dialect=engine.dialect,
            )
            for model in models
            if model.__timber__.caching is not None and model.__timber__.caching.enabled
        }
        if self._shapes and redis_url is not None:
            self._sharing = self._shared(redis_url, engine, bound_seconds)
        self._cache = FencedCache(size=size, sharing=self._sharing)
        if not self._shapes:
            return None
        WriteGate(
            changes=Changes(metadata),
            shapes=self._shapes.values(),
            cache=self._cache,
            count_epoch=self._epochs.count if self._epochs else _nobody_to_miss_it,
        ).install(engine)
        rows = CachedRows(shapes=self._shapes, cache=self._cache, engine=engine)
        return SessionCache(rows=rows, queries=CachedQueries(rows))

    def close(self) -> None:
        """Forget everything that this process knows."""
        if self._cache is not None:
            self._cache.close()
            self._cache = None
        if self._epochs is not None:
            self._epochs.close()
            self._epochs = None
        self._sharing = None
        self._shapes = {}

    def status(self) -> CacheStatus:
        """Return what is cached, and whether Redis answers.

        Raises:
            NotOpenError: the Timber is not open.

        """
        self._opened()
        models = (
            CachedModel(name=model.__name__, table=shape.table.name, ttl_seconds=shape.ttl_seconds)
            for model, shape in self._shapes.items()
        )
        return CacheStatus(
            models=tuple(sorted(models, key=lambda one: one.name)),
            redis=None if self._sharing is None else _status_of(self._sharing),
        )

    def statistics(self) -> CacheStatistics:
        """Return what the cache has done so far in this process.

        Raises:
            NotOpenError: the Timber is not open.

        """
        return replace(self._opened().statistics)

    def forget(self, model: type[Any]) -> None:
        """Have everything about a model read from the database again, by all processes.

        For changes that are made past Timber: by other programs, or by the database's triggers.

        Raises:
            NotOpenError: the Timber is not open.
            NotCachedError: the model has no cache.
            SharedCacheUnavailableError: other processes may still be told the old.

        """
        cache = self._opened()
        if model not in self._shapes:
            raise NotCachedError(f"{getattr(model, '__name__', model)!r} has no cache")
        fences = self._shapes[model].fences
        cache.forget((fences.any, fences.every))

    def clear(self) -> None:
        """Forget every value, here and in Redis; for after a backup was restored.

        Raises:
            NotOpenError: the Timber is not open.
            SharedCacheUnavailableError: Redis has forgotten nothing.

        """
        self._opened().clear()

    def _opened(self) -> FencedCache:
        if self._cache is None:
            raise NotOpenError
        return self._cache

    def _shared(self, redis_url: str, engine: Engine, bound_seconds: float) -> Sharing:
        if not inspect(engine).has_table(TABLE):
            raise ConfigurationError(
                f"redis_url: the table {TABLE!r} is missing: load the packaged models, "
                "and create or migrate the tables"
            )
        epochs = Epochs(engine=engine, max_age_seconds=bound_seconds / 2)
        shared: SharedCache = RedisCache(redis_url, namespace=epochs.identity())
        self._epochs = epochs
        return Sharing(
            cache=shared,
            epoch=epochs.current,
            forget_epoch=epochs.forget,
            bound_seconds=bound_seconds,
        )


def _status_of(sharing: Sharing) -> RedisStatus:
    sharing.forget_epoch()
    untold = int(sharing.epoch())
    problem = None
    try:
        sharing.cache.look((), "status")
    except SharedCacheUnavailableError as error:
        problem = str(error)
    return RedisStatus(
        answers=problem is None,
        problem=problem,
        bound_seconds=sharing.bound_seconds,
        untold_writes=untold,
    )


def _nobody_to_miss_it(_dbapi_connection: Any) -> None:
    """Do nothing: without a shared cache there is none that could not be told."""
