"""Carrying out the intents to post and to reply."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.recall import OWN_WORDS, memory_kept
from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import (
    NetworkRefusedError,
    NetworkUnavailableError,
    RateLimitedError,
)
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import (
    Effect,
    EventDraft,
    Intent,
    IntentKind,
    Memory,
    MemoryType,
    Post,
)
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.outbox.base import Performer, Quota
from puppet_engine.storage.intent_store import IntentStore

log = logging.getLogger(__name__)

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far a network's clock may be behind ours when an outcome is looked up."""

WORDLESS: Final = frozenset({IntentKind.LIKE, IntentKind.REPOST})
"""What is done to a post without a word."""

DONE: Final = {IntentKind.LIKE: "post.liked", IntentKind.REPOST: "post.reposted"}
"""The types of the events that tell of it."""

FIRST_ATTEMPT: Final = "not_before"
"""The key under which the journal holds when an intent was begun for the first time."""


class Publisher(Performer):
    """Publishes for one agent on one network."""

    def __init__(
        self, *, agent: Agent, network: SocialNetwork, intents: IntentStore, clock: Clock
    ) -> None:
        self._agent = agent
        self._network = network
        self._intents = intents
        self._clock = clock
        can = network.capabilities
        # Who can ask with a key need not wait until the timeline shows it.
        self.settles_within = timedelta(0) if can.idempotency_keys else can.visible_within

    @override
    async def prepare(self, intent: Intent) -> Mapping[str, Any]:
        # Of the first attempt: any of them may be the one that came through.
        begun = intent.journal.get(FIRST_ATTEMPT) or self._clock.now().isoformat()
        return {FIRST_ATTEMPT: begun}

    @override
    async def perform(self, intent: Intent) -> Effect:
        if intent.kind in WORDLESS:
            return await self._approve(intent)
        # A network without keys need not know the word.
        key = {"idempotency_key": intent.id} if self._network.capabilities.idempotency_keys else {}
        if intent.kind is IntentKind.QUOTE:
            quoted = PostId(intent.payload["in_reply_to"])
            text = intent.payload["text"]
            return self._effect(intent, await self._network.quote(text, quoted=quoted, **key))
        answered = intent.payload.get("in_reply_to")
        in_reply_to = PostId(answered) if answered else None
        text = intent.payload["text"]
        return self._effect(
            intent, await self._network.publish(text, in_reply_to=in_reply_to, **key)
        )

    @override
    async def look_up(self, intent: Intent) -> Effect | None:
        if intent.kind in WORDLESS:
            # Done twice they are done once, so whether they were need not be known.
            return await self._approve(intent)
        begun = datetime.fromisoformat(intent.journal[FIRST_ATTEMPT])
        if self._key_holds(begun):
            try:
                return await self.perform(intent)
            except RateLimitedError:
                raise
            except NetworkRefusedError as error:
                # It may be today's no to what it took yesterday: the timeline has the last word.
                log.info("%s %s: %s; looking for it instead", intent.kind, intent.id, error)
        earliest = begun - CLOCK_SKEW
        # The same words may have been said before: what is known of as another's is not this one.
        taken = await self._intents.results(intent.account, since=earliest)
        is_quote = intent.kind is IntentKind.QUOTE
        for post in await self._own_posts(earliest):
            wanted = None if is_quote else intent.payload.get("in_reply_to")
            is_it = post.text == intent.payload["text"] and post.in_reply_to == wanted
            if is_it and post.id not in taken:
                return self._effect(intent, post.id)
        return None

    async def _own_posts(self, not_before: datetime) -> Sequence[Post]:
        try:
            return await self._network.own_posts(not_before=not_before)
        except RateLimitedError:
            raise
        except NetworkRefusedError as error:
            # It says no to the look, not to the post: that may be there all the same.
            raise NetworkUnavailableError(f"the outcome cannot be looked up: {error}") from error

    def _key_holds(self, begun: datetime) -> bool:
        can = self._network.capabilities
        return can.idempotency_keys and self._clock.now() < begun + can.key_lifetime

    @override
    def regret(self, intent: Intent) -> Effect:
        if intent.kind in WORDLESS:
            whose = f"I wanted to {intent.kind} what @{intent.payload['handle']} said"
            return self._remembered(f"{whose}, but it was too late.", result="")
        text, asker = intent.payload["text"], intent.payload.get("reply_to_handle")
        opening = f"I wanted to answer @{asker}" if asker else "I wanted to post"
        memory = Memory(
            content=f"{opening}, but it was too late; I did not say: {text}",
            type=MemoryType.EVENT,
            metadata={"occurred_at": self._clock.now().isoformat(), "source": "self"},
        )
        told = memory_kept(self._agent, memory, self._clock)
        return Effect(result="", memory=memory, events=(told,))

    async def _approve(self, intent: Intent) -> Effect:
        """Like a post, or pass it on."""
        post_id = PostId(intent.payload["post_id"])
        done, result = "liked", post_id
        if intent.kind is IntentKind.REPOST:
            done, result = "passed on", await self._network.repost(post_id)
        else:
            await self._network.like(post_id)
        text = f"I {done} what @{intent.payload['handle']} said."
        return self._remembered(text, result=result, event_type=DONE[intent.kind])

    def _remembered(self, text: str, *, result: str, event_type: str = "") -> Effect:
        """Return an effect of which only a memory tells, and perhaps an event."""
        now = self._clock.now()
        details = {"occurred_at": now.isoformat(), "source": "self"}
        memory = Memory(content=text, type=MemoryType.INTERACTION, metadata=details)
        told = memory_kept(self._agent, memory, self._clock)
        if not event_type:
            return Effect(result=result, memory=memory, events=(told,))
        payload = {"handle": self._agent.handle, "name": self._agent.name, "post_id": result}
        event = EventDraft(type=event_type, due_at=now, agent_id=self._agent.id, payload=payload)
        return Effect(result=result, memory=memory, events=(event, told))

    @override
    def price(self, intent: Intent) -> int:
        can = self._network.capabilities
        if intent.kind in WORDLESS:
            return can.like_price
        if intent.kind is IntentKind.REPLY:
            return can.reply_price
        return can.link_price if "://" in intent.payload["text"] else can.post_price

    @override
    def quota(self) -> Quota | None:
        return self._network.publish_quota()

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
