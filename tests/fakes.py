"""Small implementations of our ports, in memory; each passes its port's contract suite."""

import re
from collections.abc import Sequence
from datetime import datetime

from typing_extensions import override

from puppet_engine.core.circumstances import Circumstances
from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import MemoryNotFoundError, NetworkRefusedError
from puppet_engine.core.ids import AgentId, MemoryId, PostId
from puppet_engine.core.models import Memory, Post, StoredMemory
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.memory.base import MemoryStore
from puppet_engine.memory.ranking import rank
from puppet_engine.memory.recollection import Recollection
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.storage.memories import Found


class FakeFeed:
    """Everything said on a network that has no rules but one: an answer needs a post."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.posts: dict[str, Post] = {}

    def add(self, handle: str, text: str, in_reply_to: PostId | None) -> PostId:
        if in_reply_to is not None and in_reply_to not in self.posts:
            raise NetworkRefusedError(f"there is no post {in_reply_to!r} to answer")
        new_id = PostId(str(len(self.posts) + 1))
        conversation = self.posts[in_reply_to].conversation_id if in_reply_to else new_id
        self.posts[new_id] = Post(
            id=new_id,
            author_id=handle,
            author_handle=handle,
            text=text,
            created_at=self.clock.now(),
            conversation_id=conversation,
            in_reply_to=in_reply_to,
        )
        return new_id


class FakeNetwork(SocialNetwork):
    """One account on a `FakeFeed`."""

    name = "fake"

    def __init__(self, feed: FakeFeed, handle: str) -> None:
        self._feed = feed
        self._handle = handle

    @override
    async def publish(
        self, text: str, *, in_reply_to: PostId | None = None, idempotency_key: str | None = None
    ) -> PostId:
        return self._feed.add(self._handle, text, in_reply_to)

    @override
    async def mentions(self, *, since: PostId | None = None) -> Sequence[Post]:
        newer = (post for post in self._feed.posts.values() if int(post.id) > int(since or 0))
        return [post for post in newer if self._concerns_me(post)]

    def _concerns_me(self, post: Post) -> bool:
        answered = self._feed.posts[post.in_reply_to].author_id if post.in_reply_to else None
        named = f"@{self._handle}" in re.findall(r"@\w+", post.text)
        return post.author_id != self._handle and (named or answered == self._handle)

    @override
    async def own_posts(self, *, not_before: datetime) -> Sequence[Post]:
        mine = (post for post in self._feed.posts.values() if post.author_id == self._handle)
        return [post for post in mine if post.created_at >= not_before]

    @override
    async def search(self, query: str, *, limit: int = 10) -> Sequence[Post]:
        wanted = _words(query)
        found = [post for post in self._feed.posts.values() if wanted <= _words(post.text)]
        return found[::-1][:limit] if wanted else []

    @override
    async def thread(self, post: Post, *, limit: int = 10) -> Sequence[Post]:
        earlier: list[Post] = []
        while post.in_reply_to and len(earlier) < limit:
            post = self._feed.posts[post.in_reply_to]
            earlier.append(post)
        return earlier[::-1]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


class FakeMemoryStore(MemoryStore):
    """Memories in a list."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._memories: list[StoredMemory] = []

    @override
    async def initialize(self) -> None: ...

    @override
    async def close(self) -> None: ...

    @override
    async def add_memory(self, agent_id: str, memory: Memory) -> str:
        kept = StoredMemory(
            **memory.model_dump(),
            id=MemoryId(f"m{len(self._memories) + 1}"),
            agent_id=AgentId(agent_id),
            created_at=self._clock.now(),
        )
        self._memories.append(kept)
        return kept.id

    @override
    async def get_memories(self, agent_id: str, *, limit: int = 50) -> list[StoredMemory]:
        mine = [memory for memory in self._memories if memory.agent_id == agent_id]
        return mine[::-1][:limit]

    @override
    async def search_memories(
        self, agent_id: str, query: str, *, limit: int = 10
    ) -> list[StoredMemory]:
        found = [
            Found(
                place,
                memory.content,
                Circumstances.of(memory.metadata).occurred_at or memory.created_at,
                memory.importance,
                Circumstances.of(memory.metadata).speaker,
            )
            for place, memory in enumerate(self._memories)
            if memory.agent_id == agent_id
        ]
        chosen = rank(found, query, now=self._clock.now(), limit=limit)
        return [self._memories[place] for place in chosen]

    @override
    async def recollect(
        self, agent_id: str, query: str, *, question: str | None = None, limit: int = 10
    ) -> Recollection:
        """Return what is found; it is sure of that where there is anything."""
        found = await self.search_memories(agent_id, query, limit=limit)
        return Recollection(memories=tuple(found), certainty=float(bool(found)))

    @override
    async def delete_memory(self, agent_id: str, memory_id: str) -> None:
        found = [m for m in self._memories if (m.agent_id, m.id) == (agent_id, memory_id)]
        if not found:
            raise MemoryNotFoundError(agent_id, memory_id)
        self._memories.remove(found[0])


class ScriptedLLM(LLMProvider):
    """Answers with the next of its lines, and keeps what it was asked. The last line repeats."""

    def __init__(self, *lines: str) -> None:
        self._lines = list(lines)
        self.requests: list[CompletionRequest] = []

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        self.requests.append(request)
        return Completion(text=self._lines.pop(0) if len(self._lines) > 1 else self._lines[0])
