import asyncio
import random
from datetime import timedelta

import pytest
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from typing_extensions import override

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import (
    ChainUnavailableError,
    LimitExceededError,
    TradeError,
    TradingDisabledError,
)
from puppet_engine.solana.jupiter import Execution, JupiterClient, Order
from puppet_engine.solana.spending import DAY, SpendingLimits
from puppet_engine.solana.trader import Trader
from puppet_engine.solana.trades import (
    SOL_MINT,
    NotLanded,
    Outlay,
    SignedTrade,
    Token,
    TradeIntent,
    TradeReceipt,
)
from puppet_engine.solana.wallet import LAMPORTS_PER_SOL, SolanaWallet
from puppet_engine.world.chain.ledger import BLOCKHASH_LIFE, SLOT
from puppet_engine.world.chain.router import Chain


def buying(token: Token, lamports: int) -> TradeIntent:
    return TradeIntent(input_mint=SOL_MINT, output_mint=token.mint, amount=lamports)


def selling(token: Token, amount: int) -> TradeIntent:
    return TradeIntent(input_mint=token.mint, output_mint=SOL_MINT, amount=amount)


async def holdings(trader: Trader) -> tuple[int, int]:
    view = await trader.look()
    return view.sol.amount, view.tokens[0].amount


async def test_a_purchase_changes_both_balances_to_the_unit(
    trader: Trader, capy: Token, chain: Chain
) -> None:
    quote = chain.market.quote(SOL_MINT, capy.mint, 50_000_000)

    signed = await trader.prepare(buying(capy, 50_000_000), history=[])
    receipt = await trader.submit(signed)

    assert receipt.received == quote.received
    assert await holdings(trader) == (
        10 * LAMPORTS_PER_SOL - signed.outlay.lamports,
        quote.received,
    )


async def test_a_sale_brings_what_was_quoted_less_the_fee(trader: Trader, capy: Token) -> None:
    bought = await trader.submit(await trader.prepare(buying(capy, 50_000_000), history=[]))
    lamports, tokens = await holdings(trader)

    receipt = await trader.submit(await trader.prepare(selling(capy, bought.received), history=[]))

    after, left = await holdings(trader)
    assert (tokens, left) == (bought.received, 0)
    assert 0 < lamports + receipt.received - after < 20_000


async def test_a_trade_tells_what_it_was(trader: Trader, capy: Token) -> None:
    receipt = await trader.submit(await trader.prepare(buying(capy, 50_000_000), history=[]))

    sentence = receipt.describe()

    assert sentence.startswith("Made a trade: sold 0.05 SOL for 14")
    assert sentence.endswith(" CAPY.")


async def test_submitting_the_same_bytes_again_does_nothing_twice(
    trader: Trader, capy: Token
) -> None:
    signed = await trader.prepare(buying(capy, 50_000_000), history=[])
    first = await trader.submit(signed)
    after_one = await holdings(trader)

    again = await trader.submit(SignedTrade.model_validate_json(signed.model_dump_json()))

    assert again == first
    assert await holdings(trader) == after_one


async def test_a_reply_lost_after_landing_is_found_by_the_signature(
    trader: Trader, wallet: SolanaWallet, capy: Token, url: str
) -> None:
    jupiter = DeafJupiter(url)
    deaf = Trader(wallet=wallet, jupiter=jupiter, limits=trader._limits, clock=trader._clock)
    signed = await deaf.prepare(buying(capy, 50_000_000), history=[])
    before = await trader.reconcile(signed)

    with pytest.raises(ChainUnavailableError):
        await deaf.submit(signed)
    after = await trader.reconcile(signed)
    await deaf.aclose()

    assert before == NotLanded(signature=signed.signature, expired=False)
    assert isinstance(after, TradeReceipt)
    assert (await holdings(trader))[1] == after.received


async def test_a_trade_never_sent_expires_and_can_never_land_after_it(
    trader: Trader, capy: Token, clock: VirtualClock
) -> None:
    signed = await trader.prepare(buying(capy, 50_000_000), history=[])
    clock.advance(timedelta(minutes=2))

    outcome = await trader.reconcile(signed)

    assert outcome == NotLanded(signature=signed.signature, expired=True)
    with pytest.raises(TradeError, match="expired"):
        await trader.submit(signed)
    assert (await holdings(trader))[1] == 0


async def test_until_its_last_block_a_trade_is_not_given_up(
    trader: Trader, capy: Token, clock: VirtualClock
) -> None:
    signed = await trader.prepare(buying(capy, 50_000_000), history=[])
    clock.advance(BLOCKHASH_LIFE * SLOT)

    outcome = await trader.reconcile(signed)
    receipt = await trader.submit(signed)

    assert outcome == NotLanded(signature=signed.signature, expired=False)
    assert (await holdings(trader))[1] == receipt.received


async def test_a_trade_that_lands_and_fails_is_a_failure(
    trader: Trader, wallet: SolanaWallet, capy: Token, chain: Chain
) -> None:
    first = await trader.prepare(buying(capy, 900_000_000), history=[])
    signed = await trader.prepare(buying(capy, 50_000_000), history=[])
    spend_all_but(chain, wallet, 10_000_000)

    with pytest.raises(TradeError, match="failed on the chain"):
        await trader.submit(signed)

    assert (await holdings(trader))[1] == 0
    assert first.signature != signed.signature


async def test_the_same_transaction_is_not_signed_for_two_trades(
    trader: Trader, wallet: SolanaWallet, capy: Token, url: str
) -> None:
    jupiter = RepetitiveJupiter(url)
    offered_twice = Trader(
        wallet=wallet, jupiter=jupiter, limits=trader._limits, clock=trader._clock
    )
    await offered_twice.prepare(buying(capy, 50_000_000), history=[])

    with pytest.raises(TradeError, match="signed already"):
        await offered_twice.prepare(buying(capy, 50_000_000), history=[])
    await jupiter.aclose()


