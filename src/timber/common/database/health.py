"""How the database does, told without raising."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, text
from sqlalchemy.pool import QueuePool

from timber.common.errors import DatabaseError, PoolExhaustedError


@dataclass(frozen=True, kw_only=True)
class PoolUse:
    """How the connections of a pool are used at one moment."""

    in_use: int
    idle: int
    limit: int | None
    """How many there can be; None where there is no limit."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """What one look at the database showed."""

    reachable: bool
    problem: str | None
    """Why it is not reachable, and what to do about it; None if it is."""
    latency_seconds: float | None
    """How long a connection and a trivial query took; None if there was no answer."""
    dialect: str
    """`sqlite` or `postgresql`."""
    version: str | None
    """The version of the server, or of the SQLite library; None while it is unknown."""
    pool: PoolUse
    pending: int
    """Transactions of async callers that wait for their turn."""


def examine(engine: Engine, *, pending: int, timer: Callable[[], float]) -> Health:
    """Ask the database something trivial, and tell how it went."""
    pool = _pool_use(engine)
    started = timer()
    problem = _problem(engine)
    version = getattr(engine.dialect, "server_version_info", None)
    return Health(
        reachable=problem is None,
        problem=problem,
        latency_seconds=None if problem else timer() - started,
        dialect=engine.dialect.name,
        version=".".join(map(str, version)) if version else None,
        pool=pool,
        pending=pending,
    )


def _problem(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except PoolExhaustedError as error:
        return f"nobody knows whether it answers: {error}"
    except DatabaseError as error:
        return str(error)
    return None


def _pool_use(engine: Engine) -> PoolUse:
    pool = engine.pool
    if not isinstance(pool, QueuePool):
        raise TypeError(f"{type(pool).__name__} is no pool of Timber's")
    in_use = pool.checkedout()
    unlimited = pool._max_overflow < 0  # noqa: SLF001 - the pool tells its limit nowhere else
    limit = None if unlimited else pool.size() + pool._max_overflow  # noqa: SLF001
    return PoolUse(in_use=in_use, idle=pool.checkedin(), limit=limit)
