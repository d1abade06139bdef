"""Jupiter's Swap API v2 and Price API v3, answered by the rehearsal market."""

import base64
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from solders.pubkey import Pubkey
from solders.transaction import SanitizeError, VersionedTransaction

from puppet_engine.world.chain.ledger import Ledger, TransactionRefusedError
from puppet_engine.world.chain.maker import (
    SOL_MINT,
    MarketMaker,
    Order,
    OrderRefusedError,
    unsigned,
)
from puppet_engine.world.chain.market import PICO, Market, Quote

_BPS: Final = 10_000
_NOT_LANDED: Final = -1000
_INVALID_TRANSACTION: Final = -1002
_INSUFFICIENT_FUNDS: Final = 1
_MAX_PRICES: Final = 50


class Execution(BaseModel):
    """What a taker hands in: the signed transaction of an order."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")

    signed_transaction: str
    request_id: str


def jupiter_router(ledger: Ledger, market: Market, maker: MarketMaker) -> APIRouter:
    """Return the routes of `api.jup.ag` that a trader needs."""
    router = APIRouter()

    @router.get("/swap/v2/order")
    async def order(
        input_mint: Annotated[str, Query(alias="inputMint")],
        output_mint: Annotated[str, Query(alias="outputMint")],
        amount: Annotated[int, Query(gt=0, lt=2**64)],
        taker: str,
        slippage_bps: Annotated[int, Query(alias="slippageBps", ge=0, le=_BPS)] = 50,
    ) -> dict[str, Any]:
        if not {input_mint, output_mint} <= market.listings.keys() or input_mint == output_mint:
            raise HTTPException(400, "The token is not tradable")
        quote = market.quote(input_mint, output_mint, amount)
        buyer = _address(taker)
        answer = _quoted(quote, slippage_bps)
        if _funds(ledger, buyer, input_mint) < amount or not quote.received:
            return answer | {
                "transaction": None,
                "errorCode": _INSUFFICIENT_FUNDS,
                "errorMessage": "Insufficient funds",
            }
        return answer | _offered(maker.offer(quote, buyer))

    @router.post("/swap/v2/execute")
    async def execute(execution: Execution) -> dict[str, Any]:
        return _execute(execution, ledger, maker)

    @router.get("/price/v3")
    async def price(ids: str) -> dict[str, Any]:
        known = [mint for mint in ids.split(",")[:_MAX_PRICES] if mint in market.listings]
        return {mint: _priced(mint, market, ledger) for mint in known}

    return router


def _execute(execution: Execution, ledger: Ledger, maker: MarketMaker) -> dict[str, Any]:
    try:
        wire = base64.b64decode(execution.signed_transaction, validate=True)
        signed = VersionedTransaction.from_bytes(wire)
        signed.sanitize()
    except (ValueError, SanitizeError):
        return _failed(-2, "the signed transaction cannot be read")
    try:
        order = maker.execute(execution.request_id, signed)
    except OrderRefusedError as refusal:
        return _failed(refusal.code, str(refusal))
    except TransactionRefusedError as refusal:
        return _failed(_NOT_LANDED, str(refusal))
    return _executed(order, signed, ledger)


def _address(text: str) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except ValueError as error:
        raise HTTPException(400, "taker is no address") from error


def _funds(ledger: Ledger, owner: Pubkey, mint: str) -> int:
    if mint == SOL_MINT:
        return ledger.lamports(owner)
    return sum(
        token.amount for *_, token in ledger.token_accounts(owner) if str(token.mint) == mint
    )


def _quoted(quote: Quote, slippage_bps: int) -> dict[str, Any]:
    return {
        "mode": "manual",
        "swapMode": "ExactIn",
        "router": "jupiterz",
        "inputMint": quote.input.mint,
        "outputMint": quote.output.mint,
        "inAmount": str(quote.amount),
        "outAmount": str(quote.received),
        "otherAmountThreshold": str(quote.received * (_BPS - slippage_bps) // _BPS),
        "slippageBps": slippage_bps,
        "priceImpactPct": f"{float(quote.impact):.10f}",
        "routePlan": [],
        "feeBps": 0,
        "gasless": False,
    }


def _offered(order: Order) -> dict[str, Any]:
    return {
        "taker": str(order.taker),
        "requestId": order.id,
        "transaction": base64.b64encode(bytes(unsigned(order))).decode(),
        "lastValidBlockHeight": str(order.last_valid_block_height),
    }


def _executed(order: Order, signed: VersionedTransaction, ledger: Ledger) -> dict[str, Any]:
    signature = signed.signatures[0]
    landed = ledger.landed(signature)
    if landed is None or landed.error is not None:
        return _failed(_INVALID_TRANSACTION, "the transaction failed") | {
            "signature": str(signature)
        }
    paid, received = str(order.quote.amount), str(order.quote.received)
    return {
        "status": "Success",
        "code": 0,
        "signature": str(signature),
        "slot": str(landed.height),
        "totalInputAmount": paid,
        "totalOutputAmount": received,
        "inputAmountResult": paid,
        "outputAmountResult": received,
    }


def _failed(code: int, error: str) -> dict[str, Any]:
    return {"status": "Failed", "code": code, "error": error}


def _priced(mint: str, market: Market, ledger: Ledger) -> dict[str, Any]:
    listing = market.listings[mint]
    return {
        "usdPrice": market.price(mint) / PICO,
        "blockId": ledger.height,
        "decimals": listing.decimals,
        "priceChange24h": market.price_change_24h(mint),
        "liquidity": listing.liquidity,
    }
