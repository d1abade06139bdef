import pytest

from puppet_engine.core.errors import SuspectOrderError
from puppet_engine.solana.balances import Balances, outlay_between
from puppet_engine.solana.inspection import Terms
from puppet_engine.solana.trades import SOL_MINT, TradeIntent

CAPY = "C8AjYMibPYEoeJVk5pVuMPxrGtnTE6r6WjXAhBegW7D1"
BUYING = TradeIntent(input_mint=SOL_MINT, output_mint=CAPY, amount=1_000)
SELLING = TradeIntent(input_mint=CAPY, output_mint=SOL_MINT, amount=70)
BEFORE = Balances(lamports=5_000, tokens={CAPY: 100})


def outlay(intent: TradeIntent, terms: Terms, *, lamports: int, tokens: int) -> int:
    after = Balances(lamports=lamports, tokens={CAPY: tokens})
    return outlay_between(BEFORE, after, intent=intent, terms=terms, max_fee_lamports=50)


def test_a_purchase_counts_with_its_fee_and_a_sale_with_what_it_brings() -> None:
    assert outlay(BUYING, Terms(1_000, 70), lamports=3_970, tokens=170) == 1_030
    assert outlay(SELLING, Terms(70, 1_000), lamports=5_970, tokens=30) == 1_000


@pytest.mark.parametrize("tokens", [100, 169, 171])
def test_a_purchase_that_does_not_bring_exactly_its_tokens_is_refused(tokens: int) -> None:
    with pytest.raises(SuspectOrderError, match="tokens held"):
        outlay(BUYING, Terms(1_000, 70), lamports=3_970, tokens=tokens)


@pytest.mark.parametrize("tokens", [0, 29, 31, 100])
def test_a_sale_that_does_not_take_exactly_its_tokens_is_refused(tokens: int) -> None:
    with pytest.raises(SuspectOrderError, match="tokens held"):
        outlay(SELLING, Terms(70, 1_000), lamports=5_970, tokens=tokens)


@pytest.mark.parametrize("lamports", [3_949, 4_001, 0])
def test_lamports_that_neither_price_nor_fee_explains_are_refused(lamports: int) -> None:
    with pytest.raises(SuspectOrderError, match="in fees"):
        outlay(BUYING, Terms(1_000, 70), lamports=lamports, tokens=170)
