"""A market that offers something else for signing than what was asked."""

import base64
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_price
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import (
    AdvanceNonceAccountParams,
    AssignParams,
    TransferParams,
    advance_nonce_account,
    assign,
    transfer,
)
from solders.transaction import VersionedTransaction
from spl.token import instructions as spl, models
from spl.token.constants import TOKEN_PROGRAM_ID, WRAPPED_SOL_MINT
from typing_extensions import override

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import LimitExceededError, SuspectOrderError, TradeError
from puppet_engine.solana.jupiter import JupiterClient, Order
from puppet_engine.solana.spending import SpendingLimits
from puppet_engine.solana.trader import Trader
from puppet_engine.solana.trades import SOL_MINT, Token, TradeIntent
from puppet_engine.solana.wallet import SolanaWallet
from puppet_engine.world.chain.router import Chain

THIEF = Keypair().pubkey()
LAMPORTS = 50_000_000


@dataclass
class Forgery:
    """What an honest offer consists of, to be changed."""

    chain: Chain
    wallet: Pubkey
    mint: Pubkey
    payer: Pubkey
    instructions: list[Instruction]

    @property
    def tokens(self) -> Pubkey:
        """The wallet's account of the token it buys."""
        return spl.get_associated_token_address(self.wallet, self.mint)

    @property
    def wrapped(self) -> Pubkey:
        return spl.get_associated_token_address(self.wallet, WRAPPED_SOL_MINT)

    def encoded(self, *tables: AddressLookupTableAccount) -> str:
        """Return the unsigned transaction, as an offer holds it."""
        blockhash, _ = self.chain.ledger.latest_blockhash()
        message = MessageV0.try_compile(self.payer, self.instructions, tables, blockhash)
        empty = [Signature.default()] * message.header.num_required_signatures
        return base64.b64encode(bytes(VersionedTransaction.populate(message, empty))).decode()

    def swap(self, lamports: int) -> list[Instruction]:
        quote = self.chain.market.quote(SOL_MINT, str(self.mint), lamports)
        return self.chain.maker._swap(quote, self.wallet)


class CautiousWallet(SolanaWallet):
    """Fails the test when it is asked to sign."""

    @override
    def sign(self, transaction: VersionedTransaction) -> VersionedTransaction:
        raise AssertionError("the wallet signed")


class LyingJupiter(JupiterClient):
    """Passes an honest offer on with another transaction or other figures in it."""

    change: dict[str, object]

    @override
    async def order(self, intent: TradeIntent, *, taker: str, slippage_bps: int) -> Order:
        honest = await super().order(intent, taker=taker, slippage_bps=slippage_bps)
        return honest.model_copy(update=self.change)


Offered = Callable[..., Awaitable[None]]


@pytest.fixture
async def offered(
    wallet: SolanaWallet, limits: SpendingLimits, capy: Token, url: str, clock: VirtualClock
) -> AsyncGenerator[Offered]:
    """Have a trade prepared from an offer with other fields in it."""
    cautious = CautiousWallet("mira", wallet.rpc.url)
    jupiter = LyingJupiter(url)
    trader = Trader(wallet=cautious, jupiter=jupiter, limits=limits, clock=clock)

    async def prepare(**change: object) -> None:
        jupiter.change = change
        intent = TradeIntent(input_mint=SOL_MINT, output_mint=capy.mint, amount=LAMPORTS)
        await trader.prepare(intent, history=[])

    yield prepare
    await jupiter.aclose()
    await cautious.aclose()


@pytest.fixture
def forgery(chain: Chain, wallet: SolanaWallet, capy: Token) -> Forgery:
    mint = Pubkey.from_string(capy.mint)
    forgery = Forgery(chain, wallet.public_key, mint, wallet.public_key, [])
    forgery.instructions = forgery.swap(LAMPORTS)
    return forgery


def drain_sol(forgery: Forgery) -> None:
    forgery.instructions.append(
        transfer(TransferParams(from_pubkey=forgery.wallet, to_pubkey=THIEF, lamports=1))
    )


def drain_tokens(forgery: Forgery) -> None:
    forgery.instructions.append(
        spl.transfer_checked(
            models.TransferCheckedParams(
                program_id=TOKEN_PROGRAM_ID,
                source=forgery.tokens,
                mint=forgery.mint,
                dest=THIEF,
                owner=forgery.wallet,
                amount=1,
                decimals=6,
            )
        )
    )


def send_the_purchase_elsewhere(forgery: Forgery) -> None:
    quote = forgery.chain.market.quote(SOL_MINT, str(forgery.mint), LAMPORTS)
    theirs = forgery.chain.maker._swap(quote, THIEF)
    forgery.instructions[-2] = theirs[-2]


def let_another_pay(forgery: Forgery) -> None:
    forgery.payer = forgery.chain.maker.address


def run_a_foreign_program(forgery: Forgery) -> None:
    accounts = [AccountMeta(forgery.wallet, is_signer=True, is_writable=True)]
    forgery.instructions.append(Instruction(Pubkey.new_unique(), b"", accounts))


def take_more(forgery: Forgery) -> None:
    forgery.instructions = forgery.swap(2 * LAMPORTS)


def put_more_aside(forgery: Forgery) -> None:
    forgery.instructions.append(
        transfer(TransferParams(from_pubkey=forgery.wallet, to_pubkey=forgery.wrapped, lamports=1))
    )


def give_less(forgery: Forgery) -> None:
    quote = forgery.chain.market.quote(SOL_MINT, str(forgery.mint), LAMPORTS)
    less = forgery.chain.maker._swap(
        type(quote)(quote.input, quote.output, quote.amount, quote.received - 1, quote.impact),
        forgery.wallet,
    )
    forgery.instructions = less


