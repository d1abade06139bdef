"""A rehearsal chain on a real loopback port, a funded wallet and a trader."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI

from puppet_engine.core.clock import VirtualClock
from puppet_engine.solana.jupiter import JupiterClient
from puppet_engine.solana.spending import SpendingLimits
from puppet_engine.solana.trader import Trader
from puppet_engine.solana.trades import Token
from puppet_engine.solana.wallet import LAMPORTS_PER_SOL, SolanaWallet
from puppet_engine.world.chain.router import Chain
from puppet_engine.world.server import LoopbackServer


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 5, 4, 12, tzinfo=UTC))


@pytest.fixture
def chain(clock: VirtualClock) -> Chain:
    return Chain(clock=clock, seed=7)


@pytest.fixture
async def url(chain: Chain) -> AsyncGenerator[str]:
    app = FastAPI()
    app.include_router(chain.router)
    server = LoopbackServer(app)
    yield await server.start()
    await server.stop()


@pytest.fixture
async def wallet(url: str, chain: Chain) -> AsyncGenerator[SolanaWallet]:
    wallet = SolanaWallet("mira", f"{url}/rpc")
    chain.ledger.airdrop(wallet.public_key, 10 * LAMPORTS_PER_SOL)
    yield wallet
    await wallet.aclose()


@pytest.fixture
async def jupiter(url: str) -> AsyncGenerator[JupiterClient]:
    client = JupiterClient(url)
    yield client
    await client.aclose()


@pytest.fixture
def capy(chain: Chain) -> Token:
    return Token(mint=chain.maker.mints["CAPY"], symbol="CAPY", decimals=6)


@pytest.fixture
def limits(capy: Token) -> SpendingLimits:
    return SpendingLimits(
        tokens=(capy,),
        max_lamports_per_trade=LAMPORTS_PER_SOL,
        max_lamports_per_day=3 * LAMPORTS_PER_SOL,
    )


@pytest.fixture
def trader(
    wallet: SolanaWallet, jupiter: JupiterClient, limits: SpendingLimits, clock: VirtualClock
) -> Trader:
    return Trader(wallet=wallet, jupiter=jupiter, limits=limits, clock=clock)
