"""Solana's JSON-RPC, as far as wallets and traders use it.

Answers are made by solders' own response types: its client aborts on any other shape.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from solders.account import Account
from solders.account_decoder import UiTokenAmount
from solders.pubkey import Pubkey
from solders.rpc.errors import SendTransactionPreflightFailureMessage
from solders.rpc.responses import (
    GetAccountInfoResp,
    GetBalanceResp,
    GetLatestBlockhashResp,
    GetMultipleAccountsResp,
    GetSignatureStatusesResp,
    GetTokenAccountBalanceResp,
    GetTokenAccountsByOwnerResp,
    RpcBlockhash,
    RpcKeyedAccount,
    RpcResponseContext,
    RpcSimulateTransactionResult,
    SimulateTransactionResp,
)
from solders.signature import Signature
from solders.token.state import TokenAccount
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, SimulatedTransactionInfo
from solders.transaction_status import TransactionConfirmationStatus, TransactionStatus

from puppet_engine.world.chain.ledger import Landed, Ledger, TransactionRefusedError

_FINAL_AFTER: Final = 32
_METHOD_NOT_FOUND: Final = -32601
_INVALID_PARAMS: Final = -32602
_PREFLIGHT_FAILURE: Final = -32002


class _Response(Protocol):
    def to_json(self) -> str: ...


class JsonRpc:
    """Answers the requests of a Solana client from a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._methods: Mapping[str, Callable[..., Any]] = {
            "getAccountInfo": self._account_info,
            "getBalance": self._balance,
            "getBlockHeight": lambda _options=None: ledger.height,
            "getHealth": lambda: "ok",
            "getLatestBlockhash": self._latest_blockhash,
            "getMultipleAccounts": self._multiple_accounts,
            "getSignatureStatuses": self._signature_statuses,
            "getTokenAccountBalance": self._token_account_balance,
            "getTokenAccountsByOwner": self._token_accounts_by_owner,
            "getVersion": lambda: {"solana-core": "3.0.0", "feature-set": 0},
            "requestAirdrop": self._request_airdrop,
            "sendTransaction": self._send_transaction,
            "simulateTransaction": self._simulate_transaction,
        }

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON-RPC response to one request."""
        return {"jsonrpc": "2.0", "id": request.get("id"), **self._outcome(request)}

    def _outcome(self, request: Mapping[str, Any]) -> dict[str, Any]:
        method = self._methods.get(str(request.get("method")))
        if method is None:
            return _error(_METHOD_NOT_FOUND, "Method not found")
        try:
            return {"result": method(*(request.get("params") or []))}
        except TransactionRefusedError as refusal:
            return _preflight_failure(refusal)
        except (ValueError, TypeError, LookupError, OverflowError) as problem:
            return _error(_INVALID_PARAMS, f"Invalid params: {problem}")

    def _context(self) -> RpcResponseContext:
        return RpcResponseContext(self._ledger.height)

    def _balance(self, address: str, _options: object = None) -> Any:
        lamports = self._ledger.lamports(Pubkey.from_string(address))
        return _result(GetBalanceResp(lamports, self._context()))

    def _account_info(self, address: str, _options: object = None) -> Any:
        account = self._ledger.account(Pubkey.from_string(address))
        return _result(GetAccountInfoResp(account, self._context()))

    def _multiple_accounts(self, addresses: Sequence[str], _options: object = None) -> Any:
        accounts = [self._ledger.account(Pubkey.from_string(address)) for address in addresses]
        return _result(GetMultipleAccountsResp(accounts, self._context()))

    def _latest_blockhash(self, _options: object = None) -> Any:
        blockhash, last_valid = self._ledger.latest_blockhash()
        return _result(
            GetLatestBlockhashResp(RpcBlockhash(blockhash, last_valid), self._context())
        )

    def _signature_statuses(self, signatures: Sequence[str], _options: object = None) -> Any:
        landed = [self._ledger.landed(Signature.from_string(each)) for each in signatures]
        statuses = [self._status(each) if each else None for each in landed]
        return _result(GetSignatureStatusesResp(statuses, self._context()))

    def _status(self, landed: Landed) -> TransactionStatus:
        depth = self._ledger.height - landed.height
        # No forks here: what has landed is confirmed at once.
        level = TransactionConfirmationStatus
        return TransactionStatus(
            slot=landed.height,
            confirmations=None if depth >= _FINAL_AFTER else depth,
            status=landed.error,
            err=landed.error,
            confirmation_status=level.Finalized if depth >= _FINAL_AFTER else level.Confirmed,
        )

    def _token_account_balance(self, address: str, _options: object = None) -> Any:
        account = self._ledger.account(Pubkey.from_string(address))
        if account is None:
            raise LookupError("could not find account")
        token = TokenAccount.from_bytes(account.data)
        return _result(GetTokenAccountBalanceResp(self._amount(token), self._context()))

    def _amount(self, token: TokenAccount) -> UiTokenAmount:
        decimals = self._ledger.decimals(token.mint)
        whole = token.amount / 10**decimals
        return UiTokenAmount(whole, decimals, str(token.amount), f"{whole:.{decimals}f}")

    def _token_accounts_by_owner(
        self, owner: str, which: Mapping[str, str], options: Mapping[str, Any] | None = None
    ) -> Any:
        if (options or {}).get("encoding") == "jsonParsed":
            raise ValueError("this chain gives token accounts as base64 only")
        wanted = which.get("mint")
        found = [
            RpcKeyedAccount(address, account)
            for address, account, token in self._ledger.token_accounts(Pubkey.from_string(owner))
            if wanted in (None, str(token.mint))
        ]
        return _result(GetTokenAccountsByOwnerResp(found, self._context()))

    def _request_airdrop(self, address: str, lamports: int, _options: object = None) -> str:
        return str(self._ledger.airdrop(Pubkey.from_string(address), lamports))

    def _send_transaction(self, wire: str, options: Mapping[str, Any] | None = None) -> str:
        chosen = options or {}
        transaction = _read(wire, chosen)
        return str(self._ledger.send(transaction, preflight=not chosen.get("skipPreflight")))

    def _simulate_transaction(self, wire: str, options: Mapping[str, Any] | None = None) -> Any:
        chosen = options or {}
        outcome = self._ledger.simulate(_read(wire, chosen))
        addresses = (chosen.get("accounts") or {}).get("addresses", [])
        result = RpcSimulateTransactionResult(
            err=outcome.err() if isinstance(outcome, FailedTransactionMetadata) else None,
            logs=outcome.meta().logs(),
            accounts=self._after(outcome, addresses) if addresses else None,
            units_consumed=outcome.meta().compute_units_consumed(),
        )
        return _result(
            SimulateTransactionResp(result, self._context())  # type: ignore[call-arg]  # solders' stub lacks the context
        )

    def _after(
        self,
        outcome: SimulatedTransactionInfo | FailedTransactionMetadata,
        addresses: Sequence[str],
    ) -> list[Account | None]:
        changed = {}
        if isinstance(outcome, SimulatedTransactionInfo):
            changed = {str(address): account for address, account in outcome.post_accounts()}
        accounts = [
            changed.get(address) or self._ledger.account(Pubkey.from_string(address))
            for address in addresses
        ]
        # An account without lamports is gone once the transaction is over.
        return [account if account and account.lamports else None for account in accounts]


def _read(wire: str, options: Mapping[str, Any]) -> VersionedTransaction:
    if options.get("encoding") != "base64":
        raise ValueError("this chain reads transactions as base64 only")
    return VersionedTransaction.from_bytes(base64.b64decode(wire, validate=True))


def _result(response: _Response) -> Any:
    return json.loads(response.to_json())["result"]


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def _preflight_failure(refusal: TransactionRefusedError) -> dict[str, Any]:
    trial = RpcSimulateTransactionResult(err=refusal.reason, logs=refusal.logs)
    failure = SendTransactionPreflightFailureMessage(
        f"Transaction simulation failed: {refusal.reason}", trial
    )
    return {"error": {"code": _PREFLIGHT_FAILURE, **json.loads(failure.to_json())}}
