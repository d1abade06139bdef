"""The accounts and wallets through which agents act; those of idle agents are not open."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import IntentKind, Post
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.networks.x import XNetwork
from puppet_engine.outbox.base import Quota
from puppet_engine.solana.trader import Trader

CHAIN: Final = "solana"

OpenAccount = Callable[[Agent], Awaitable[SocialNetwork]]
OpenWallet = Callable[[Agent], Awaitable[Trader]]


class Accounts:
    """The accounts and wallets of the agents in memory, by the agent's id."""

    def __init__(
        self,
        *,
        open_account: OpenAccount | None,
        network: type[SocialNetwork] = XNetwork,
        open_wallet: OpenWallet | None,
    ) -> None:
        self._open_account = open_account
        self._network = network
        self._open_wallet = open_wallet
        self._networks: dict[str, SocialNetwork] = {}
        self._traders: dict[str, Trader] = {}
        self.default_network: SocialNetwork | None = None
        """Of agents that have no account of their own."""

    # -------------------------------------------------------------- coming and going

    async def open(self, agent: Agent) -> None:
        """Open an agent's account and wallet now, if it is to have them."""
        if self._open_account is not None:
            self._networks[agent.id] = await self._open_account(agent)
        await self._open_purse(agent)

    async def expect(self, agent: Agent) -> None:
        """Have an agent's account ready to be opened at its first use."""
        if (account := self.unopened(agent)) is not None:
            self._networks[agent.id] = account
        await self._open_purse(agent)

    def unopened(self, agent: Agent) -> "UnopenedAccount | None":
        """Return the account that an agent will have, before anybody needs it."""
        if self._open_account is None:
            return None
        return UnopenedAccount(partial(self._open_account, agent), like=self._network)

    async def _open_purse(self, agent: Agent) -> None:
        if self._open_wallet is not None and agent.config.solana_integration.trading_enabled:
            self._traders[agent.id] = await self._open_wallet(agent)

    async def part_from(self, agent_id: str) -> None:
        """Let go of the account and the wallet of an agent that is idle."""
        if (network := self._networks.pop(agent_id, None)) is not None:
            await network.aclose()
        if (trader := self._traders.pop(agent_id, None)) is not None:
            await trader.aclose()

    async def close(self) -> None:
        """Close all accounts and wallets."""
        for network in self._networks.values():
            await network.aclose()
        for trader in self._traders.values():
            await trader.aclose()

    # -------------------------------------------------------------- whose is what

    def network_of(self, agent_id: str) -> SocialNetwork | None:
        """Return an agent's account; None when it has none."""
        return self._networks.get(agent_id, self.default_network)

    def trader_of(self, agent_id: str) -> Trader | None:
        """Return an agent's wallet; None when it has none."""
        return self._traders.get(agent_id)

    def name_of(self, agent_id: str, kind: IntentKind) -> str:
        """Return the name of what an agent's intents of a kind go out through."""
        if kind is IntentKind.TRADE:
            return f"{CHAIN}:{agent_id}"
        if agent_id in self._networks or self.default_network is None:
            network = self._networks.get(agent_id)
            return f"{network.name if network else 'none'}:{agent_id}"
        return self.default_network.name

    def names_of(self, agent_id: str, kinds: Collection[IntentKind]) -> list[str]:
        """Return what an agent's intents of some kinds go out through, each once."""
        return sorted({self.name_of(agent_id, kind) for kind in kinds})


class UnopenedAccount(SocialNetwork):
    """Costs nothing until somebody speaks or listens: for agents that are mostly idle."""

    def __init__(
        self,
        open_account: Callable[[], Awaitable[SocialNetwork]],
        *,
        like: type[SocialNetwork],
    ) -> None:
        # Intents name their account, and an engine that starts again looks for that name.
        self.name = like.name
        self.capabilities = like.capabilities
        self._open = open_account
        self._opening = asyncio.Lock()
        self._account: SocialNetwork | None = None

    async def _opened(self) -> SocialNetwork:
        async with self._opening:
            if self._account is None:
                self._account = await self._open()
            return self._account

    @override
    async def publish(
        self, text: str, *, in_reply_to: PostId | None = None, idempotency_key: str | None = None
    ) -> PostId:
        account = await self._opened()
        return await account.publish(
            text, in_reply_to=in_reply_to, idempotency_key=idempotency_key
        )

    @override
    async def like(self, post_id: PostId) -> None:
        await (await self._opened()).like(post_id)

    @override
    async def repost(self, post_id: PostId) -> PostId:
        return await (await self._opened()).repost(post_id)

    @override
    async def quote(
        self, text: str, *, quoted: PostId, idempotency_key: str | None = None
    ) -> PostId:
        account = await self._opened()
        return await account.quote(text, quoted=quoted, idempotency_key=idempotency_key)

    @override
    async def mentions(self, *, since: PostId | None = None) -> Sequence[Post]:
        return await (await self._opened()).mentions(since=since)

    @override
    async def own_posts(self, *, not_before: datetime) -> Sequence[Post]:
        return await (await self._opened()).own_posts(not_before=not_before)

    @override
    async def search(self, query: str, *, limit: int = 10) -> Sequence[Post]:
        return await (await self._opened()).search(query, limit=limit)

    @override
    async def thread(self, post: Post, *, limit: int = 10) -> Sequence[Post]:
        return await (await self._opened()).thread(post, limit=limit)

    @override
    def publish_quota(self) -> Quota | None:
        return None if self._account is None else self._account.publish_quota()

    @override
    async def aclose(self) -> None:
        if self._account is not None:
            await self._account.aclose()
