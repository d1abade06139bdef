"""A shared cache in Redis.

Everything lies under the id of the server's present run. A server that has been started again,
empty or from an old snapshot, or another that has taken its place, has another id: what it
remembers of before is told to nobody. In its first seconds it stores nothing, for somebody may
be committing who told the run before.
"""

import itertools
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from timber.common.caching.base import Look
from timber.common.caching.breaker import CircuitBreaker
from timber.common.caching.redis_connections import Part, RedisConnections
from timber.common.caching.redis_scripts import BEGIN, END, LOOK, STORE, Script
from timber.common.errors import SharedCacheUnavailableError

_log: Final = logging.getLogger(__name__)

_LEASE_MS: Final = 60
"""For how long one reader keeps others from reading the same."""


@dataclass(frozen=True, kw_only=True)
class RedisTimes:
    """How long things may take."""

    timeout_seconds: float = 0.1
    """How long an answer is waited for."""
    cool_down_seconds: float = 1.0
    """For how long a server that has not answered is not asked again."""
    mark_seconds: float = 3.0
    """How long a writer may take from its mark to its end before it is taken for dead."""
    warm_up_seconds: float = 3.0
    """For how long a server that has just been started stores nothing."""


USUAL_TIMES: Final = RedisTimes()


class RedisCache:
    """Values of one database in one Redis server, from version 6 on."""

    def __init__(
        self,
        url: str,
        *,
        namespace: str,
        times: RedisTimes = USUAL_TIMES,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._namespace = namespace
        self._mark_ms = round(times.mark_seconds * 1000)
        self._warm_up_ms = round(times.warm_up_seconds * 1000)
        self._connections = RedisConnections(url, timeout_seconds=times.timeout_seconds)
        self._breaker = CircuitBreaker(cool_down_seconds=times.cool_down_seconds, timer=timer)
        self._tokens = map(f"{uuid.uuid4().hex[:12]}-{{:x}}".format, itertools.count(1))

    def look(self, fences: Sequence[str], key: str) -> Look:
        """Tell the tokens of the fences, and what is stored at the key under them."""
        arguments = (next(self._tokens), self._warm_up_ms, _LEASE_MS)
        answer = self._run(LOOK, fences, key, arguments)
        head, _, value = answer.partition(b"\n")
        pending, may_load, is_known, left_ms, *tokens = head.split(b" ")
        return Look(
            tokens=tuple(tokens),
            pending=pending == b"1",
            value=value if is_known == b"1" else None,
            left_seconds=int(left_ms) / 1000,
            may_load=may_load == b"1",
        )

    def store(
        self,
        fences: Sequence[str],
        tokens: Sequence[bytes],
        key: str,
        value: bytes,
        *,
        deciding: int,
        ttl_seconds: float,
    ) -> bool:
        """Store the value, unless a token has changed or a write is pending; tell whether."""
        ttl_ms = max(1, round(ttl_seconds * 1000))
        arguments: list[Part] = [value, deciding, ttl_ms, self._warm_up_ms, *tokens]
        return bool(self._run(STORE, fences, key, arguments))

    def begin(self, fences: Sequence[str], writer: str) -> None:
        """Change the tokens, and let nothing be stored until the writer ends, or is dead."""
        self._run(BEGIN, fences, "", (next(self._tokens), self._mark_ms, writer))

    def end(self, fences: Sequence[str], writer: str) -> None:
        """Change the tokens again, and forget that the writer is at work."""
        self._run(END, fences, "", (next(self._tokens), writer))

    def clear(self) -> None:
        """Forget every value of this database."""
        self._run(END, ["generation"], "", (next(self._tokens), ""))

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def _run(
        self, script: Script, fences: Sequence[str], key: str, arguments: Sequence[Part]
    ) -> Any:
        """Run a script on a server whose run is known.

        Raises:
            SharedCacheUnavailableError: it did not answer in time.

        """
        if not self._breaker.allows():
            raise SharedCacheUnavailableError("Redis did not answer a moment ago")
        try:
            answer = self._connections.run(
                script, lambda run_id: self._keys(run_id, fences, key), arguments
            )
        except self._connections.failures as error:
            self._breaker.failed()
            _log.warning("Redis does not answer, rows come from the database: %s", error)
            raise SharedCacheUnavailableError(f"Redis: {type(error).__name__}") from error
        self._breaker.succeeded()
        return answer

    def _keys(self, run_id: str, fences: Sequence[str], key: str) -> list[str]:
        prefix = f"timber:{{{self._namespace}:{run_id}}}:"
        keys = [f"{prefix}born", f"{prefix}v:{key}", f"{prefix}l:{key}"]
        for fence in (*fences, "generation"):
            keys += (f"{prefix}t:{fence}", f"{prefix}w:{fence}")
        return keys
