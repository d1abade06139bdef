# ruff: noqa: S101 - these are tests
"""The promises of Timber's ports, as tests that every implementation can run.

Derive a test class from a contract, and give it the fixture that the contract asks for.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

import pytest

from timber.common.caching.base import SharedCache
from timber.common.clock import Clock
from timber.common.ids import IdFactory
from timber.testing.keystore_contract import KeystoreContract, MasterKeysContract

__all__ = [
    "ClockContract",
    "IdFactoryContract",
    "KeystoreContract",
    "MasterKeysContract",
    "SharedCacheContract",
]

LONGEST_ID: Final = 36
"""How long an id may be: model files keep ids in `String(36)`."""


class ClockContract:
    """What every `Clock` promises. Implementers override the fixture `clock`."""

    @pytest.fixture
    def clock(self) -> Clock:
        """Return the clock under test."""
        raise NotImplementedError("override the fixture `clock` to return your clock")

    def test_the_time_is_aware_and_in_utc(self, clock: Clock) -> None:
        offset = clock.now().utcoffset()

        assert offset == timedelta(0), f"not UTC: {clock.now()!r}"

    def test_a_later_reading_is_not_an_earlier_moment(self, clock: Clock) -> None:
        readings = [clock.now() for _ in range(100)]

        assert readings == sorted(readings)

    def test_the_clock_can_be_read_by_several_threads(self, clock: Clock) -> None:
        with ThreadPoolExecutor(max_workers=4) as pool:
            readings = list(pool.map(lambda _: clock.now(), range(100)))

        assert all(reading.utcoffset() == timedelta(0) for reading in readings)


class IdFactoryContract:
    """What every `IdFactory` promises. Implementers override the fixture `new_id`."""

    @pytest.fixture
    def new_id(self) -> IdFactory:
        """Return the factory under test."""
        raise NotImplementedError("override the fixture `new_id` to return your factory")

    def test_an_id_is_text_that_fits_a_key(self, new_id: IdFactory) -> None:
        made = new_id()

        assert isinstance(made, str)
        assert 0 < len(made) <= LONGEST_ID, f"ids are kept in String({LONGEST_ID}): {made!r}"

    def test_no_id_comes_twice(self, new_id: IdFactory) -> None:
        made = [new_id() for _ in range(1000)]

        assert len(set(made)) == len(made)

    def test_no_id_comes_twice_to_several_threads(self, new_id: IdFactory) -> None:
        with ThreadPoolExecutor(max_workers=4) as pool:
            made = list(pool.map(lambda _: new_id(), range(1000)))

        assert len(set(made)) == len(made)


class SharedCacheContract:
    """What every `SharedCache` promises. Implementers override the fixture `shared_cache`."""

    FENCES: Final = ("one", "two", "three")

    @pytest.fixture
    def shared_cache(self) -> SharedCache:
        """Return the cache under test, empty, and ready to store."""
        raise NotImplementedError("override the fixture `shared_cache` to return your cache")

    def _store(
        self, cache: SharedCache, value: bytes, *, tokens: Sequence[bytes], deciding: int = 3
    ) -> bool:
        return cache.store(self.FENCES, tokens, "key", value, deciding=deciding, ttl_seconds=60)

    def test_what_is_stored_is_told(self, shared_cache: SharedCache) -> None:
        look = shared_cache.look(self.FENCES, "key")

        stored = self._store(shared_cache, b"\x00 1\n\xff", tokens=look.tokens)

        assert look.value is None
        assert look.may_load
        assert stored
        told = shared_cache.look(self.FENCES, "key")
        assert told.value == b"\x00 1\n\xff"
        assert told.tokens == look.tokens
        assert 0 < told.left_seconds <= 60  # noqa: PLR2004 - as stored
        assert shared_cache.look(self.FENCES, "other key").value is None

    def test_a_write_takes_it_back(self, shared_cache: SharedCache) -> None:
        tokens = shared_cache.look(self.FENCES, "key").tokens
        self._store(shared_cache, b"old", tokens=tokens)

        shared_cache.begin(["two"], "writer")
        during = shared_cache.look(self.FENCES, "key")
        shared_cache.end(["two"], "writer")
        after = shared_cache.look(self.FENCES, "key")

        assert during.pending
        assert during.value is None
        assert not after.pending
        assert after.value is None
        assert [a == b for a, b in zip(tokens, after.tokens, strict=True)] == [True, False, True]

    def test_nothing_is_stored_while_a_write_is_pending(self, shared_cache: SharedCache) -> None:
        shared_cache.begin(["one"], "writer")
        look = shared_cache.look(self.FENCES, "key")

        assert not self._store(shared_cache, b"old", tokens=look.tokens)

    def test_each_writer_keeps_others_waiting(self, shared_cache: SharedCache) -> None:
        shared_cache.begin(["one"], "first")
        shared_cache.begin(["one"], "second")

        shared_cache.end(["one"], "first")
        between = shared_cache.look(self.FENCES, "key")
        shared_cache.end(["one"], "second")

        assert between.pending
        assert not shared_cache.look(self.FENCES, "key").pending

    @pytest.mark.parametrize("ended", [False, True])
    def test_what_was_read_before_a_write_is_not_stored(
        self, shared_cache: SharedCache, *, ended: bool
    ) -> None:
        tokens = shared_cache.look(self.FENCES, "key").tokens
        shared_cache.begin(["three"], "writer")
        if ended:
            shared_cache.end(["three"], "writer")

        stored = self._store(shared_cache, b"old", tokens=tokens)

        assert not stored
        assert shared_cache.look(self.FENCES, "key").value is None

    def test_only_deciding_fences_take_it_back(self, shared_cache: SharedCache) -> None:
        tokens = shared_cache.look(self.FENCES, "key").tokens
        self._store(shared_cache, b"value", tokens=tokens, deciding=2)

        shared_cache.begin(["three"], "writer")
        shared_cache.end(["three"], "writer")

        assert shared_cache.look(self.FENCES, "key").value == b"value"

    def test_values_go_when_it_is_cleared(self, shared_cache: SharedCache) -> None:
        tokens = shared_cache.look(self.FENCES, "key").tokens
        self._store(shared_cache, b"value", tokens=tokens)

        shared_cache.clear()

        assert shared_cache.look(self.FENCES, "key").value is None

    def test_nobody_takes_what_he_knew_before_for_current(self, shared_cache: SharedCache) -> None:
        tokens = shared_cache.look(self.FENCES, "key").tokens

        shared_cache.clear()

        after = shared_cache.look(self.FENCES, "key").tokens
        assert not any(a == b for a, b in zip(tokens, after, strict=True))
        assert not self._store(shared_cache, b"old", tokens=tokens)
