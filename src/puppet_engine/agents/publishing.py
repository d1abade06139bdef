"""Carrying out the intents to post and to reply."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.recall import OWN_WORDS, memory_kept
from puppet_engine.core.clock import Clock
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import Effect, EventDraft, Intent, Memory, MemoryType
from puppet_engine.events.outbox import Performer
from puppet_engine.networks.base import SocialNetwork

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far a network's clock may be behind ours when an outcome is looked up."""


class Publisher(Performer):
    """Publishes for one agent on one network."""

    def __init__(self, *, agent: Agent, network: SocialNetwork, clock: Clock) -> None:
        self._agent = agent
        self._network = network
        self._clock = clock

    @override
    async def prepare(self, intent: Intent) -> Mapping[str, Any]:
        return {"not_before": self._clock.now().isoformat()}

    @override
    async def perform(self, intent: Intent) -> Effect:
        answered = intent.payload.get("in_reply_to")
        in_reply_to = PostId(answered) if answered else None
        post_id = await self._network.publish(intent.payload["text"], in_reply_to=in_reply_to)
        return self._effect(intent, post_id)

    @override
    async def look_up(self, intent: Intent) -> Effect | None:
        begun = datetime.fromisoformat(intent.journal["not_before"])
        for post in await self._network.own_posts(not_before=begun - CLOCK_SKEW):
            wanted = intent.payload.get("in_reply_to")
            if post.text == intent.payload["text"] and post.in_reply_to == wanted:
                return self._effect(intent, post.id)
        return None

    def _effect(self, intent: Intent, post_id: PostId) -> Effect:
        said = {
            "text": intent.payload["text"],
            "post_id": post_id,
            "in_reply_to": intent.payload.get("in_reply_to"),
            "conversation_id": intent.payload.get("conversation_id", post_id),
            "reply_to_handle": intent.payload.get("reply_to_handle"),
        }
        who = {"handle": self._agent.handle, "name": self._agent.name}
        event = EventDraft(
            type="post.published",
            due_at=self._clock.now(),
            agent_id=self._agent.id,
            payload={**said, **who},
        )
        memory = self._remember_saying(said)
        kept = memory_kept(self._agent, memory, self._clock)
        return Effect(result=post_id, memory=memory, events=(event, kept))

    def _remember_saying(self, said: Mapping[str, Any]) -> Memory:
        asker = said["reply_to_handle"]
        opening = f"I answered @{asker}" if asker else "I posted"
        return Memory(
            content=f"{opening}: {said['text']}",
            type=MemoryType.INTERACTION if asker else MemoryType.EVENT,
            metadata={
                OWN_WORDS: said["text"],
                "speaker": self._agent.handle,
                "conversation_id": said["conversation_id"],
                "occurred_at": self._clock.now().isoformat(),
                "post_id": said["post_id"],
                "source": "self",
            },
        )
