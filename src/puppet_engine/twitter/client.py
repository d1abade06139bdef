"""One account on X, through API v2."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from puppet_engine.core.clock import Clock, SystemClock
from puppet_engine.core.errors import MissingCredentialError, NetworkRefusedError
from puppet_engine.core.models import Post
from puppet_engine.twitter.answers import (
    WHOLE_POSTS,
    Answer,
    Profile,
    read_new_id,
    read_post,
    read_posts,
    read_profile,
)

if TYPE_CHECKING:
    import httpx2

    from puppet_engine.twitter.transport import SigningClient

CREDENTIALS: Final = ("api_key", "api_secret", "access_token", "access_token_secret")
"""The keys of an OAuth 1.0a user context, by the names X's developer console gives them."""

API_URL: Final = "https://api.x.com"

_PAGE: Final = 100
_MIN_SEARCH_PAGE: Final = 10
_MAX_PAGES: Final = 32  # X goes back 3,200 posts and no further


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
        self._me: tuple[Profile, datetime] | None = None

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
        return read_new_id(answer)

    async def delete_tweet(self, post_id: str) -> None:
        """Delete one of the account's own posts; nothing happens when it is gone already."""
        await self._api().delete_tweet(post_id)

    async def get_me(self, *, no_older_than: timedelta | None = None) -> Profile:
        """Return who the account is; X is asked once, or again when that is longer ago."""
        now = self._clock.now()
        if self._me is None or (no_older_than is not None and now - self._me[1] >= no_older_than):
            answer = await self._api().get_me(user_auth=True, user_fields=["description"])
            self._me = read_profile(answer), now
        return self._me[0]

    async def get_mentions(self, *, since_id: str | None = None) -> list[Post]:
        """Return posts that name or answer the account, newer than `since_id`, oldest first.

        Without `since_id` these are the newest hundred.
        """
        pages = 1 if since_id is None else _MAX_PAGES
        me = await self.get_me()
        call = partial(self._api().get_users_mentions, me.id, since_id=since_id)
        return await _oldest_first(call, pages=pages)

    async def get_own_posts(self, *, not_before: datetime) -> list[Post]:
        """Return what the account said since the second of `not_before`, oldest first."""
        me = await self.get_me()
        call = partial(self._api().get_users_tweets, me.id, start_time=not_before)
        return await _oldest_first(call, pages=_MAX_PAGES)

    async def get_tweet(self, post_id: str) -> Post:
        """Return one post; it is a `NetworkRefusedError` when there is none."""
        answer = await self._api().get_tweet(post_id, user_auth=True, **WHOLE_POSTS)
        if "data" not in answer:
            raise NetworkRefusedError(f"X has no post {post_id!r}, or hides it from this account")
        return read_post(answer)

    async def get_tweets(self, post_ids: Sequence[str]) -> list[Post]:
        """Return those of up to 100 posts that exist and may be seen."""
        answer = await self._api().get_tweets(list(post_ids), user_auth=True, **WHOLE_POSTS)
        posts, _ = read_posts(answer)
        return posts

    async def search_posts(self, query: str, *, limit: int = 10) -> list[Post]:
        """Return up to 100 posts of the last seven days that X finds, newest first.

        `query` is in X's language: words, `from:name`, `conversation_id:1` …
        """
        answer = await self._api().search_recent_tweets(
            query,
            user_auth=True,
            max_results=min(max(limit, _MIN_SEARCH_PAGE), _PAGE),
            **WHOLE_POSTS,
        )
        posts, _ = read_posts(answer)
        return posts[:limit]

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


async def _oldest_first(call: Callable[..., Awaitable[Answer]], *, pages: int) -> list[Post]:
    """Return the posts of up to `pages` pages of a timeline, which X gives newest first."""
    newest_first: list[Post] = []
    token: str | None = None
    for _ in range(pages):
        answer = await call(
            user_auth=True, max_results=_PAGE, pagination_token=token, **WHOLE_POSTS
        )
        posts, token = read_posts(answer)
        newest_first += posts
        if token is None:
            break
    return newest_first[::-1]
