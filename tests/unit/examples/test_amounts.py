"""Numbers of shares, and prices: kept exactly, or refused."""

from decimal import Decimal

import pytest
from examples.research_desk.amounts import Amount, price_of, shares_of
from examples.research_desk.errors import InvalidAmountError


@pytest.mark.parametrize("value", [150.1, "150.1", Decimal("150.1"), Decimal("150.100000000")])
def test_a_price_is_what_was_written(value: Amount) -> None:
    assert price_of("price", value) == Decimal("150.1")


@pytest.mark.parametrize(
    "value",
    [0, -1, "-0.01", float("nan"), float("inf"), "", "many", True, "1e400", 0.00001, 10**11],
)
def test_what_is_no_price_is_refused(value: Amount) -> None:
    with pytest.raises(InvalidAmountError, match="entry_price: "):
        price_of("entry_price", value)


def test_shares_have_more_decimals_and_fewer_digits_before_them() -> None:
    assert shares_of("shares", "0.000001") == Decimal("0.000001")
    with pytest.raises(InvalidAmountError, match="too large"):
        shares_of("shares", 10**9)
