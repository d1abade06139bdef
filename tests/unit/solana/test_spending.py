import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from puppet_engine.core.errors import LimitExceededError
from puppet_engine.solana.market import Holding, MarketView, Price, worth
from puppet_engine.solana.spending import (
    DAY,
    SpendingLimits,
    check_outlay,
    check_quote,
    tokens_of,
)
from puppet_engine.solana.strategy import choose_trade
from puppet_engine.solana.trades import SOL, SOL_MINT, Outlay, Token, TradeIntent, TradeReceipt

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
CAPY = Token(mint="C8AjYMibPYEoeJVk5pVuMPxrGtnTE6r6WjXAhBegW7D1", symbol="CAPY", decimals=6)
OTHER = "5PGjstzFdNHgVYTuN9KkKhFyz6XxC98oqjHR2aouZavh"
LIMITS = SpendingLimits(
    tokens=(CAPY,), max_lamports_per_trade=100_000_000, max_lamports_per_day=250_000_000
)


@given(
    wishes=st.lists(st.tuples(st.integers(0, 200_000_000), st.integers(0, 40 * 3600)), max_size=40)
)
def test_no_sequence_of_wishes_exceeds_the_limit_of_a_trade_or_of_any_day(
    wishes: list[tuple[int, int]],
) -> None:
    history: list[Outlay] = []
    now = NOON
    for number, (lamports, pause) in enumerate(wishes):
        now += timedelta(seconds=pause)
        try:
            check_outlay(lamports, LIMITS, history, now)
        except LimitExceededError:
            continue
        history.append(Outlay(signature=str(number), at=now, lamports=lamports))

    for last in history:
        day = [each.lamports for each in history if last.at - DAY < each.at <= last.at]
        assert max(day) <= LIMITS.max_lamports_per_trade
        assert sum(day) <= LIMITS.max_lamports_per_day


def test_an_outlay_dated_in_the_future_counts_so_a_clock_set_back_frees_nothing() -> None:
    later = Outlay(signature="s", at=NOON + timedelta(hours=30), lamports=250_000_000)

    with pytest.raises(LimitExceededError, match="24 hours"):
        check_outlay(1, LIMITS, [later], NOON)


@given(st.integers(1, 2**64 - 1))
def test_by_default_nothing_may_be_spent(lamports: int) -> None:
    with pytest.raises(LimitExceededError):
        check_outlay(lamports, SpendingLimits(), [], NOON)


@pytest.mark.parametrize(
    ("source", "target"),
    [(SOL_MINT, OTHER), (OTHER, SOL_MINT), (CAPY.mint, CAPY.mint), (SOL_MINT, SOL_MINT)],
)
def test_only_sol_and_a_listed_token_are_traded(source: str, target: str) -> None:
    with pytest.raises(LimitExceededError):
        tokens_of(TradeIntent(input_mint=source, output_mint=target, amount=1), LIMITS)


@pytest.mark.parametrize("amount", [0, -1, 2**64, 0.5, "much"])
def test_an_amount_is_a_positive_number_of_base_units(amount: object) -> None:
    with pytest.raises(ValidationError):
        TradeIntent.model_validate(
            {"input_mint": SOL_MINT, "output_mint": CAPY.mint, "amount": amount}
        )


@given(
    quoted=st.integers(1, 10**12), threshold=st.integers(1, 10**12), fair=st.integers(1, 10**12)
)
def test_no_offer_passes_that_may_bring_two_per_cent_less_than_is_fair(
    quoted: int, threshold: int, fair: int
) -> None:
    try:
        check_quote(LIMITS, quoted=quoted, threshold=threshold, fair=fair, impact=Decimal(0))
    except LimitExceededError:
        return

    assert threshold + 1 >= fair * 0.99 * 0.995


@given(
    lamports=st.integers(0, 10**12),
    tokens=st.integers(0, 10**15),
    change=st.decimals(-90, 900, places=2),
    usd=st.decimals("0.000001", 1000, places=6),
    spent=st.integers(0, 400_000_000),
    seed=st.integers(),
)
def test_whatever_the_market_a_choice_is_affordable_and_within_the_limits(
    lamports: int, tokens: int, change: Decimal, usd: Decimal, spent: int, seed: int
) -> None:
    sol = Holding(token=SOL, price=Price(usd=Decimal(150)), amount=lamports)
    holding = Holding(token=CAPY, price=Price(usd=usd, change_24h_percent=change), amount=tokens)
    market = MarketView(seen_at=NOON, sol=sol, tokens=(holding,))
    history = [Outlay(signature="s", at=NOON, lamports=spent)]

    intent = choose_trade(market, LIMITS, history, random.Random(seed))

    if intent is None:
        return
    if intent.input_mint == SOL_MINT:
        assert intent.amount + LIMITS.max_fee_lamports <= lamports
        check_outlay(intent.amount + LIMITS.max_fee_lamports, LIMITS, history, NOON)
    else:
        assert intent.amount <= tokens
        value = worth(intent.amount, CAPY, holding.price, SOL, sol.price)
        check_outlay(value, LIMITS, history, NOON)


def test_what_has_risen_is_sold_and_what_has_fallen_is_bought() -> None:
    sol = Holding(token=SOL, price=Price(usd=Decimal(150)), amount=10**10)

    def choice(change: int) -> TradeIntent:
        price = Price(usd=Decimal("0.05"), change_24h_percent=Decimal(change))
        held = Holding(token=CAPY, price=price, amount=10**9)
        market = MarketView(seen_at=NOON, sol=sol, tokens=(held,))
        intent = choose_trade(market, LIMITS, [], random.Random(1))
        assert intent is not None
        return intent

    assert choice(+5).input_mint == CAPY.mint
    assert choice(-5).input_mint == SOL_MINT
    assert choice(-5) == choice(-5)


def test_nothing_is_chosen_where_nothing_is_allowed() -> None:
    sol = Holding(token=SOL, price=Price(usd=Decimal(150)), amount=10**10)
    market = MarketView(seen_at=NOON, sol=sol)

    assert choose_trade(market, SpendingLimits(), [], random.Random(1)) is None


def test_a_receipt_is_told_in_whole_tokens() -> None:
    receipt = TradeReceipt(
        signature="s", input=CAPY, output=SOL, spent=1_000_000_000, received=50_000_000
    )

    assert receipt.describe() == "Made a trade: sold 1000 CAPY for 0.05 SOL."
