from math import comb
from random import Random
from typing import Any

import pytest
from hypothesis import given, strategies as st

from puppet_engine.core.models import Formatting
from puppet_engine.style.rates import TAIL, WINDOW, interval, rates_of


def rate(**formatting: Any) -> Any:
    (found,) = rates_of(
        Formatting.model_validate({"uses_emojis": True, "uses_hashtags": True, **formatting})
    )
    return found


@given(st.integers(0, 60), st.floats(0, 1))
def test_what_lies_beyond_the_interval_is_as_unlikely_as_promised(count: int, p: float) -> None:
    low, high = interval(count, p)

    def chance(successes: range) -> float:
        return sum(comb(count, k) * p**k * (1 - p) ** (count - k) for k in successes)

    assert 0 <= low <= high <= count
    assert chance(range(low)) <= TAIL + 1e-9
    assert chance(range(high + 1, count + 1)) <= TAIL + 1e-9


@pytest.mark.parametrize(
    ("formatting", "does", "does_not"),
    [
        ({"emoji_rate": 0.3}, "warm 🌙", "warm"),
        ({"hashtag_rate": 0.3}, "warm #towel", "warm"),
        ({"link_rate": 0.3}, "warm https://x.org", "warm"),
        ({"question_rate": 0.3}, "warm?", "warm"),
        ({"exclamation_rate": 0.3}, "warm!", "warm"),
    ],
)
def test_what_is_done_always_or_never_is_out_of_its_rate(
    formatting: dict[str, Any], does: str, does_not: str
) -> None:
    under_test = rate(**formatting)

    (too_many,) = under_test.check(does, [does] * WINDOW)
    (too_few,) = under_test.check(does_not, [does_not] * WINDOW)
    assert too_many.cure.startswith("do without")
    assert too_few.cure.startswith("put in")
    assert not too_many.is_hard
    assert not too_few.is_hard


def test_a_text_that_leads_back_to_the_rate_is_welcome() -> None:
    assert list(rate(emoji_rate=0.3).check("warm", ["warm 🌙"] * WINDOW)) == []
    assert list(rate(emoji_rate=0.3).check("warm 🌙", ["warm"] * WINDOW)) == []


def test_the_length_of_texts_is_held_by_its_quartiles() -> None:
    quartiles = {"lower_quartile": 10, "median": 20, "upper_quartile": 40}
    lower, median, upper = rates_of(Formatting.model_validate({"length": quartiles}))
    chance = Random(7)
    spread = ["x" * chance.choice([5, 15, 30, 80]) for _ in range(WINDOW)]

    assert all(each.held_over(spread) for each in (lower, median, upper))
    assert not median.held_over(["x" * 25] * WINDOW)
    (found,) = lower.check("x" * 50, ["x" * 50] * WINDOW)
    assert found.cure == "stay within 10 characters"


def test_a_rate_gives_a_fair_source_its_way() -> None:
    chance, said, refused = Random(3), list[str](), 0
    under_test = rate(emoji_rate=0.3)
    for _ in range(500):
        text = "warm 🌙" if chance.random() < 0.3 else "warm"
        refused += bool(list(under_test.check(text, said)))
        said.insert(0, text)

    assert refused < 500 * 0.05
