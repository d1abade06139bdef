"""Carrying out the intents to post and to reply."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.recall import ANSWERED, OWN_WORDS, memory_kept
from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import (
    BrokenThreadError,
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
    IntentState,
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

UNDER, CONVERSATION = "under", "conversation_id"
"""The keys of the journal for the post before one of a thread, and for that at its head."""

PART, PARTS = "part", "parts"
"""The keys of a payload that say which post of a thread it is, from 1, and of how many."""

OVER: Final = frozenset({IntentState.REFUSED, IntentState.EXPIRED})


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
        return {FIRST_ATTEMPT: begun, **await self._place(intent)}

    async def _place(self, intent: Intent) -> dict[str, str]:
        """Return where the next post of a thread goes; nothing for one that stands alone."""
        if intent.follows is None:
            return {}
        before = await self._intents.find(intent.follows)
        if before is None or before.state in OVER:
            raise BrokenThreadError(
                f"the thread ends before {intent.payload['text']!r}: "
                "the post under which it was to go on did not go out"
            )
        if before.state is not IntentState.DONE:
            raise NetworkUnavailableError(f"the post before {intent.id} is still on its way")
        head = before.journal.get(CONVERSATION, before.result)
        return {UNDER: before.result, CONVERSATION: head}

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
        text, in_reply_to = intent.payload["text"], _answered(intent)
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
            wanted = None if is_quote else _answered(intent)
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
        why = f"{opening}, but it was too late"
        if intent.follows is not None:
            why = "I wanted to go on with what I was telling, but it came to nothing"
        memory = Memory(
            content=f"{why}; I did not say: {text}",
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
            "in_reply_to": _answered(intent),
            "conversation_id": _conversation(intent) or post_id,
            "reply_to_handle": intent.payload.get("reply_to_handle"),
            **{key: intent.payload[key] for key in (PART, PARTS) if key in intent.payload},
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
        if said.get(PART, 1) > 1:
            opening = "I posted, going on"
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
                **({ANSWERED: asker} if asker else {}),
            },
        )


def _answered(intent: Intent) -> PostId | None:
    """Return under which post one goes; of a thread's, the journal knows."""
    found = intent.payload.get("in_reply_to") or intent.journal.get(UNDER)
    return PostId(found) if found else None


def _conversation(intent: Intent) -> str | None:
    found: str | None = intent.payload.get(CONVERSATION) or intent.journal.get(CONVERSATION)
    return found
