"""Jupiter's Swap API v2 and Price API v3, as far as a trader uses them."""

import asyncio
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from puppet_engine.core.errors import ChainUnavailableError, TradeError
from puppet_engine.solana.market import Price
from puppet_engine.solana.rpc import host_of
from puppet_engine.solana.trades import Amount, TradeIntent

Answer = TypeVar("Answer")


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class Order(_Answer):
    """A swap on offer. All amounts are base units."""

    request_id: str
    in_amount: Amount
    out_amount: Amount
    other_amount_threshold: Amount
    price_impact_pct: Decimal = Field(allow_inf_nan=False)
    """The share of the price, in spite of its name: 0.01 is one per cent."""
    transaction: str
    """Unsigned, in base64."""


class Execution(_Answer):
    """What Jupiter says became of a signed transaction; the chain alone knows."""

    status: str
    code: int


class _Refusal(_Answer):
    error_code: int | str | None = None
    transaction: str | None = None


class _UsdPrice(_Answer):
    usd_price: Decimal
    price_change_24h: Decimal | None = Field(default=None, alias="priceChange24h")


_EXECUTION = TypeAdapter(Execution)
_ORDER = TypeAdapter(Order)
_PRICES = TypeAdapter(dict[str, _UsdPrice])
_REFUSAL = TypeAdapter(_Refusal)


class JupiterClient:
    """A Jupiter server.

    Every method raises:
        ChainUnavailableError: no usable answer, so whether anything happened is unknown.
        TradeError: it said no, and nothing happened.
    """

    def __init__(
        self,
        url: str,
        *,
        http: httpx2.AsyncClient | None = None,
        timeout_seconds: float = 15,
    ) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout_seconds
        self._http = http or httpx2.AsyncClient(timeout=timeout_seconds)

    async def order(self, intent: TradeIntent, *, taker: str, slippage_bps: int) -> Order:
        """Return an offer for `intent`, to be signed by the address `taker`."""
        answer = await self._ask(
            "GET",
            "/swap/v2/order",
            params={
                "inputMint": intent.input_mint,
                "outputMint": intent.output_mint,
                "amount": intent.amount,
                "taker": taker,
                "slippageBps": slippage_bps,
            },
        )
        refusal = self._read(_REFUSAL, answer)
        if not refusal.transaction:
            raise TradeError(
                f"no offer for {intent!r} (code {refusal.error_code!r}): look at the balance"
            )
        return self._read(_ORDER, answer)

    async def execute(self, *, request_id: str, transaction: str) -> Execution:
        """Hand in a signed transaction; the same one may be handed in again."""
        body = {"requestId": request_id, "signedTransaction": transaction}
        answer = await self._ask("POST", "/swap/v2/execute", json=body)
        return self._read(_EXECUTION, answer)

    async def prices(self, mints: Iterable[str]) -> Mapping[str, Price]:
        """Return the prices of those of `mints` that have one."""
        answer = await self._ask("GET", "/price/v3", params={"ids": ",".join(mints)})
        found = self._read(_PRICES, answer)
        return {
            mint: Price(usd=each.usd_price, change_24h_percent=each.price_change_24h or Decimal(0))
            for mint, each in found.items()
            if each.usd_price > 0
        }

    async def aclose(self) -> None:
        """Release connections."""
        await self._http.aclose()

    async def _ask(self, method: str, path: str, **request: Any) -> bytes:
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._http.request(method, self.url + path, **request)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise ChainUnavailableError(
                f"{method} {path} at {host_of(self.url)!r} gave no answer"
                f" ({type(error).__name__}): look the trade up before repeating it"
            ) from error
        if response.is_client_error:
            raise TradeError(f"{method} {path} was refused with status {response.status_code}")
        if not response.is_success:
            raise ChainUnavailableError(
                f"{method} {path} failed with status {response.status_code}:"
                " look the trade up before repeating it"
            )
        return response.content

    def _read(self, shape: TypeAdapter[Answer], answer: bytes) -> Answer:
        try:
            return shape.validate_json(answer)
        except ValidationError as error:
            raise ChainUnavailableError(
                f"{host_of(self.url)!r} answered in a shape that is not Jupiter's"
            ) from error