async def test_more_than_a_trade_may_cost_is_refused(trader: Trader, capy: Token) -> None:
    with pytest.raises(LimitExceededError, match="of one trade"):
        await trader.prepare(buying(capy, LAMPORTS_PER_SOL + 1), history=[])


async def test_fees_count_against_the_limit_of_a_trade(trader: Trader, capy: Token) -> None:
    with pytest.raises(LimitExceededError, match="of one trade"):
        await trader.prepare(buying(capy, LAMPORTS_PER_SOL), history=[])


async def test_a_day_ends_when_its_lamports_are_spent(
    trader: Trader, capy: Token, clock: VirtualClock
) -> None:
    for _ in range(3):
        await trader.submit(await trader.prepare(buying(capy, 950_000_000), history=[]))

    with pytest.raises(LimitExceededError, match="24 hours"):
        await trader.prepare(buying(capy, 950_000_000), history=[])
    clock.advance(timedelta(days=1))

    await trader.prepare(buying(capy, 950_000_000), history=[])


async def test_a_restart_does_not_begin_a_new_day(
    trader: Trader, wallet: SolanaWallet, jupiter: JupiterClient, capy: Token
) -> None:
    history = [
        (await trader.prepare(buying(capy, 950_000_000), history=[])).outlay for _ in range(3)
    ]
    restarted = Trader(wallet=wallet, jupiter=jupiter, limits=trader._limits, clock=trader._clock)

    with pytest.raises(LimitExceededError, match="24 hours"):
        await restarted.prepare(buying(capy, 950_000_000), history=history)


async def test_trades_prepared_at_once_share_one_day(trader: Trader, capy: Token) -> None:
    attempts = await asyncio.gather(
        *(trader.prepare(buying(capy, 950_000_000), history=[]) for _ in range(6)),
        return_exceptions=True,
    )

    assert sum(isinstance(each, SignedTrade) for each in attempts) == 3
    assert sum(isinstance(each, LimitExceededError) for each in attempts) == 3


async def test_an_expired_trade_gives_its_lamports_back_to_the_day(
    trader: Trader, capy: Token, clock: VirtualClock
) -> None:
    unsent = [await trader.prepare(buying(capy, 950_000_000), history=[]) for _ in range(3)]
    clock.advance(timedelta(minutes=2))
    await trader.reconcile(unsent[0])

    await trader.prepare(buying(capy, 950_000_000), history=[])


async def test_a_wallet_without_funds_gets_no_offer(
    trader: Trader, wallet: SolanaWallet, capy: Token, chain: Chain
) -> None:
    spend_all_but(chain, wallet, 1_000_000)

    with pytest.raises(TradeError, match="no offer"):
        await trader.prepare(buying(capy, 50_000_000), history=[])


@pytest.mark.parametrize("place", ["node", "market"])
async def test_off_this_machine_nothing_is_traded(
    place: str, jupiter: JupiterClient, limits: SpendingLimits, clock: VirtualClock, capy: Token
) -> None:
    node = "https://node.example" if place == "node" else "http://127.0.0.1:1"
    market = jupiter if place == "node" else JupiterClient("https://api.jup.ag")
    wallet = SolanaWallet(str(Keypair()), node)
    trader = Trader(wallet=wallet, jupiter=market, limits=limits, clock=clock)

    with pytest.raises(TradingDisabledError, match="is not this machine"):
        await trader.prepare(buying(capy, 50_000_000), history=[])


async def test_a_trader_left_alone_for_a_week_keeps_within_its_limits(
    trader: Trader, clock: VirtualClock, limits: SpendingLimits
) -> None:
    rng = random.Random(3)
    history: list[Outlay] = []
    sides: set[str] = set()
    for _ in range(40):
        intent = trader.decide(await trader.look(), history, rng)
        if intent is not None:
            signed = await trader.prepare(intent, history=history)
            history.append(signed.outlay)
            sides.add((await trader.submit(signed)).input.symbol)
        clock.advance(timedelta(hours=4))

    assert sides == {"SOL", "CAPY"}
    for last in history:
        day = [each.lamports for each in history if timedelta(0) <= last.at - each.at < DAY]
        assert max(day) <= limits.max_lamports_per_trade
        assert sum(day) <= limits.max_lamports_per_day


class DeafJupiter(JupiterClient):
    """Never hears what became of a trade that it handed in."""

    @override
    async def execute(self, *, request_id: str, transaction: str) -> Execution:
        await super().execute(request_id=request_id, transaction=transaction)
        raise ChainUnavailableError("the line went dead")


class RepetitiveJupiter(JupiterClient):
    """Offers what it offered first, whoever asks."""

    first: Order | None = None

    @override
    async def order(self, intent: TradeIntent, *, taker: str, slippage_bps: int) -> Order:
        if self.first is None:
            self.first = await super().order(intent, taker=taker, slippage_bps=slippage_bps)
        return self.first


def spend_all_but(chain: Chain, wallet: SolanaWallet, lamports: int) -> None:
    """Move the rest away, as if the key were used elsewhere too."""
    blockhash, _ = chain.ledger.latest_blockhash()
    away = chain.ledger.lamports(wallet.public_key) - lamports - 5_000
    gift = TransferParams(
        from_pubkey=wallet.public_key, to_pubkey=chain.maker.address, lamports=away
    )
    message = MessageV0.try_compile(wallet.public_key, [transfer(gift)], [], blockhash)
    unsigned = VersionedTransaction.populate(message, [Signature.default()])
    chain.ledger.send(wallet.sign(unsigned))
