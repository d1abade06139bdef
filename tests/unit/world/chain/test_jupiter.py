import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.transaction import VersionedTransaction

from puppet_engine.core.clock import VirtualClock
from puppet_engine.world.chain.maker import SOL_MINT
from puppet_engine.world.chain.router import Chain

TAKER = Keypair()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 5, 4, 12, tzinfo=UTC))


@pytest.fixture
def chain(clock: VirtualClock) -> Chain:
    chain = Chain(clock=clock, seed=7)
    chain.ledger.airdrop(TAKER.pubkey(), 10**9)
    return chain


@pytest.fixture
def http(chain: Chain) -> TestClient:
    app = FastAPI()
    app.include_router(chain.router)
    return TestClient(app)


def order(http: TestClient, chain: Chain, **changed: str | int) -> dict[str, Any]:
    asked: dict[str, str | int] = {
        "inputMint": SOL_MINT,
        "outputMint": chain.maker.mints["CAPY"],
        "amount": 10**8,
        "taker": str(TAKER.pubkey()),
    }
    answer: dict[str, Any] = http.get("/swap/v2/order", params=asked | changed).json()
    return answer


def execute(http: TestClient, request_id: str, transaction: VersionedTransaction) -> Any:
    wire = base64.b64encode(bytes(transaction)).decode()
    return http.post(
        "/swap/v2/execute", json={"requestId": request_id, "signedTransaction": wire}
    ).json()


def signed(offer: Mapping[str, Any]) -> VersionedTransaction:
    transaction = VersionedTransaction.from_bytes(base64.b64decode(offer["transaction"]))
    signatures = list(transaction.signatures)
    signatures[0] = TAKER.sign_message(to_bytes_versioned(transaction.message))
    return VersionedTransaction.populate(transaction.message, signatures)


def test_an_executed_order_gives_what_was_quoted(http: TestClient, chain: Chain) -> None:
    offer = order(http, chain)

    done = execute(http, offer["requestId"], signed(offer))

    [(_, _, held)] = chain.ledger.token_accounts(TAKER.pubkey())
    assert (done["status"], done["code"]) == ("Success", 0)
    assert str(held.amount) == offer["outAmount"] == done["outputAmountResult"]


def test_executing_again_changes_nothing(http: TestClient, chain: Chain) -> None:
    offer = order(http, chain)
    execute(http, offer["requestId"], signed(offer))
    balance = chain.ledger.lamports(TAKER.pubkey())

    again = execute(http, offer["requestId"], signed(offer))

    assert again["code"] == 0
    assert chain.ledger.lamports(TAKER.pubkey()) == balance


def test_an_order_nobody_made_is_refused(http: TestClient, chain: Chain) -> None:
    assert execute(http, "none", signed(order(http, chain)))["code"] == -1


def test_an_order_the_taker_did_not_sign_is_refused(http: TestClient, chain: Chain) -> None:
    offer = order(http, chain)
    unsigned = VersionedTransaction.from_bytes(base64.b64decode(offer["transaction"]))

    assert execute(http, offer["requestId"], unsigned)["code"] == -2


@pytest.mark.parametrize("wire", ["", "!", "AAAA", "AQ=="])
def test_bytes_that_are_no_transaction_are_refused(
    wire: str, http: TestClient, chain: Chain
) -> None:
    body = {"requestId": order(http, chain)["requestId"], "signedTransaction": wire}

    assert http.post("/swap/v2/execute", json=body).json()["code"] == -2


def test_the_maker_signs_nothing_but_its_own_offer(http: TestClient, chain: Chain) -> None:
    small, large = order(http, chain), order(http, chain, amount=2 * 10**8)

    assert execute(http, small["requestId"], signed(large))["code"] == -3
    assert chain.ledger.token_accounts(TAKER.pubkey()) == []


def test_an_expired_order_does_not_land(
    http: TestClient, chain: Chain, clock: VirtualClock
) -> None:
    offer = order(http, chain)
    clock.advance(timedelta(minutes=2))

    assert execute(http, offer["requestId"], signed(offer))["code"] == -1000


def test_without_funds_there_is_a_quote_and_no_transaction(http: TestClient, chain: Chain) -> None:
    offer = order(http, chain, amount=10**10)

    assert offer["transaction"] is None
    assert offer["errorMessage"] == "Insufficient funds"
    assert int(offer["outAmount"]) > 0


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"outputMint": str(Keypair().pubkey())}, 400),
        ({"outputMint": SOL_MINT}, 400),
        ({"taker": "nobody"}, 400),
        ({"amount": 0}, 422),
        ({"amount": 2**64}, 422),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    changed: dict[str, str | int], status: int, http: TestClient, chain: Chain
) -> None:
    asked: dict[str, str | int] = {
        "inputMint": SOL_MINT,
        "outputMint": chain.maker.mints["CAPY"],
        "amount": 1,
        "taker": str(TAKER.pubkey()),
    }

    assert http.get("/swap/v2/order", params=asked | changed).status_code == status


def test_prices_of_unknown_mints_are_left_out(http: TestClient) -> None:
    prices = http.get("/price/v3", params={"ids": f"{SOL_MINT},unknown"}).json()

    assert prices.keys() == {SOL_MINT}
    assert prices[SOL_MINT]["usdPrice"] == 150


def test_the_same_seed_makes_the_same_world(chain: Chain, clock: VirtualClock) -> None:
    again = Chain(clock=clock, seed=7)

    assert again.maker.mints == chain.maker.mints
    assert again.maker.address == chain.maker.address
    assert Chain(clock=clock, seed=8).maker.mints != chain.maker.mints
