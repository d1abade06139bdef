"""Where agents get what they need to live in the rehearsal world: over the wire, as anybody."""

import ssl
from functools import cache
from typing import Any, Final

import httpx2

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import (
    ChainUnavailableError,
    NetworkRefusedError,
    NetworkUnavailableError,
)
from puppet_engine.core.models import AgentConfig
from puppet_engine.solana.jupiter import JupiterClient
from puppet_engine.solana.spending import SpendingLimits
from puppet_engine.solana.trader import Trader
from puppet_engine.solana.trades import SOL_MINT, Token
from puppet_engine.solana.wallet import LAMPORTS_PER_SOL, SolanaWallet

PURSE_LAMPORTS: Final = 5 * LAMPORTS_PER_SOL
"""What a wallet finds in itself when it comes into the world empty."""


async def sign_up(
    world_url: str,
    *,
    handle: str,
    name: str,
    bio: str,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> dict[str, str]:
    """Open an account on the world's X, or find it again; return its keys, and where X is.

    Its page shows the `bio`; on the real X the operator writes it there, for its API does not.

    Raises:
        NetworkRefusedError: the world does not take such a handle, name or bio.
        NetworkUnavailableError: the world does not answer.

    """
    wanted = {"handle": handle, "name": name[:50], "description": bio}
    try:
        async with httpx2.AsyncClient(
            base_url=world_url, transport=transport, verify=_certificates()
        ) as client:
            answer = await client.post("/world/x/accounts", json=wanted)
    except httpx2.HTTPError as error:
        raise NetworkUnavailableError(f"the world at {world_url} does not answer") from error
    if answer.is_error:
        raise NetworkRefusedError(f"the world opens no account for @{handle}: {answer.text}")
    return {**answer.json(), "base_url": world_url}


async def open_rehearsal_wallet(
    world_url: str, rpc_url: str, config: AgentConfig, clock: Clock
) -> Trader:
    """Return a trader on the world's chain, with a purse, over the tokens that the world has.

    A persona without a key gets the wallet of its own name.

    Raises:
        ConfigurationError: the persona's key is no key.
        ChainUnavailableError: the chain does not answer.

    """
    key = config.solana_integration.private_key
    wallet = SolanaWallet(key if key is not None else config.id, rpc_url)
    try:
        async with httpx2.AsyncClient(verify=_certificates()) as client:
            listed = await client.get(f"{world_url}/tokens/v2/tag", params={"query": "verified"})
            if await wallet.get_balance_lamports() < LAMPORTS_PER_SOL:
                purse: dict[str, Any] = {
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "requestAirdrop",
                    "params": [wallet.address, PURSE_LAMPORTS],
                }
                (await client.post(rpc_url, json=purse)).raise_for_status()
    except httpx2.HTTPError as error:
        await wallet.aclose()
        raise ChainUnavailableError(f"the world at {world_url} does not answer") from error
    behavior = config.behavior.trading_behavior
    limits = SpendingLimits(
        tokens=tuple(
            Token(mint=token["id"], symbol=token["symbol"], decimals=token["decimals"])
            for token in listed.json()
            if token["id"] != SOL_MINT
        ),
        max_lamports_per_trade=behavior.max_lamports_per_trade,
        max_lamports_per_day=behavior.max_lamports_per_day,
    )
    return Trader(wallet=wallet, jupiter=JupiterClient(world_url), limits=limits, clock=clock)


@cache
def _certificates() -> ssl.SSLContext:
    """Return the certificates we trust: read once, not 25 ms long for each of many agents."""
    return httpx2.create_ssl_context()
