"""The law of the inspection: whatever the bytes, no more than was asked can leave the wallet."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st
from solders.keypair import Keypair
from solders.transaction_metadata import SimulatedTransactionInfo

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import SuspectOrderError
from puppet_engine.solana.inspection import decode_transaction, inspect_transaction
from puppet_engine.solana.trades import SOL_MINT, TradeIntent
from puppet_engine.world.chain.maker import unsigned
from puppet_engine.world.chain.router import Chain

LAMPORTS = 50_000_000


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain(clock=VirtualClock(datetime(2026, 5, 4, 12, tzinfo=UTC)), seed=7)


@given(data=st.data())
def test_an_order_with_any_bytes_changed_takes_no_more_than_was_asked(
    chain: Chain, data: st.DataObject
) -> None:
    wallet = Keypair()
    chain.ledger.airdrop(wallet.pubkey(), 10**9)
    mint = chain.maker.mints["CAPY"]
    offer = chain.maker.offer(chain.market.quote(SOL_MINT, mint, LAMPORTS), wallet.pubkey())
    wire = bytearray(bytes(unsigned(offer)))
    for _ in range(data.draw(st.integers(1, 3))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    intent = TradeIntent(input_mint=SOL_MINT, output_mint=mint, amount=LAMPORTS)

    try:
        changed = decode_transaction(base64.b64encode(wire).decode())
        terms = inspect_transaction(changed, intent, wallet.pubkey())
    except SuspectOrderError:
        return

    outcome = chain.ledger.simulate(changed)
    assert terms.paid == LAMPORTS
    if isinstance(outcome, SimulatedTransactionInfo):
        left = dict(outcome.post_accounts())[wallet.pubkey()].lamports
        assert left + LAMPORTS + 2 * chain.ledger.rent(165) + outcome.meta().fee() >= 10**9
