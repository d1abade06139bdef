import asyncio
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from puppet_engine.core.clock import PacedClock, SystemClock, VirtualClock

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def test_a_virtual_clock_without_a_factor_waits_for_nothing() -> None:
    clock = VirtualClock(START)

    await clock.wait_until(START + 1000 * HOUR)

    assert clock.now() == START + 1000 * HOUR


async def test_virtual_time_stands_still_while_something_is_in_flight() -> None:
    clock = VirtualClock(START)
    with clock.in_flight():
        waiting = asyncio.ensure_future(clock.wait_until(START + HOUR))
        await asyncio.sleep(0.01)

        assert clock.now() == START
        assert not waiting.done()

    await waiting
    assert clock.now() == START + HOUR


@pytest.mark.parametrize("factor", [math.inf, 1e9])
async def test_a_clock_set_past_the_end_of_a_wait_is_not_taken_back(factor: float) -> None:
    clock = VirtualClock(START, factor=factor)
    with clock.in_flight():
        waiting = asyncio.ensure_future(clock.wait_until(START + HOUR))
        await asyncio.sleep(0.01)
        clock.set(START + 2 * HOUR)

    await waiting

    assert clock.now() == START + 2 * HOUR


async def test_time_does_not_pass_between_one_piece_of_work_and_the_next() -> None:
    clock = VirtualClock(START)
    with clock.in_flight():
        waiting = asyncio.ensure_future(clock.wait_until(START + HOUR))
        await asyncio.sleep(0.01)

    with clock.in_flight():
        await asyncio.sleep(0.01)
        assert clock.now() == START

    await waiting


async def test_time_between_waits_costs_no_virtual_time() -> None:
    clock = VirtualClock(START, factor=1e9)

    await asyncio.sleep(0.01)

    assert clock.now() == START


async def test_a_wait_takes_as_much_real_time_as_the_factor_says() -> None:
    clock = VirtualClock(START, factor=36_000)
    began = asyncio.get_running_loop().time()

    await clock.wait_until(START + HOUR)

    assert asyncio.get_running_loop().time() - began >= 0.099
    assert clock.now() == START + HOUR


async def test_work_that_begins_during_a_wait_stops_the_time() -> None:
    clock = VirtualClock(START, factor=36_000)
    waiting = asyncio.ensure_future(clock.wait_until(START + HOUR))
    await asyncio.sleep(0.02)

    with clock.in_flight():
        stopped_at = clock.now()
        await asyncio.sleep(0.06)

        assert clock.now() == stopped_at
        assert START < stopped_at < START + HOUR
    await waiting


async def test_a_changed_factor_takes_effect_during_a_wait() -> None:
    clock = VirtualClock(START, factor=1)
    waiting = asyncio.ensure_future(clock.wait_until(START + HOUR))
    await asyncio.sleep(0.01)

    clock.factor = math.inf

    await asyncio.wait_for(waiting, timeout=2)
    assert clock.now() == START + HOUR


@pytest.mark.parametrize("factor", [0, -1, math.nan])
def test_a_clock_that_cannot_run_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="give more than 0"):
        VirtualClock(START, factor=factor)


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=400)), max_size=20))
def test_virtual_time_never_runs_backwards(waits: list[timedelta]) -> None:
    clock = VirtualClock(START)

    async def wait_for_all() -> list[datetime]:
        moments = []
        for wait in waits:
            await clock.wait_until(START + wait)
            moments.append(clock.now())
        return moments

    moments = asyncio.run(wait_for_all())
    assert moments == sorted(moments)


async def test_the_system_clock_is_aware_and_waits_in_real_time() -> None:
    clock = SystemClock()
    due = clock.now() + timedelta(milliseconds=20)

    await clock.wait_until(due)

    assert clock.now() >= due
    assert clock.now().tzinfo is UTC


def test_paced_clocks_with_one_beginning_have_one_time() -> None:
    wall = VirtualClock(START)
    one, other = PacedClock(wall, pace=60), PacedClock(wall, pace=60)
    wall.advance(timedelta(seconds=1))
    other.begin_at(*one.beginning)

    wall.advance(timedelta(seconds=2))

    assert one.now() == other.now() == START + timedelta(minutes=3)


async def test_a_wait_on_a_paced_clock_takes_a_share_of_it_on_the_wall() -> None:
    wall = VirtualClock(START)
    clock = PacedClock(wall, pace=60)
    due = START + timedelta(hours=1)
    assert clock.real_time_until(due) == timedelta(minutes=1)

    await clock.wait_until(due)

    assert wall.now() == START + timedelta(minutes=1)
    assert clock.now() == due
    assert clock.real_time_until(START) == timedelta(0)


def test_time_that_does_not_pass_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        PacedClock(SystemClock(), pace=0)
