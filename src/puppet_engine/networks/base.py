"""The port to a social network, as one account sees it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from puppet_engine.core.ids import PostId
from puppet_engine.core.models import Post
from puppet_engine.networks.capabilities import Capabilities
from puppet_engine.outbox.base import Quota


class SocialNetwork(ABC):
    """One account on one network.

    Every method raises:
        NetworkRefusedError: the network said no (`RateLimitedError`: not now); nothing happened.
        NetworkUnavailableError: no answer; look into `own_posts` before repeating `publish`.
        MissingCredentialError: the account has no keys.
    """

    name: str
    """The network's name, for people: `x`."""

    capabilities: Capabilities = Capabilities()
    """What the network can do, allows and costs."""

    @abstractmethod
    async def publish(
        self, text: str, *, in_reply_to: PostId | None = None, idempotency_key: str | None = None
    ) -> PostId:
        """Publish a post, or a reply, and return its id.

        With an `idempotency_key`, given only where the network's capabilities name them,
        the same key makes no second post: the id of the first is returned.
        """

    @abstractmethod
    async def mentions(self, *, since: PostId | None = None) -> Sequence[Post]:
        """Return posts that name or answer this account, newer than `since`, oldest first."""

    @abstractmethod
    async def own_posts(self, *, not_before: datetime) -> Sequence[Post]:
        """Return what this account said since `not_before`, replies too, oldest first."""

    @abstractmethod
    async def search(self, query: str, *, limit: int = 10) -> Sequence[Post]:
        """Return recent posts with all the words of `query`, newest first."""

    @abstractmethod
    async def thread(self, post: Post, *, limit: int = 10) -> Sequence[Post]:
        """Return what was said before `post` in its conversation, oldest first."""

    def publish_quota(self) -> Quota | None:
        """Return how many more posts the network said it takes; None when it never did."""
        return None

    async def aclose(self) -> None:
        """Release connections."""
