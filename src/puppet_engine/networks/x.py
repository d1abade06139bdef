"""X as one of the social networks."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from puppet_engine.core.clock import Clock, SystemClock
from puppet_engine.core.errors import NetworkRefusedError
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import Post
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.networks.capabilities import Capabilities
from puppet_engine.outbox.base import Quota
from puppet_engine.outbox.limits import RateCap
from puppet_engine.style.honesty import discloses
from puppet_engine.twitter.answers import Profile
from puppet_engine.twitter.client import API_URL, TwitterClient

if TYPE_CHECKING:
    import httpx2

_WORD: Final = re.compile(r"\w+")
_MAX_QUERY_CHARACTERS: Final = 512
_PUBLISH: Final = "POST /2/tweets"

LOOKS_AGAIN_AFTER: Final = timedelta(minutes=15)
"""How long a bio that says nothing of a program is taken to say nothing still."""

CAPABILITIES: Final = Capabilities(
    caps=(RateCap(100, timedelta(minutes=15)),),
    post_price=15_000,
    link_price=200_000,
    reply_price=10_000,
)
"""X for pay-per-use accounts, as its documentation of August 2026 gives limits and prices.

It knows no idempotency keys; a repeated text it refuses as a duplicate.
How it counts characters is its own (links and wide characters differ): it says no itself.
"""


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
    return XNetwork(client, clock=clock)


class XNetwork(SocialNetwork):
    """One account on X, through anything that has the methods of `TwitterClient`."""

    name = "x"
    capabilities = CAPABILITIES

    def __init__(self, client: TwitterClient, *, clock: Clock | None = None) -> None:
        self._client = client
        self._clock = clock or SystemClock()
        self._is_declared = False
        self._undeclared: tuple[Profile, datetime] | None = None

    @override
    async def publish(
        self, text: str, *, in_reply_to: PostId | None = None, idempotency_key: str | None = None
    ) -> PostId:
        await self._require_declared()
        return PostId(await self._client.post_tweet(text, reply_to=in_reply_to))

    async def _require_declared(self) -> None:
        """See to it that the account's bio says that a program speaks, as X demands.

        X's API writes no profiles: the operator has to, as they set the label "Automated". A bio
        that says so is not looked at again; another one is, a quarter of an hour later.
        """
        # A stand-in for the client need not know who it is.
        knows_itself = hasattr(self._client, "get_me")
        if self._is_declared or self.capabilities.is_labelled_as_bot or not knows_itself:
            return
        now = self._clock.now()
        if self._undeclared is None or now >= self._undeclared[1]:
            me = await self._client.get_me(no_older_than=LOOKS_AGAIN_AFTER)
            # Nor has a mock of one to say.
            if not isinstance(me, Profile) or discloses(me.description):  # type: ignore[redundant-expr]
                self._is_declared = True
                return
            self._undeclared = me, now + LOOKS_AGAIN_AFTER
        who, again = self._undeclared
        raise NetworkRefusedError(
            f"the bio of @{who.username} does not say that a program speaks, which X demands: "
            "write it there, as in 'An AI persona, run by a program.'; it is looked at again "
            f"from {again:%H:%M} UTC on"
        )

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
    def publish_quota(self) -> Quota | None:
        # A stand-in for the client need not know of limits.
        limits = getattr(self._client, "rate_limits", None)
        said = limits.get(_PUBLISH, {}) if isinstance(limits, Mapping) else {}
        if "remaining" not in said or "reset" not in said:
            return None
        resets_at = datetime.fromtimestamp(said["reset"], UTC)
        return Quota(remaining=said["remaining"], resets_at=resets_at)

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
