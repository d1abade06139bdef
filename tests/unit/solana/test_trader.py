from puppet_engine.solana.trader import Trader
from puppet_engine.solana.trades import (
    SOL_MINT,
    SignedTrade,
    Token,
    TradeIntent,
)
from puppet_engine.solana.wallet import LAMPORTS_PER_SOL
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
