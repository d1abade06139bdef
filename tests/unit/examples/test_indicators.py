"""Indicators against values that were worked out by hand, and what holds for any prices."""

from decimal import Decimal
from math import sqrt
from statistics import stdev

import numpy as np
import pytest
from examples.research_desk.analysis.indicators import (
    NEEDED,
    drawdowns,
    macd_lines,
    measure,
    relative_strength,
)
from examples.research_desk.analysis.scoring import (
    BUY_FROM,
    CRITERIA,
    SELL_TO,
    recommendation_of,
)
from examples.research_desk.errors import TooLittleHistoryError
from hypothesis import given, strategies as st

PRICES = st.lists(
    st.decimals(min_value="0.01", max_value="100000", places=2),
    min_size=NEEDED,
    max_size=130,
)


def decimals(prices: list[float]) -> list[Decimal]:
    return [Decimal(str(price)) for price in prices]


def test_rsi_is_wilders() -> None:
    # Fourteen changes of +2 and -1 in turn: mean gain 1, mean loss 0.5.
    prices = np.array([100.0] + [100.0 + step // 2 + step % 2 * 2 for step in range(1, 16)])

    strength = relative_strength(prices)

    assert np.isnan(strength[:14]).all()
    assert strength[14] == pytest.approx(100 - 100 / (1 + 1 / 0.5))
    # The next is +2: gains (13 * 1 + 2) / 14, losses (13 * 0.5 + 0) / 14.
    assert strength[15] == pytest.approx(100 - 100 / (1 + 15 / 6.5))


def test_rsi_is_100_where_all_rose_and_0_where_all_fell_and_between_where_nothing_moved() -> None:
    rising = np.arange(1.0, 40.0)

    assert relative_strength(rising)[-1] == 100
    assert relative_strength(rising[::-1].copy())[-1] == 0
    assert relative_strength(np.full(40, 7.0))[-1] == 50


def test_macd_of_a_straight_line_is_the_lag_between_its_means() -> None:
    # The exponential mean of n months lags (n - 1) / 2 months behind a line: 12.5 - 5.5.
    macd, signal, histogram = macd_lines(np.arange(100.0, 160.0))

    assert macd[-1] == pytest.approx(7)
    assert signal[-1] == pytest.approx(7)
    assert histogram[-1] == pytest.approx(0)


def test_a_drawdown_is_how_far_the_price_is_below_its_highest() -> None:
    fallen = drawdowns(np.array([100.0, 120.0, 60.0, 90.0, 150.0]))

    assert fallen == pytest.approx([0, 0, -0.5, -0.25, 0])


def test_returns_are_parts_of_the_price_before() -> None:
    found = measure(decimals([100.0] * 27 + [80.0] * 11 + [100.0, 120.0]))

    assert found.month_return == pytest.approx(0.2)
    assert found.year_return == pytest.approx(0.5)  # from 80 to 120
    assert found.max_drawdown == pytest.approx(-0.2)
    assert found.drawdown == 0


def test_volatility_is_that_of_months_made_yearly() -> None:
    returns = [0.1, -0.05] * 30
    prices = [100.0]
    for one in returns:
        prices.append(prices[-1] * (1 + one))

    found = measure(decimals(prices))

    # Five years are sixty prices, between which are fifty-nine returns.
    assert found.yearly_volatility == pytest.approx(stdev(returns[-59:]) * sqrt(12), abs=1e-6)


def test_falls_and_volatility_look_back_five_years() -> None:
    crash = [1000.0, 100.0]

    found = measure(decimals(crash + [100.0] * 60))

    assert found.max_drawdown == 0
    assert found.yearly_volatility == 0


def test_too_few_prices_are_told_with_how_many_are_needed() -> None:
    measure(decimals([1.0] * NEEDED))
    with pytest.raises(TooLittleHistoryError, match=r"35 monthly .* need 36"):
        measure(decimals([1.0] * (NEEDED - 1)))


@given(PRICES)
def test_every_history_has_a_score_that_is_the_sum_of_its_components(
    prices: list[Decimal],
) -> None:
    components = [criterion.judge(measure(prices)) for criterion in CRITERIA]

    assert all(0 <= component["value"] <= 1 for component in components)
    for component in components:
        assert component["contribution"] == pytest.approx(
            component["weight"] * component["value"], abs=1e-6
        )
    assert 0 <= sum(component["contribution"] for component in components) <= 1


@given(PRICES)
def test_the_currency_does_not_matter(prices: list[Decimal]) -> None:
    # Twice the price is exact in floats, too.
    assert measure([price * 2 for price in prices]) == measure(prices)


def test_the_weights_are_one_together() -> None:
    assert sum(criterion.weight for criterion in CRITERIA) == pytest.approx(1)


@pytest.mark.parametrize(
    ("score", "expected"),
    [(0.0, "sell"), (SELL_TO, "sell"), (0.41, "hold"), (BUY_FROM, "buy"), (1.0, "buy")],
)
def test_a_score_is_bought_from_one_end_and_sold_to_the_other(score: float, expected: str) -> None:
    assert recommendation_of(score) == expected
