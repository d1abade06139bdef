from datetime import UTC, datetime
from fractions import Fraction

from hypothesis import given, strategies as st

from puppet_engine.agents.trading import gain
from puppet_engine.solana.trades import SOL, Outlay, SignedTrade, Token, TradeReceipt

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)
BONK = Token(mint="DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", symbol="BONK", decimals=5)
WIF = Token(mint="EKpQGSJtjMFqKZ9KQanSqYXRcF8fBopzLHYxdM65zcjm", symbol="WIF", decimals=6)

amounts = st.integers(1, 10**6)


def bought(token: Token, *, lamports: int, units: int) -> SignedTrade:
    return SignedTrade(
        request_id="r",
        signature="s",
        transaction="t",
        last_valid_block_height=1,
        input=SOL,
        output=token,
        spent=lamports,
        received=units,
        outlay=Outlay(signature="s", at=NOW, lamports=lamports),
    )


def sold(token: Token, *, units: int, lamports: int) -> TradeReceipt:
    return TradeReceipt(signature="s", input=token, output=SOL, spent=units, received=lamports)


def test_a_sale_is_held_against_what_its_tokens_cost_on_average() -> None:
    trades = [bought(BONK, lamports=100, units=10), bought(BONK, lamports=300, units=10)]

    assert gain(sold(BONK, units=5, lamports=120), trades) == 20
    assert gain(sold(BONK, units=5, lamports=90), trades) == -10


def test_what_was_never_bought_is_neither_won_nor_lost() -> None:
    trades = [bought(WIF, lamports=100, units=10)]
    purchase = TradeReceipt(signature="s", input=SOL, output=WIF, spent=5, received=5)

    assert gain(sold(BONK, units=5, lamports=120), trades) == 0
    assert gain(purchase, trades) == 0


@given(amounts, amounts, amounts)
def test_to_sell_at_the_price_one_paid_brings_nothing(
    lamports: int, units: int, times: int
) -> None:
    trades = [bought(BONK, lamports=lamports, units=units)]

    assert gain(sold(BONK, units=units * times, lamports=lamports * times), trades) == Fraction(0)
