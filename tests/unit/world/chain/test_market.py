from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from puppet_engine.core.clock import VirtualClock
from puppet_engine.world.chain.market import PICO, Listing, Market

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SOL = Listing("sol", "SOL", 9, 150 * PICO, 50_000_000)
CAPY = Listing("capy", "CAPY", 6, PICO // 20, 2_000_000)


def market_at(minutes: int, *, seed: int = 7) -> Market:
    clock = VirtualClock(NOON)
    market = Market([SOL, CAPY], clock=clock, seed=seed)
    clock.advance(timedelta(minutes=minutes))
    return market


def test_prices_depend_on_seed_and_time_and_not_on_who_looked_before() -> None:
    clock = VirtualClock(NOON)
    watched = Market([SOL, CAPY], clock=clock, seed=7)
    for _ in range(300):
        clock.advance(timedelta(minutes=1))
        watched.price("capy")

    assert watched.price("capy") == market_at(300).price("capy")
    assert watched.price("capy") != market_at(300, seed=8).price("capy")
    assert watched.price("capy") != market_at(0).price("capy")


def test_a_change_is_told_against_the_day_before() -> None:
    market = market_at(3 * 24 * 60)
    before = market_at(2 * 24 * 60).price("capy")

    change = market.price_change_24h("capy")

    assert change == pytest.approx((market.price("capy") / before - 1) * 100)
    assert market_at(0).price_change_24h("capy") == 0


@given(amount=st.integers(1, 10**13), minutes=st.integers(0, 2_000))
def test_going_there_and_back_never_wins(amount: int, minutes: int) -> None:
    market = market_at(minutes)

    there = market.quote("sol", "capy", amount)
    back = market.quote("capy", "sol", there.received)

    assert back.received < amount


@given(small=st.integers(1, 10**12), more=st.integers(1, 10**12))
def test_a_larger_trade_gets_more_at_a_worse_price(small: int, more: int) -> None:
    market = market_at(0)

    one, other = (market.quote("sol", "capy", amount) for amount in (small, small + more))

    assert one.received <= other.received
    assert one.impact < other.impact
