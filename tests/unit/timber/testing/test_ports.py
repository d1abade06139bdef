"""Our own implementations of the ports keep the contracts that are offered to others."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from typing_extensions import override

from timber.common.clock import Clock, SystemClock
from timber.common.ids import IdFactory, random_uuid
from timber.testing.clock import FrozenClock
from timber.testing.contracts import ClockContract, IdFactoryContract


class TestClocks(ClockContract):
    @pytest.fixture(params=[SystemClock, FrozenClock])
    @override
    def clock(self, request: pytest.FixtureRequest) -> Clock:
        made: Clock = request.param()
        return made


class TestRandomUuid(IdFactoryContract):
    @pytest.fixture
    @override
    def new_id(self) -> IdFactory:
        return random_uuid


def test_a_frozen_clock_moves_only_when_it_is_told_to() -> None:
    clock = FrozenClock(datetime(2030, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))))

    assert clock.now() == clock.now() == datetime(2030, 1, 1, 10, tzinfo=UTC)
    assert clock.advance(90) == datetime(2030, 1, 1, 10, 1, 30, tzinfo=UTC)
    clock.move_to(datetime(2029, 1, 1, tzinfo=UTC))
    assert clock.now() == datetime(2029, 1, 1, tzinfo=UTC)


def test_a_frozen_clock_takes_no_moment_without_a_time_zone() -> None:
    with pytest.raises(ValueError, match="tzinfo=UTC"):
        FrozenClock(datetime(2030, 1, 1))  # noqa: DTZ001 - the mistake in question
