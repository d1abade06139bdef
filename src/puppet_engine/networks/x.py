"""X as one of the social networks."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from puppet_engine.core.clock import Clock
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import Post
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.twitter.client import API_URL, TwitterClient

if TYPE_CHECKING:
    import httpx2

_WORD: Final = re.compile(r"\w+")
_MAX_QUERY_CHARACTERS: Final = 512


def create(
    account: Mapping[str, str],
    clock: Clock,
    *,
    transport: "httpx2.AsyncBaseTransport | None" = None,
) -> SocialNetwork:
    """Return X for `account`: its four keys, and `base_url` where X is not the real one.

    `transport` replaces the sockets.
    """
    base_url = account.get("base_url", API_URL)
    client = TwitterClient(account, clock=clock, transport=transport, base_url=base_url)
    return XNetwork(client)


class XNetwork(SocialNetwork):
    """One account on X, through anything that has the methods of `TwitterClient`."""

    name = "x"

    def __init__(self, client: TwitterClient) -> None:
        self._client = client

    @override
    async def publish(self, text: str, *, in_reply_to: PostId | None = None) -> PostId:
        return PostId(await self._client.post_tweet(text, reply_to=in_reply_to))

    @override
    async def mentions(self, *, since: PostId | None = None) -> Sequence[Post]:
        return await self._client.get_mentions(since_id=since)

    @override
    async def own_posts(self, *, not_before: datetime) -> Sequence[Post]:
        return await self._client.get_own_posts(not_before=not_before)

    @override
    async def search(self, query: str, *, limit: int = 10) -> Sequence[Post]:
        words = plain_words(query)
        return await self._client.search_posts(words, limit=limit) if words else []

    @override
    async def thread(self, post: Post, *, limit: int = 10) -> Sequence[Post]:
        return await self._client.get_thread(post, limit=limit)

    @override
    async def aclose(self) -> None:
        await self._client.aclose()


def plain_words(query: str) -> str:
    """Return the words of `query` so that X reads none of them as an operator.

    Whole words are dropped from the end until X takes the length.
    """
    words = " ".join(f'"{word}"' for word in _WORD.findall(query))
    if len(words) <= _MAX_QUERY_CHARACTERS:
        return words
    return words[:_MAX_QUERY_CHARACTERS].rpartition(" ")[0]
