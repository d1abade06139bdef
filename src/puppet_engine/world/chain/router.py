"""The rehearsal chain as one set of routes, to be mounted into a local server."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from puppet_engine.core.clock import Clock
from puppet_engine.core.ids import seeded_ids
from puppet_engine.world.chain.jsonrpc import JsonRpc
from puppet_engine.world.chain.jupiter import jupiter_router
from puppet_engine.world.chain.ledger import Ledger
from puppet_engine.world.chain.maker import MarketMaker, found_listings
from puppet_engine.world.chain.market import Market


class Chain:
    """A ledger, a market and its maker, and the routes to them. All state is in memory.

    `router` serves Solana's JSON-RPC at `/rpc`, and Jupiter at `/swap/v2` and `/price/v3`.
    """

    def __init__(self, *, clock: Clock, seed: int) -> None:
        self.ledger = Ledger(clock=clock, seed=seed)
        self.market = Market(found_listings(self.ledger), clock=clock, seed=seed)
        self.maker = MarketMaker(self.ledger, self.market, new_id=seeded_ids(f"orders:{seed}"))
        self.router = APIRouter()
        self.router.include_router(jupiter_router(self.ledger, self.market, self.maker))
        rpc = JsonRpc(self.ledger)

        @self.router.post("/rpc")
        async def json_rpc(request: dict[str, Any]) -> Mapping[str, Any]:
            return rpc.answer(request)
