"""The wallet of one agent: it knows its balance and signs; its key never leaves it."""

from typing import Final, NoReturn

from pydantic import SecretStr
from solana.rpc.async_api import AsyncClient
from solders.message import to_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from typing_extensions import override

from puppet_engine.solana.keys import read_keypair, rehearsal_keypair
from puppet_engine.solana.rpc import SolanaRpc, host_of, is_loopback

LAMPORTS_PER_SOL: Final = 1_000_000_000


class SolanaWallet:
    """An address on Solana and the key to it.

    `private_key` is a base58 keypair or the JSON array of its 64 bytes.
    Where `rpc_url` leads nowhere but to this machine, a short name does too:
    it stands for a wallet of the rehearsal world, the same whenever it is named.

    Raises:
        ConfigurationError: `private_key` is no key; the message does not show it.

    """

    def __init__(
        self,
        private_key: str | SecretStr,
        rpc_url: str,
        *,
        client: AsyncClient | None = None,
        timeout_seconds: float = 10,
    ) -> None:
        if isinstance(private_key, SecretStr):
            private_key = private_key.get_secret_value()
        rehearsing = is_loopback(rpc_url) or not host_of(rpc_url)
        keypair = rehearsal_keypair(private_key) if rehearsing else read_keypair(private_key)
        self.public_key: Pubkey = keypair.pubkey()
        self.rpc = SolanaRpc(rpc_url, client=client, timeout_seconds=timeout_seconds)
        # The bound method, not the keypair, which shows its secret as soon as it is printed.
        self._sign_message = keypair.sign_message

    @property
    def address(self) -> str:
        """The public key, in base58."""
        return str(self.public_key)

    async def get_balance(self) -> float:
        """Return the balance in SOL, for people. Logic takes `get_balance_lamports`.

        Raises:
            ChainUnavailableError: the node gave no answer.

        """
        return await self.get_balance_lamports() / LAMPORTS_PER_SOL

    async def get_balance_lamports(self) -> int:
        """Return the balance in lamports.

        Raises:
            ChainUnavailableError: the node gave no answer.

        """
        return await self.rpc.lamports(self.public_key)

    def sign(self, transaction: VersionedTransaction) -> VersionedTransaction:
        """Return `transaction` with this wallet's signature in its own place, others untouched.

        Raises:
            ValueError: the transaction does not ask for this wallet's signature.

        """
        message = transaction.message
        signers = list(message.account_keys)[: message.header.num_required_signatures]
        signatures = list(transaction.signatures)
        signatures[signers.index(self.public_key)] = self._sign_message(
            to_bytes_versioned(message)
        )
        return VersionedTransaction.populate(message, signatures)

    async def aclose(self) -> None:
        """Release connections. Asking again opens new ones."""
        await self.rpc.aclose()

    @override
    def __repr__(self) -> str:
        return f"SolanaWallet({self.address})"

    @override
    def __reduce__(self) -> NoReturn:
        raise TypeError("a wallet cannot be pickled: its key stays in this process")
