"""Jupiter servers that misbehave."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import httpx2
import pytest
from typing_extensions import override

from puppet_engine.core.errors import ChainUnavailableError, TradeError
from puppet_engine.solana.jupiter import JupiterClient
from puppet_engine.solana.trades import SOL_MINT, TradeIntent

MINT = "C8AjYMibPYEoeJVk5pVuMPxrGtnTE6r6WjXAhBegW7D1"
Server = Callable[[httpx2.Request], httpx2.Response]
Connect = Callable[..., JupiterClient]


@pytest.fixture
async def connect() -> AsyncGenerator[Connect]:
    clients = []

    def connected(transport: httpx2.AsyncBaseTransport) -> JupiterClient:
        http = httpx2.AsyncClient(transport=transport)
        clients.append(JupiterClient("http://127.0.0.1:1/", http=http, timeout_seconds=0.2))
        return clients[-1]

    yield connected
    for client in clients:
        await client.aclose()


class Silence(httpx2.AsyncBaseTransport):
    """Never answers."""

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")


def answering(status: int, text: str) -> httpx2.MockTransport:
    return httpx2.MockTransport(lambda _request: httpx2.Response(status, text=text))


@pytest.mark.parametrize(
    "transport",
    [
        Silence(),
        answering(502, "<html>"),
        answering(302, ""),
        answering(200, "<html>"),
        answering(200, "{}"),
        answering(200, '{"status": "Success", "code": "many"}'),
    ],
    ids=["silence", "502", "302", "html", "empty", "wrong type"],
)
async def test_when_the_answer_is_unusable_the_outcome_is_unknown(
    transport: httpx2.AsyncBaseTransport, connect: Connect
) -> None:
    with pytest.raises(ChainUnavailableError):
        await connect(transport).execute(request_id="r", transaction="t")


async def test_a_refused_request_did_nothing(connect: Connect) -> None:
    with pytest.raises(TradeError, match="400") as caught:
        await connect(answering(400, "The token is not tradable")).prices([SOL_MINT])

    assert not isinstance(caught.value, ChainUnavailableError)


@pytest.mark.parametrize("transaction", ["null", '""'])
async def test_an_order_without_a_transaction_is_no_offer(
    transaction: str, connect: Connect
) -> None:
    answer = answering(200, f'{{"transaction": {transaction}, "errorCode": 1}}')
    intent = TradeIntent(input_mint=SOL_MINT, output_mint=MINT, amount=1)

    with pytest.raises(TradeError, match=r"no offer .* \(code 1\)"):
        await connect(answer).order(intent, taker=MINT, slippage_bps=50)


@pytest.mark.parametrize("field", ["inAmount", "outAmount", "otherAmountThreshold"])
@pytest.mark.parametrize("amount", ["0", "-1", "1.5", "1e99", "18446744073709551616"])
async def test_an_amount_that_is_no_number_of_base_units_is_unusable(
    field: str, amount: str, connect: Connect
) -> None:
    order = {
        "requestId": "r",
        "inAmount": "1",
        "outAmount": "1",
        "otherAmountThreshold": "1",
        "priceImpactPct": "0",
        "transaction": "AA==",
        field: amount,
    }
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, json=order))
    intent = TradeIntent(input_mint=SOL_MINT, output_mint=MINT, amount=1)

    with pytest.raises(ChainUnavailableError, match="shape"):
        await connect(transport).order(intent, taker=MINT, slippage_bps=50)


async def test_a_price_of_nothing_is_no_price(connect: Connect) -> None:
    prices = answering(
        200, f'{{"{MINT}": {{"usdPrice": 0}}, "{SOL_MINT}": {{"usdPrice": 150.5}}}}'
    )

    found = await connect(prices).prices([MINT, SOL_MINT])

    assert {mint: str(price.usd) for mint, price in found.items()} == {SOL_MINT: "150.5"}
