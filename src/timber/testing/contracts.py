# ruff: noqa: S101 - these are tests
"""The promises of Timber's ports, as tests that every implementation can run.

Derive a test class from a contract, and give it the fixture that the contract asks for.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

import pytest

from timber.common.clock import Clock
from timber.common.ids import IdFactory

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
