"""Identifiers, as they are handed to everything that makes rows."""

import uuid
from collections.abc import Callable
from secrets import randbits
from threading import Lock
from typing import Final, TypeAlias

from timber.common.clock import Clock

_COUNTER_BITS: Final = 12

IdFactory: TypeAlias = Callable[[], str]
"""Returns a new identifier at each call, never the same one twice."""


def random_uuid() -> str:
    """Return a random UUID in its usual form of 36 characters."""
    return str(uuid.uuid4())


class OrderedUuids:
    """Makes UUIDs of version 7, in their usual form: each sorts after those made before it."""

    def __init__(self, *, clock: Clock, random_bits: Callable[[int], int] = randbits) -> None:
        self._clock = clock
        self._random_bits = random_bits
        self._last = 0
        self._lock = Lock()

    def __call__(self) -> str:
        """Return a new one."""
        milliseconds = int(self._clock.now().timestamp() * 1000)
        with self._lock:
            # Within a millisecond, or when the clock goes back, it counts on from the last one.
            first = (milliseconds << _COUNTER_BITS) | self._random_bits(_COUNTER_BITS - 1)
            self._last = count = max(first, self._last + 1)
        time, counter = count >> _COUNTER_BITS, count & ((1 << _COUNTER_BITS) - 1)
        value = (time << 80) | (7 << 76) | (counter << 64) | (2 << 62) | self._random_bits(62)
        return str(uuid.UUID(int=value))
