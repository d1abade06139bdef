"""The ledger of the rehearsal chain: LiteSVM, with blocks that pass by the injected clock."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from solders.account import Account
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.token.state import Mint, TokenAccount
from solders.transaction import SanitizeError, VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, SimulatedTransactionInfo
from solders.transaction_status import TransactionErrorFieldless, TransactionErrorType
from spl.token.constants import TOKEN_PROGRAM_ID, WRAPPED_SOL_MINT

from puppet_engine.core.clock import Clock

Result = TypeVar("Result")

LAMPORTS_PER_SOL: Final = 1_000_000_000
SLOT: Final = timedelta(milliseconds=400)
BLOCKHASH_LIFE: Final = 150
"""A transaction must land within so many blocks of the one it names."""
_FIRST_HEIGHT: Final = 1_000
_TOKEN_ACCOUNT_BYTES: Final = 165


class TransactionRefusedError(Exception):
    """The chain did not take a transaction. `reason` is what a real cluster would answer."""

    def __init__(self, reason: TransactionErrorType, logs: Sequence[str] = ()) -> None:
        super().__init__(f"transaction refused: {reason}")
        self.reason = reason
        self.logs = list(logs)


@dataclass(frozen=True)
class Landed:
    """A transaction that is in a block. It may have failed there."""

    height: int
    error: TransactionErrorType | None


class Ledger:
    """Accounts, and the transactions that changed them. One transaction a block, no forks."""

    def __init__(self, *, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._genesis = clock.now()
        self._hashed = 0
        self._landed: dict[Signature, Landed] = {}
        self._blockhashes: OrderedDict[Hash, int] = OrderedDict()
        # Signatures, blockhashes and repetitions are checked here, as a cluster does it:
        # LiteSVM knows one blockhash only, and simulates nothing that is not fully signed.
        self._svm = (
            LiteSVM()
            .with_lamports(10**18)
            .with_blockhash_check(check=False)
            .with_sigverify(sigverify=False)
            .with_transaction_history(0)
        )
        self._svm.set_account(WRAPPED_SOL_MINT, _native_mint())

    def keypair(self, name: str) -> Keypair:
        """Return the key of one of the chain's own people; the same for the same seed."""
        return Keypair.from_seed(_digest(self._seed, name))

    @property
    def height(self) -> int:
        """How many blocks there have been."""
        return _FIRST_HEIGHT + (self._clock.now() - self._genesis) // SLOT

    def latest_blockhash(self) -> tuple[Hash, int]:
        """Return a blockhash and the last height at which a transaction with it can land."""
        height = self.height
        # A new one each time: two equal orders at one height must differ, or the second
        # counts as the first resent; and a virtual clock may stand at one height for long.
        self._hashed += 1
        blockhash = Hash(_digest(self._seed, f"block {self._hashed}"))
        self._blockhashes[blockhash] = height + BLOCKHASH_LIFE
        while next(iter(self._blockhashes.values())) < height:
            self._blockhashes.popitem(last=False)
        return blockhash, self._blockhashes[blockhash]

    def lamports(self, address: Pubkey) -> int:
        """Return the lamports at `address`; 0 where there is no account."""
        return self._svm.get_balance(address) or 0

    def account(self, address: Pubkey) -> Account | None:
        """Return the account at `address`, if there is one."""
        return self._svm.get_account(address)

    def token_accounts(self, owner: Pubkey) -> list[tuple[Pubkey, Account, TokenAccount]]:
        """Return the SPL token accounts of `owner`: address, raw and decoded."""
        return [
            (address, account, TokenAccount.from_bytes(account.data))
            for address, account in self._svm.get_program_accounts(TOKEN_PROGRAM_ID)
            if len(account.data) == _TOKEN_ACCOUNT_BYTES and account.data[32:64] == bytes(owner)
        ]

    def decimals(self, mint: Pubkey) -> int:
        """Return the decimals of a mint that exists."""
        account = self._svm.get_account(mint)
        if account is None:
            raise LookupError(f"no mint {mint}")
        return Mint.from_bytes(account.data).decimals

    def rent(self, size_bytes: int) -> int:
        """Return the lamports an account of that size must hold to stay."""
        return self._svm.minimum_balance_for_rent_exemption(size_bytes)

    def airdrop(self, address: Pubkey, lamports: int) -> Signature:
        """Give lamports away."""
        before = len(self._landed)
        answer = _apart(lambda: self._svm.airdrop(address, lamports))
        if isinstance(answer, FailedTransactionMetadata):
            raise TransactionRefusedError(answer.err(), answer.meta().logs())
        # LiteSVM signs each airdrop of one block alike; ours have signatures of their own.
        signature = self.keypair("faucet").sign_message(f"{address} {lamports} {before}".encode())
        self._landed[signature] = Landed(self.height, None)
        return signature

    def simulate(
        self, transaction: VersionedTransaction
    ) -> SimulatedTransactionInfo | FailedTransactionMetadata:
        """Return what `transaction` would do now. Nobody need have signed it."""
        self._check_shape(transaction)
        return _apart(lambda: self._svm.simulate_transaction(transaction))

    def send(self, transaction: VersionedTransaction, *, preflight: bool = True) -> Signature:
        """Execute a signed transaction; nothing happens when it has landed before.

        Without `preflight` a transaction that fails lands all the same: look at `landed`.

        Raises:
            TransactionRefusedError: it did not land, and nothing happened.

        """
        self._check_shape(transaction)
        signature = transaction.signatures[0]
        if signature in self._landed:
            return signature
        self._check(transaction)
        if preflight:
            trial = self.simulate(transaction)
            if isinstance(trial, FailedTransactionMetadata):
                raise TransactionRefusedError(trial.err(), trial.meta().logs())
        outcome = _apart(lambda: self._svm.send_transaction(transaction))
        error = outcome.err() if isinstance(outcome, FailedTransactionMetadata) else None
        self._landed[signature] = Landed(self.height, error)
        return signature

    def _check_shape(self, transaction: VersionedTransaction) -> None:
        try:
            transaction.sanitize()
        except SanitizeError as error:
            raise TransactionRefusedError(TransactionErrorFieldless.SanitizeFailure) from error

    def _check(self, transaction: VersionedTransaction) -> None:
        if not all(transaction.verify_with_results()):
            raise TransactionRefusedError(TransactionErrorFieldless.SignatureFailure)
        last_valid = self._blockhashes.get(transaction.message.recent_blockhash, -1)
        if last_valid < self.height:
            raise TransactionRefusedError(TransactionErrorFieldless.BlockhashNotFound)

    def landed(self, signature: Signature) -> Landed | None:
        """Return where and how the transaction of that signature landed, if it did."""
        return self._landed.get(signature)

    def run(self, instructions: Sequence[Instruction], *signers: Keypair) -> Signature:
        """Build, sign and send a transaction of the chain's own people; the first one pays."""
        blockhash, _ = self.latest_blockhash()
        message = MessageV0.try_compile(signers[0].pubkey(), instructions, [], blockhash)
        return self.send(VersionedTransaction(message, signers))


def _apart(work: Callable[[], Result]) -> Result:
    """Return what `work` returns, done in a thread of the machine's own.

    The programs that it runs leave the processor's registers of floating point in disorder
    (MMX, without the EMMS after it), and in the same thread SQLite's next number would be NaN.
    """
    return _thread.submit(work).result()


_thread: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="litesvm")


def _digest(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def _native_mint() -> Account:
    data = bytes(
        Mint(mint_authority=None, supply=0, decimals=9, is_initialized=True, freeze_authority=None)
    )
    return Account(lamports=LAMPORTS_PER_SOL, data=data, owner=TOKEN_PROGRAM_ID, executable=False)
