"""A shared cache that keeps what it promises in a dictionary, for the tests of its users."""

import itertools
from collections.abc import Sequence

from typing_extensions import override

from timber.common.caching.base import Look, SharedCache


class MemoryCache(SharedCache):
    """A shared cache of one process; writers are never taken for dead."""

    def __init__(self) -> None:
        self._tokens: dict[str, bytes] = {}
        self._writers: dict[str, set[str]] = {}
        self._values: dict[str, tuple[tuple[bytes, ...], bytes]] = {}
        self._numbers = itertools.count()

    @override
    def look(self, fences: Sequence[str], key: str) -> Look:
        tokens = tuple(self._token(fence) for fence in fences)
        head, value = self._values.get(key, ((), b""))
        pending = self._pending(fences)
        is_current = key in self._values and tokens[: len(head)] == head and not pending
        return Look(
            tokens=tokens,
            pending=pending,
            value=value if is_current else None,
            left_seconds=60,
            may_load=True,
        )

    @override
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
        current = tuple(self._token(fence) for fence in fences)
        if self._pending(fences) or current != tuple(tokens):
            return False
        self._values[key] = (current[:deciding], value)
        return True

    @override
    def begin(self, fences: Sequence[str], writer: str) -> None:
        for fence in fences:
            self._change(fence)
            self._writers.setdefault(fence, set()).add(writer)

    @override
    def end(self, fences: Sequence[str], writer: str) -> None:
        for fence in fences:
            self._change(fence)
            self._writers.setdefault(fence, set()).discard(writer)

    @override
    def clear(self) -> None:
        self._values.clear()
        self._tokens.clear()

    @override
    def close(self) -> None:
        """Do nothing."""

    def _token(self, fence: str) -> bytes:
        if fence not in self._tokens:
            self._change(fence)
        return self._tokens[fence]

    def _change(self, fence: str) -> None:
        self._tokens[fence] = str(next(self._numbers)).encode()

    def _pending(self, fences: Sequence[str]) -> bool:
        return any(self._writers.get(fence) for fence in fences)
