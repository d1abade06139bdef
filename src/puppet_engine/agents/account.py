"""An agent's account that is opened when it is first used."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from typing_extensions import override

from puppet_engine.core.ids import PostId
from puppet_engine.core.models import Post
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.outbox.base import Quota


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
