import copy
import json
import pickle

import pytest
from pydantic import SecretStr
from solana.rpc import async_api
from solders.keypair import Keypair

from puppet_engine.core.errors import ChainUnavailableError, ConfigurationError
from puppet_engine.solana.wallet import SolanaWallet

REMOTE = "https://node.example/?api-key=secret"


async def test_a_balance_is_told_in_sol_and_in_lamports(wallet: SolanaWallet) -> None:
    assert await wallet.get_balance() == 10.0
    assert await wallet.get_balance_lamports() == 10_000_000_000


def test_a_key_is_read_as_base58_and_as_json() -> None:
    keypair = Keypair()

    wallets = [
        SolanaWallet(str(keypair), REMOTE),
        SolanaWallet(SecretStr(str(keypair)), REMOTE),
        SolanaWallet(json.dumps(list(bytes(keypair))), REMOTE),
    ]

    assert {wallet.address for wallet in wallets} == {str(keypair.pubkey())}


@pytest.mark.parametrize(
    "text",
    [
        "mira",
        "",
        "[1, 2, 3]",
        "[256]",
        "[",
        '{"key": 1}',
        "5" * 88,
        "\N{SNOWMAN}" * 10,
        "0OIl" * 22,
        str(Keypair.from_seed(bytes(range(32))))[:-1],
    ],
)
def test_a_key_that_is_none_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigurationError, match="private key cannot be read") as caught:
        SolanaWallet(text, REMOTE)

    assert not text or text not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_name_stands_for_a_wallet_in_rehearsals_only() -> None:
    here = "http://127.0.0.1:8899"

    assert SolanaWallet("mira", here).address == SolanaWallet("mira", here).address
    assert SolanaWallet("mira", here).address != SolanaWallet("noah", here).address
    with pytest.raises(ConfigurationError):
        SolanaWallet("mira", "http://127.0.0.1.example")


def test_a_mistyped_key_is_no_name_even_in_rehearsals() -> None:
    with pytest.raises(ConfigurationError):
        SolanaWallet(str(Keypair())[:-2], "http://localhost:8899")


def test_a_wallet_shows_its_address_and_never_its_key() -> None:
    keypair = Keypair()
    wallet = SolanaWallet(str(keypair), REMOTE)

    shown = f"{wallet} {wallet!r} {vars(wallet)!r}"

    assert wallet.address in shown
    for secret in (str(keypair), bytes(keypair.secret()).hex(), str(list(keypair.secret()))):
        assert secret not in shown


def test_a_wallet_is_neither_pickled_nor_copied() -> None:
    wallet = SolanaWallet(str(Keypair()), REMOTE)

    for duplicate in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            duplicate(wallet)


async def test_the_client_is_looked_up_when_it_is_first_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wallet = SolanaWallet("test_key", "test_url")

    class Reply:
        value = 1_500_000_000

    class ReadyClient:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def get_balance(self, _address: object) -> Reply:
            return Reply()

    monkeypatch.setattr(async_api, "AsyncClient", ReadyClient)

    assert await wallet.get_balance() == 1.5


async def test_a_node_out_of_reach_is_named_without_the_key_in_its_url() -> None:
    wallet = SolanaWallet("mira", "http://127.0.0.1:1/?api-key=secret")

    with pytest.raises(ChainUnavailableError, match=r"127\.0\.0\.1") as caught:
        await wallet.get_balance()

    assert "secret" not in str(caught.value)
