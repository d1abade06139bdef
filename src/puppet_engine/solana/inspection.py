"""Reads a transaction before it is signed, instruction by instruction. Pure.

Only plain transfers between known accounts pass, so the bytes alone say what the trade costs:
whatever the chain looks like when they land, no more than that can leave the wallet.
"""

import base64
import struct
from dataclasses import dataclass
from typing import Final

from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import SanitizeError, VersionedTransaction
from spl.token.constants import (
    ASSOCIATED_TOKEN_PROGRAM_ID,
    TOKEN_PROGRAM_ID,
    WRAPPED_SOL_MINT,
)
from spl.token.instructions import get_associated_token_address

from puppet_engine.core.errors import SuspectOrderError
from puppet_engine.solana.trades import TradeIntent

_SYSTEM: Final = Pubkey.from_string("11111111111111111111111111111111")
_COMPUTE_BUDGET: Final = Pubkey.from_string("ComputeBudget111111111111111111111111111111")

_SYSTEM_TRANSFER: Final = 2
_TOKEN_CLOSE: Final = 9
_TOKEN_TRANSFER_CHECKED: Final = 12
_TOKEN_SYNC_NATIVE: Final = 17


@dataclass(frozen=True)
class Terms:
    """What a transaction does for the wallet, in base units."""

    paid: int
    received: int


def decode_transaction(transaction: str) -> VersionedTransaction:
    """Return the transaction that `transaction` is in base64.

    Raises:
        SuspectOrderError: it is none, or is inconsistent in itself.

    """
    try:
        decoded = VersionedTransaction.from_bytes(base64.b64decode(transaction, validate=True))
        decoded.sanitize()
    except (ValueError, SanitizeError) as error:
        raise SuspectOrderError("the offered transaction cannot be decoded") from error
    return decoded


def inspect_transaction(
    transaction: VersionedTransaction, intent: TradeIntent, wallet: Pubkey
) -> Terms:
    """Return the terms of a swap transaction.

    Raises:
        SuspectOrderError: it does, or could do, anything but what `intent` asks.

    """
    message = transaction.message
    if not isinstance(message, MessageV0) or message.address_table_lookups:
        raise SuspectOrderError("the transaction hides accounts in lookup tables, or is no v0")
    keys = list(message.account_keys)
    if keys[0] != wallet:
        raise SuspectOrderError(f"the fee payer is {keys[0]}, not this wallet")
    reader = _Reader(intent, wallet)
    for instruction in message.instructions:
        try:
            accounts = [keys[index] for index in instruction.accounts]
            reader.read(keys[instruction.program_id_index], accounts, bytes(instruction.data))
        except (IndexError, struct.error) as error:
            raise SuspectOrderError("an instruction cannot be decoded") from error
    return reader.terms()


class _Reader:
    """Adds up the transfers of one transaction, and refuses whatever is none."""

    def __init__(self, intent: TradeIntent, wallet: Pubkey) -> None:
        self._intent = intent
        self._wallet = wallet
        self._input = Pubkey.from_string(intent.input_mint)
        self._output = Pubkey.from_string(intent.output_mint)
        self._wrapped = self._account_of(WRAPPED_SOL_MINT)
        self._put_aside = 0
        self._paid = 0
        self._received = 0

    def read(self, program: Pubkey, accounts: list[Pubkey], data: bytes) -> None:
        if program == _SYSTEM:
            self._system(accounts, data)
        elif program == TOKEN_PROGRAM_ID:
            self._token(accounts, data)
        elif program == ASSOCIATED_TOKEN_PROGRAM_ID:
            self._open_account(accounts, data)
        elif program != _COMPUTE_BUDGET:
            raise SuspectOrderError(f"the transaction runs a foreign program, {program}")

    def terms(self) -> Terms:
        wanted = self._intent.amount
        native = self._input == WRAPPED_SOL_MINT
        if self._paid != wanted or self._put_aside != (wanted if native else 0):
            raise SuspectOrderError(
                f"the transaction takes {max(self._paid, self._put_aside)}, {wanted} were asked"
            )
        return Terms(self._paid, self._received)

    def _account_of(self, mint: Pubkey) -> Pubkey:
        return get_associated_token_address(self._wallet, mint)

    def _system(self, accounts: list[Pubkey], data: bytes) -> None:
        kind, lamports = struct.unpack("<IQ", data)
        if kind != _SYSTEM_TRANSFER or accounts != [self._wallet, self._wrapped]:
            raise SuspectOrderError("the transaction moves SOL to somebody else, or worse")
        self._put_aside += lamports

    def _open_account(self, accounts: list[Pubkey], data: bytes) -> None:
        known = {self._input, self._output, WRAPPED_SOL_MINT}
        if data not in {b"", b"\x00", b"\x01"} or accounts[2] != self._wallet:
            raise SuspectOrderError("the transaction opens an account for somebody else")
        if accounts[3] not in known:
            raise SuspectOrderError(f"the transaction opens an account for {accounts[3]}")

    def _token(self, accounts: list[Pubkey], data: bytes) -> None:
        kind = data[0]
        if kind == _TOKEN_TRANSFER_CHECKED:
            amount, _decimals = struct.unpack("<QB", data[1:])
            self._transfer(accounts, amount)
        elif kind == _TOKEN_CLOSE:
            if accounts != [self._wrapped, self._wallet, self._wallet]:
                raise SuspectOrderError("the transaction closes an account for somebody else")
        elif kind != _TOKEN_SYNC_NATIVE or accounts != [self._wrapped]:
            raise SuspectOrderError(f"the transaction has token instruction {kind}, no swap's")

    def _transfer(self, accounts: list[Pubkey], amount: int) -> None:
        source, mint, target, authority = accounts
        if authority == self._wallet:
            if mint != self._input or source != self._account_of(self._input):
                raise SuspectOrderError(f"the transaction takes {mint}, which is not sold")
            self._paid += amount
        elif mint == self._output and target == self._account_of(self._output):
            self._received += amount
        else:
            raise SuspectOrderError(f"the transaction moves {mint} between strangers")
