"""The port to a social network, as one account sees it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from puppet_engine.core.errors import NetworkRefusedError
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

    async def like(self, post_id: PostId) -> None:
        """Like a post; one that is liked already stays so. Only where `capabilities.likes`."""
        raise self._cannot("like", post_id)

    async def repost(self, post_id: PostId) -> PostId:
        """Pass a post on, and return the id of that; again, the same. Where `reposts`."""
        raise self._cannot("repost", post_id)

    async def quote(
        self,
        text: str,  # noqa: ARG002 - of those that can
        *,
        quoted: PostId,
        idempotency_key: str | None = None,  # noqa: ARG002
    ) -> PostId:
        """Publish a post that shows another one, and return its id. Only where `quotes`."""
        raise self._cannot("quote", quoted)

    def _cannot(self, what: str, post_id: PostId) -> NetworkRefusedError:
        return NetworkRefusedError(
            f"{self.name} lets no program {what} {post_id!r}: its capabilities say so"
        )

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
