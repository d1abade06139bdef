"""Nodes that misbehave, on a real loopback port."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import pytest

from puppet_engine.core.errors import ChainUnavailableError
from puppet_engine.solana.rpc import SolanaRpc, is_loopback
from puppet_engine.solana.wallet import SolanaWallet


@contextlib.asynccontextmanager
async def answering(body: bytes | None, status: str = "200 OK") -> AsyncGenerator[SolanaRpc]:
    """Serve one answer to every request; None never answers."""
    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            serving.append(task)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            if body is not None:
                head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
            await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    rpc = SolanaRpc(f"http://127.0.0.1:{port}", timeout_seconds=0.5)
    try:
        yield rpc
    finally:
        await rpc.aclose()
        server.close()
        await asyncio.gather(*serving)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, ""),
        (b"<html>bad gateway</html>", "502 Bad Gateway"),
        (b"<html>hello</html>", "200 OK"),
        (b"{}", "200 OK"),
        (b'{"jsonrpc":"2.0","id":0,"result":"much"}', "200 OK"),
        (b'{"jsonrpc":"2.0","id":0,"error":{"code":-32005,"message":"behind"}}', "200 OK"),
        (
            b'{"jsonrpc":"2.0","id":0,"error":{"code":-32002,"message":"x","data":{"err":"?"}}}',
            "200 OK",
        ),
    ],
    ids=["hangs", "502", "html", "empty", "wrong type", "error", "an error that makes it panic"],
)
async def test_a_node_without_a_usable_answer_is_unavailable(
    body: bytes | None, status: str
) -> None:
    async with answering(body, status) as rpc:
        with pytest.raises(ChainUnavailableError, match="getBlockHeight"):
            await rpc.block_height()


async def test_a_question_given_up_by_the_asker_is_cancelled_and_not_unavailable() -> None:
    async with answering(None) as rpc:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rpc.block_height(), 0.1)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8899", True),
        ("http://localhost", True),
        ("http://[::1]:8899/rpc", True),
        ("https://api.mainnet-beta.solana.com", False),
        ("http://127.0.0.1.example", False),
        ("http://localhost@evil.example", False),
        ("http://0.0.0.0:8899", False),
        ("127.0.0.1:8899", False),
        ("test_url", False),
        ("", False),
    ],
)
def test_only_an_address_of_this_machine_is_loopback(url: str, local: bool) -> None:
    assert is_loopback(url) is local


async def test_a_wallet_at_a_node_that_hangs_says_so() -> None:
    async with answering(None) as rpc:
        wallet = SolanaWallet("mira", rpc.url, timeout_seconds=0.2)

        with pytest.raises(ChainUnavailableError, match="getBalance"):
            await wallet.get_balance()
        await wallet.aclose()
