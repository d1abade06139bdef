"""Jupiter's list of tokens, as far as the rehearsal chain has any."""

from typing import Any

from fastapi import APIRouter

from puppet_engine.world.chain.market import Market


def tokens_router(market: Market) -> APIRouter:
    """Return the route to the tokens that can be traded; each is verified, for we made it."""
    router = APIRouter()

    @router.get("/tokens/v2/tag")
    async def tagged(query: str) -> list[dict[str, Any]]:
        if query != "verified":
            return []
        return [
            {
                "id": listing.mint,
                "symbol": listing.symbol,
                "name": listing.symbol,
                "decimals": listing.decimals,
                "isVerified": True,
            }
            for listing in market.listings.values()
        ]

    return router
