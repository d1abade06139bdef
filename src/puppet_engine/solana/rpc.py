"""A Solana node, asked through the client of the `solana` library; its errors end here."""

import asyncio
import inspect
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
from solana.exceptions import SolanaExceptionBase
from solana.rpc import async_api
from solana.rpc.commitment import Confirmed
from solana.rpc.core import RPCException, RPCNoResultException
from solders.account import Account
from solders.errors import SerdeJSONError
from solders.pubkey import Pubkey
from solders.rpc.responses import RpcSimulateTransactionResult
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_status import TransactionConfirmationStatus, TransactionStatus

from puppet_engine.core.errors import ChainUnavailableError

_FAILURES = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    SolanaExceptionBase,
    RPCException,
    RPCNoResultException,
    SerdeJSONError,
    TimeoutError,
    ValueError,
)
Answer = TypeVar("Answer")


class SolanaRpc:
    """One node. Every method raises `ChainUnavailableError` when it gives no usable answer."""

    def __init__(
        self,
        url: str,
        *,
        client: async_api.AsyncClient | None = None,
        timeout_seconds: float = 10,
    ) -> None:
        self.url = url
        self._open = client
        self._timeout = timeout_seconds

    async def lamports(self, address: Pubkey) -> int:
        """Return the lamports that `address` has."""
        answer = await self._ask("getBalance", lambda node: node.get_balance(address))
        return answer.value

    async def accounts(self, addresses: Sequence[Pubkey]) -> list[Account | None]:
        """Return the accounts at `addresses`, None where there is none."""
        answer = await self._ask(
            "getMultipleAccounts", lambda node: node.get_multiple_accounts(list(addresses))
        )
        return list(answer.value)

    async def simulate(
        self, transaction: VersionedTransaction, watched: Sequence[Pubkey]
    ) -> RpcSimulateTransactionResult:
        """Return what an unsigned `transaction` would do, and the `watched` accounts after it."""
        answer = await self._ask(
            "simulateTransaction",
            lambda node: node.simulate_transaction(transaction, accounts_addresses=list(watched)),
        )
        return answer.value

    async def status(self, signature: Signature) -> TransactionStatus | None:
        """Return how a transaction landed; None until it has, and is confirmed."""
        answer = await self._ask(
            "getSignatureStatuses",
            lambda node: node.get_signature_statuses([signature], search_transaction_history=True),
        )
        [found] = answer.value
        if found and found.confirmation_status == TransactionConfirmationStatus.Processed:
            return None
        return found

    async def block_height(self) -> int:
        """Return how many blocks are confirmed."""
        answer = await self._ask("getBlockHeight", lambda node: node.get_block_height())
        return answer.value

    async def aclose(self) -> None:
        """Release connections. Asking again opens new ones."""
        client, self._open = self._open, None
        if client is not None:
            await client.close()

    def _client(self) -> async_api.AsyncClient:
        if self._open is None:
            self._open = async_api.AsyncClient(
                self.url, commitment=Confirmed, timeout=self._timeout
            )
        return self._open

    async def _ask(
        self, method: str, call: Callable[[async_api.AsyncClient], Awaitable[Answer]]
    ) -> Answer:
        try:
            async with asyncio.timeout(self._timeout):
                reply: Any = call(self._client())
                # A stand-in for the client may have its answer ready.
                answer: Answer = await reply if inspect.isawaitable(reply) else reply
                return answer
        except BaseException as error:
            # solders panics on an answer of unknown shape, and a panic is no Exception.
            if isinstance(error, _FAILURES) or type(error).__name__ == "PanicException":
                raise ChainUnavailableError(
                    f"{method} at {host_of(self.url)!r} gave no usable answer"
                    f" ({type(error).__name__}): look whether the node is up, and ask again"
                ) from error
            raise


def host_of(url: str) -> str:
    """Return the host of `url`, which is safe to show: keys to nodes are in paths and queries."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(url: str) -> bool:
    """Say whether `url` leads to this machine and nowhere else."""
    host = host_of(url)
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
