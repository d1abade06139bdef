"""An agent's account that is opened when it is first used."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from typing_extensions import override

from puppet_engine.core.ids import PostId
from puppet_engine.core.models import Post
from puppet_engine.networks.base import SocialNetwork


class UnopenedAccount(SocialNetwork):
    """Costs nothing until somebody speaks or listens: for agents that are mostly idle."""

    name = "not opened yet"

    def __init__(self, open_account: Callable[[], Awaitable[SocialNetwork]]) -> None:
        self._open = open_account
        self._opening = asyncio.Lock()
        self._account: SocialNetwork | None = None

    async def _opened(self) -> SocialNetwork:
        async with self._opening:
            if self._account is None:
                self._account = await self._open()
                self.name = self._account.name
            return self._account

    @override
    async def publish(self, text: str, *, in_reply_to: PostId | None = None) -> PostId:
        return await (await self._opened()).publish(text, in_reply_to=in_reply_to)

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
    async def aclose(self) -> None:
        if self._account is not None:
            await self._account.aclose()
