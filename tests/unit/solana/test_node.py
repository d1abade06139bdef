"""What the `solana` library sees of the rehearsal chain, over a real loopback port."""

import random
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.core import RPCException
from solana.rpc.models import TokenAccountOpts, TxOpts
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.rpc.errors import SendTransactionPreflightFailureMessage
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from solders.transaction_status import TransactionConfirmationStatus, TransactionErrorFieldless

from puppet_engine.core.clock import VirtualClock
from puppet_engine.solana.trader import Trader
from puppet_engine.solana.trades import SOL_MINT, Token, TradeIntent
from puppet_engine.solana.wallet import LAMPORTS_PER_SOL, SolanaWallet
from puppet_engine.world.chain.ledger import SLOT


@pytest.fixture
async def node(url: str) -> AsyncGenerator[AsyncClient]:
    async with AsyncClient(f"{url}/rpc") as client:
        yield client


@pytest.fixture
async def payer(node: AsyncClient) -> Keypair:
    payer = Keypair()
    await node.request_airdrop(payer.pubkey(), LAMPORTS_PER_SOL)
    return payer


async def payment(
    node: AsyncClient, payer: Keypair, target: Pubkey, lamports: int
) -> VersionedTransaction:
    blockhash = (await node.get_latest_blockhash()).value.blockhash
    return pay(payer, target, lamports, blockhash)


def pay(payer: Keypair, target: Pubkey, lamports: int, blockhash: Hash) -> VersionedTransaction:
    instruction = transfer(
        TransferParams(from_pubkey=payer.pubkey(), to_pubkey=target, lamports=lamports)
    )
    message = MessageV0.try_compile(payer.pubkey(), [instruction], [], blockhash)
    return VersionedTransaction(message, [payer])


async def test_a_node_introduces_itself(node: AsyncClient) -> None:
    assert await node.is_connected()
    assert (await node.get_version()).value.solana_core


async def test_what_is_sent_arrives_and_the_sender_pays_the_fee(
    node: AsyncClient, payer: Keypair
) -> None:
    target = Keypair().pubkey()

    sent = (await node.send_transaction(await payment(node, payer, target, 10**8))).value

    [status] = (await node.get_signature_statuses([sent])).value
    assert status is not None
    assert status.err is None
    assert (await node.get_balance(target)).value == 10**8
    assert (await node.get_balance(payer.pubkey())).value == 9 * 10**8 - 5_000


async def test_two_equal_airdrops_are_two(node: AsyncClient, payer: Keypair) -> None:
    first = (await node.request_airdrop(payer.pubkey(), 5)).value
    second = (await node.request_airdrop(payer.pubkey(), 5)).value

    assert first != second
    assert (await node.get_balance(payer.pubkey())).value == LAMPORTS_PER_SOL + 10


async def test_a_transaction_becomes_final_as_blocks_pass(
    node: AsyncClient, payer: Keypair, clock: VirtualClock
) -> None:
    tx = await payment(node, payer, Keypair().pubkey(), 10**8)
    sent = (await node.send_transaction(tx)).value
    [at_first] = (await node.get_signature_statuses([sent])).value

    clock.advance(32 * SLOT)
    [later] = (await node.get_signature_statuses([sent])).value

    assert at_first is not None
    assert later is not None
    assert at_first.confirmation_status == TransactionConfirmationStatus.Confirmed
    assert later.confirmation_status == TransactionConfirmationStatus.Finalized


async def test_what_the_payer_does_not_have_is_refused_in_words_the_library_reads(
    node: AsyncClient, payer: Keypair
) -> None:
    tx = await payment(node, payer, Keypair().pubkey(), 10**15)

    with pytest.raises(RPCException) as caught:
        await node.send_transaction(tx)

    failure = caught.value.args[0]
    assert isinstance(failure, SendTransactionPreflightFailureMessage)
    assert any("insufficient lamports" in line for line in failure.data.logs or [])
    assert (await node.get_signature_statuses([tx.signatures[0]])).value == [None]


async def test_without_preflight_a_failing_transaction_lands_with_its_error(
    node: AsyncClient, payer: Keypair
) -> None:
    tx = await payment(node, payer, Keypair().pubkey(), 10**15)

    sent = (await node.send_transaction(tx, TxOpts(skip_preflight=True))).value

    [status] = (await node.get_signature_statuses([sent])).value
    assert status is not None
    assert status.err is not None
    assert (await node.get_balance(payer.pubkey())).value == LAMPORTS_PER_SOL - 5_000


