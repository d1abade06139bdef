"""One account on X, through API v2."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from puppet_engine.core.clock import Clock, SystemClock
from puppet_engine.core.errors import MissingCredentialError, NetworkRefusedError
from puppet_engine.core.models import Post
from puppet_engine.twitter.answers import (
    WHOLE_POSTS,
    next_page,
    read_id,
    read_post,
    read_posts,
)

if TYPE_CHECKING:
    import httpx2

    from puppet_engine.twitter.transport import SigningClient

CREDENTIALS: Final = ("api_key", "api_secret", "access_token", "access_token_secret")
"""The keys of an OAuth 1.0a user context, by the names X's developer console gives them."""

API_URL: Final = "https://api.x.com"

_PAGE: Final = 100
_MIN_SEARCH_PAGE: Final = 10


class TwitterClient:
    """Posts and reads as one account; `credentials` holds its `CREDENTIALS`.

    Building one is free and needs no keys; they are asked for at the first call.
    Nothing is sent twice: after `NetworkUnavailableError` look into `get_own_posts`
    before posting the same again.
    `clock` tells the time in which rate limits are given; `transport` replaces the sockets.

    Every method raises:
        MissingCredentialError: a key is missing; the message names it.
        NetworkRefusedError: X said no; `RateLimitedError` when it said not now.
        NetworkUnavailableError: no answer, or none that can be read.
    """

    def __init__(
        self,
        credentials: Mapping[str, str],
        *,
        clock: Clock | None = None,
        transport: "httpx2.AsyncBaseTransport | None" = None,
        base_url: str = API_URL,
        timeout_seconds: float = 15,
    ) -> None:
        self._credentials = {name: credentials.get(name, "") for name in CREDENTIALS}
        self._clock = clock or SystemClock()
        self._transport = transport
        self._base_url = base_url
        self._timeout_seconds = timeout_seconds
        self._opened: SigningClient | None = None
        self._own_id: str | None = None

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._base_url!r})"

    @property
    def rate_limits(self) -> Mapping[str, Mapping[str, int]]:
        """What X last said is left: `limit`, `remaining`, `reset` by `GET /2/tweets/:id`."""
        return self._opened.rate_limits if self._opened else {}

    async def post_tweet(self, text: str, *, reply_to: str | None = None) -> str:
        """Publish a post, or a reply, and return its id."""
        answer = await self._api().create_tweet(text=text, in_reply_to_tweet_id=reply_to)
        return read_id(answer)

    async def delete_tweet(self, post_id: str) -> None:
        """Delete one of the account's own posts; nothing happens when it is gone already."""
        await self._api().delete_tweet(post_id)

    async def get_me(self) -> Mapping[str, str]:
        """Return the account's own `id`, `name` and `username`."""
        answer = await self._api().get_me(user_auth=True)
        self._own_id = read_id(answer)
        me: Mapping[str, str] = answer["data"]
        return me

    async def get_mentions(self, *, since_id: str | None = None) -> list[Post]:
        """Return posts that name or answer the account, newer than `since_id`, oldest first.

        Without `since_id` these are the newest hundred.
        """
        own_id = await self._who_am_i()
        return await self._newer(
            "get_users_mentions", own_id, only_one_page=since_id is None, since_id=since_id
        )

    async def get_own_posts(self, *, not_before: datetime) -> list[Post]:
        """Return what the account said since the second of `not_before`, oldest first."""
        own_id = await self._who_am_i()
        return await self._newer("get_users_tweets", own_id, start_time=not_before)

    async def get_tweet(self, post_id: str) -> Post:
        """Return one post; it is a `NetworkRefusedError` when there is none."""
        answer = await self._api().get_tweet(post_id, user_auth=True, **WHOLE_POSTS)
        if "data" not in answer:
            raise NetworkRefusedError(f"X has no post {post_id!r}, or hides it from this account")
        return read_post(answer)

    async def get_tweets(self, post_ids: list[str]) -> list[Post]:
        """Return those of up to 100 posts that exist and may be seen."""
        return read_posts(await self._api().get_tweets(post_ids, user_auth=True, **WHOLE_POSTS))

    async def search_posts(self, query: str, *, limit: int = 10) -> list[Post]:
        """Return posts of the last seven days that X finds for `query`, newest first.

        `query` is in X's language: words, `from:name`, `conversation_id:1` …
        """
        answer = await self._api().search_recent_tweets(
            query,
            user_auth=True,
            max_results=min(max(limit, _MIN_SEARCH_PAGE), _PAGE),
            **WHOLE_POSTS,
        )
        return read_posts(answer)[:limit]

    async def get_thread(self, post: Post, *, limit: int = 10) -> list[Post]:
        """Return the posts that lead to `post`, oldest first, the last `limit` of them.

        One that is deleted or hidden ends the walk.
        """
        earlier: list[Post] = []
        parent = post.in_reply_to
        while parent is not None and len(earlier) < limit:
            found = await self.get_tweets([parent])
            if not found:
                break
            earlier += found
            parent = found[0].in_reply_to
        return earlier[::-1]

    async def aclose(self) -> None:
        """Close the connections. Using the client again opens new ones."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            await opened.aclose()

    async def _who_am_i(self) -> str:
        if self._own_id is None:
            self._own_id = read_id(await self._api().get_me(user_auth=True))
        return self._own_id

    async def _newer(
        self, method: str, own_id: str, *, only_one_page: bool = False, **wanted: Any
    ) -> list[Post]:
        """Return what a timeline method gives, all pages of it, oldest first."""
        call = getattr(self._api(), method)
        posts: list[Post] = []
        token: str | None = None
        while True:
            answer = await call(
                own_id,
                user_auth=True,
                max_results=_PAGE,
                pagination_token=token,
                **wanted,
                **WHOLE_POSTS,
            )
            posts += read_posts(answer)
            token = next_page(answer)
            if token is None or only_one_page:
                return posts[::-1]

    def _api(self) -> "SigningClient":
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> "SigningClient":
        missing = [name for name, value in self._credentials.items() if not value]
        if missing:
            raise MissingCredentialError("X", missing)
        # tweepy, aiohttp under it and the signer take a fifth of a second to import.
        from oauthlib.oauth1 import Client as Signer  # noqa: PLC0415

        from puppet_engine.twitter.transport import SigningClient  # noqa: PLC0415

        return SigningClient(
            signer=Signer(*self._credentials.values()),
            clock=self._clock,
            base_url=self._base_url,
            timeout_seconds=self._timeout_seconds,
            transport=self._transport,
        )