def approve_a_delegate(forgery: Forgery) -> None:
    forgery.instructions.append(
        spl.approve(
            models.ApproveParams(
                program_id=TOKEN_PROGRAM_ID,
                source=forgery.tokens,
                delegate=THIEF,
                owner=forgery.wallet,
                amount=2**63,
            )
        )
    )


def give_the_account_away(forgery: Forgery) -> None:
    forgery.instructions.append(
        spl.set_authority(
            models.SetAuthorityParams(
                program_id=TOKEN_PROGRAM_ID,
                account=forgery.tokens,
                authority=models.AuthorityType.ACCOUNT_OWNER,
                current_authority=forgery.wallet,
                new_authority=THIEF,
            )
        )
    )


def give_the_wallet_away(forgery: Forgery) -> None:
    forgery.instructions.append(assign(AssignParams(pubkey=forgery.wallet, owner=THIEF)))


def never_expire(forgery: Forgery) -> None:
    nonce = AdvanceNonceAccountParams(nonce_pubkey=THIEF, authorized_pubkey=forgery.wallet)
    forgery.instructions.insert(0, advance_nonce_account(nonce))


def unwrap_to_another(forgery: Forgery) -> None:
    forgery.instructions[-1] = spl.close_account(
        models.CloseAccountParams(
            program_id=TOKEN_PROGRAM_ID, account=forgery.wrapped, dest=THIEF, owner=forgery.wallet
        )
    )


def rent_an_account_for_another(forgery: Forgery) -> None:
    forgery.instructions.append(
        spl.create_associated_token_account(forgery.wallet, THIEF, forgery.mint)
    )


def rent_an_account_for_another_token(forgery: Forgery) -> None:
    other = Pubkey.from_string(forgery.chain.maker.mints["MOTH"])
    forgery.instructions.append(
        spl.create_associated_token_account(forgery.wallet, forgery.wallet, other)
    )


def pay_a_priority_fee(forgery: Forgery) -> None:
    forgery.instructions[1] = set_compute_unit_price(10**9)


def garble_an_instruction(forgery: Forgery) -> None:
    forgery.instructions.append(Instruction(TOKEN_PROGRAM_ID, b"\x0c\x01", []))


def say_nothing_to_the_token_program(forgery: Forgery) -> None:
    forgery.instructions.append(Instruction(TOKEN_PROGRAM_ID, b"", []))


ATTACKS: dict[Callable[[Forgery], None], str] = {
    approve_a_delegate: "token instruction 4",
    drain_sol: "moves SOL to somebody else",
    drain_tokens: "which is not sold",
    garble_an_instruction: "cannot be decoded",
    give_less: "were offered",
    give_the_account_away: "token instruction 6",
    give_the_wallet_away: "moves SOL to somebody else|cannot be decoded",
    let_another_pay: "the fee payer is",
    never_expire: "moves SOL to somebody else|cannot be decoded",
    pay_a_priority_fee: "lamports in fees",
    put_more_aside: "50000000 were asked",
    rent_an_account_for_another: "opens an account for somebody else",
    rent_an_account_for_another_token: "opens an account for 5PG",
    run_a_foreign_program: "foreign program",
    say_nothing_to_the_token_program: "cannot be decoded",
    send_the_purchase_elsewhere: "between strangers",
    take_more: "50000000 were asked",
    unwrap_to_another: "closes an account for somebody else",
}


@pytest.mark.parametrize(
    ("attack", "reason"), ATTACKS.items(), ids=[attack.__name__ for attack in ATTACKS]
)
async def test_a_transaction_that_does_anything_else_is_not_signed(
    attack: Callable[[Forgery], None], reason: str, forgery: Forgery, offered: Offered
) -> None:
    attack(forgery)

    with pytest.raises(SuspectOrderError, match=reason):
        await offered(transaction=forgery.encoded())


async def test_the_same_forgery_without_an_attack_would_be_signed(
    forgery: Forgery, offered: Offered
) -> None:
    with pytest.raises(AssertionError, match="the wallet signed"):
        await offered(transaction=forgery.encoded())


async def test_accounts_in_a_lookup_table_are_refused(forgery: Forgery, offered: Offered) -> None:
    table = AddressLookupTableAccount(Pubkey.new_unique(), [forgery.tokens, forgery.wrapped])

    with pytest.raises(SuspectOrderError, match="lookup tables"):
        await offered(transaction=forgery.encoded(table))


@pytest.mark.parametrize("transaction", ["", "!", "AAAA", "AQ=="])
async def test_bytes_that_are_no_transaction_are_refused(
    transaction: str, offered: Offered
) -> None:
    with pytest.raises(SuspectOrderError, match="decoded"):
        await offered(transaction=transaction)


@pytest.mark.parametrize(
    "change",
    [
        {"other_amount_threshold": 1},
        {"out_amount": 1, "other_amount_threshold": 1},
        {"price_impact_pct": Decimal("0.02")},
        {"price_impact_pct": Decimal("-0.02")},
    ],
)
async def test_a_bad_price_is_refused(change: dict[str, object], offered: Offered) -> None:
    with pytest.raises(LimitExceededError, match="basis points"):
        await offered(**change)


async def test_a_transaction_that_would_fail_is_not_signed(
    forgery: Forgery, offered: Offered
) -> None:
    forgery.instructions.pop(2)

    with pytest.raises(TradeError, match="would fail"):
        await offered(transaction=forgery.encoded())