async def test_a_signature_by_somebody_else_is_refused(node: AsyncClient, payer: Keypair) -> None:
    honest = await payment(node, payer, Keypair().pubkey(), 1_000_000)
    forged = VersionedTransaction.populate(
        honest.message, [Keypair().sign_message(bytes(honest.message))]
    )

    with pytest.raises(RPCException) as caught:
        await node.send_transaction(forged)

    assert caught.value.args[0].data.err == TransactionErrorFieldless.SignatureFailure


@pytest.mark.parametrize("blocks", [151, 100_000])
async def test_a_blockhash_is_good_for_150_blocks(
    blocks: int, node: AsyncClient, payer: Keypair, clock: VirtualClock
) -> None:
    tx = await payment(node, payer, Keypair().pubkey(), 1_000_000)
    clock.advance(blocks * SLOT)

    with pytest.raises(RPCException) as caught:
        await node.send_transaction(tx)

    assert caught.value.args[0].data.err == TransactionErrorFieldless.BlockhashNotFound


async def test_a_blockhash_that_never_was_is_refused(node: AsyncClient, payer: Keypair) -> None:
    tx = pay(payer, Keypair().pubkey(), 1_000_000, Hash.new_unique())

    with pytest.raises(RPCException) as caught:
        await node.send_transaction(tx)

    assert caught.value.args[0].data.err == TransactionErrorFieldless.BlockhashNotFound


async def test_a_simulation_shows_the_change_and_makes_none(
    node: AsyncClient, payer: Keypair
) -> None:
    signed = await payment(node, payer, Keypair().pubkey(), 10**8)
    unsigned = VersionedTransaction.populate(signed.message, [Signature.default()])

    shown = await node.simulate_transaction(unsigned, accounts_addresses=[payer.pubkey()])

    [account] = shown.value.accounts or [None]
    assert account is not None
    assert account.lamports == 9 * 10**8 - 5_000
    assert (await node.get_balance(payer.pubkey())).value == LAMPORTS_PER_SOL


async def test_bought_tokens_are_in_the_wallets_token_account(
    node: AsyncClient, trader: Trader, wallet: SolanaWallet, capy: Token
) -> None:
    intent = TradeIntent(input_mint=SOL_MINT, output_mint=capy.mint, amount=10**8)
    receipt = await trader.submit(await trader.prepare(intent, history=[]))

    which = TokenAccountOpts(mint=Pubkey.from_string(capy.mint))
    [found] = (await node.get_token_accounts_by_owner(wallet.public_key, which)).value

    held = (await node.get_token_account_balance(found.pubkey)).value
    assert (held.amount, held.decimals) == (str(receipt.received), 6)


async def test_a_request_that_makes_no_sense_is_an_error_and_not_a_crash(
    node: AsyncClient,
) -> None:
    with pytest.raises(RPCException):
        await node.get_slot()
    with pytest.raises(RPCException):
        await node.get_token_account_balance(Keypair().pubkey())
    with pytest.raises(RPCException):
        await node.request_airdrop(Keypair().pubkey(), 2**63)


async def test_payments_arrive_exactly_once_however_often_the_line_breaks(
    node: AsyncClient, payer: Keypair, clock: VirtualClock
) -> None:
    """Journal, resend the same bytes, and sign anew only what has expired and is unknown."""
    rng = random.Random(11)
    target = Keypair().pubkey()
    await node.request_airdrop(target, 10**6)
    signed_anew = 0
    for lamports in range(10**6, 10**6 + 15):
        tx = await payment(node, payer, target, lamports)
        while (await node.get_signature_statuses([tx.signatures[0]])).value == [None]:
            fate = rng.random()
            if fate < 0.3:
                clock.advance(timedelta(minutes=2))
            if fate < 0.3 and (await node.get_signature_statuses([tx.signatures[0]])).value == [
                None
            ]:
                tx = await payment(node, payer, target, lamports)
                signed_anew += 1
            if fate > 0.5:
                await node.send_raw_transaction(bytes(tx))
                await node.send_raw_transaction(bytes(tx))

    received = (await node.get_balance(target)).value - 10**6
    assert received == sum(range(10**6, 10**6 + 15))
    assert signed_anew > 0
