"""Noticing what others say to one, and answering some of it."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from typing_extensions import override

from puppet_engine.agents.actions import Action, Turn
from puppet_engine.agents.posting import happens
from puppet_engine.agents.recall import own_words, recall
from puppet_engine.agents.wording import Wording, held_back, worded
from puppet_engine.core.models import (
    EventDraft,
    IntentDraft,
    IntentKind,
    Memory,
    MemoryType,
    Post,
    TurnOutcome,
)
from puppet_engine.personas.prompt import reply_prompt

MOST_ANSWERS: Final = 3
"""How often an agent answers in one conversation: two agents must come to an end."""

WEARINESS: Final = 0.9
"""By how much each answer that was given makes another one less likely."""


class Noticing(Action):
    """Looks for mentions; each becomes an event of its own."""

    event_type: ClassVar[str] = "mentions.due"

    def __init__(self, *, every: timedelta) -> None:
        self._every = every

    @override
    def routine(self, turn: Turn, *, first: bool) -> EventDraft | None:
        if turn.network is None:
            return None
        # Agents look at different moments, lest they all do at once for ever.
        spread = turn.chance.uniform(0.8, 1.2)
        due = turn.clock.now() + self._every * spread
        return EventDraft(type=self.event_type, due_at=due, agent_id=turn.agent.id)

    @override
    async def take(self, turn: Turn) -> TurnOutcome:
        seen = await turn.ledger.cursor(turn.agent.id)
        posts = await turn.on_network().mentions(since=seen)
        now = turn.clock.now()
        noticed = tuple(
            EventDraft(
                type=Answering.event_type,
                due_at=now + taken_to_answer(turn),
                agent_id=turn.agent.id,
                payload=post.model_dump(mode="json"),
            )
            for post in posts
            if post.author_handle.lower() != turn.agent.handle.lower()
        )
        return TurnOutcome(events=noticed, cursor=posts[-1].id if posts else None)


def taken_to_answer(turn: Turn) -> timedelta:
    """Return how long the agent takes to answer what it has just noticed."""
    times = turn.agent.behavior.response_times
    if not times.max_minutes:
        return timedelta(0)
    return timedelta(minutes=turn.chance.uniform(times.min_minutes, times.max_minutes))


class Answering(Action):
    """Remembers what was said, and answers it as the persona is wont to."""

    event_type: ClassVar[str] = "mention.received"

    @override
    async def take(self, turn: Turn) -> TurnOutcome:
        post = Post.model_validate(turn.payload)
        heard = (remember_hearing(post),)
        thread = await turn.on_network().thread(post)
        answered = sum(said.author_handle.lower() == turn.agent.handle.lower() for said in thread)
        eagerness = turn.agent.behavior.interaction_patterns.reply_probability
        willing = eagerness * WEARINESS**answered
        if answered >= MOST_ANSWERS or not happens(turn.chance, willing):
            return TurnOutcome(memories=heard)
        said = await own_words(turn)
        prompt = reply_prompt(
            post=post,
            thread=thread,
            memories=await recall(turn, f"{post.author_handle} {post.text}"),
            recent_posts=said,
            now=turn.agent.local(turn.clock.now()),
        )
        wording = await worded(turn, prompt, said)
        if wording.chosen is None:
            outcome = held_back(turn, wording, in_reply_to=post.id)
            return outcome.model_copy(update={"memories": heard})
        payload = _reply(post, wording.chosen.text, wording)
        reply = IntentDraft(kind=IntentKind.REPLY, payload=payload)
        return TurnOutcome(memories=heard, intents=(reply,))


def _reply(post: Post, text: str, wording: Wording) -> dict[str, Any]:
    return {
        "text": text,
        "in_reply_to": post.id,
        "conversation_id": post.conversation_id,
        "reply_to_handle": post.author_handle,
        "checks": wording.checks(),
    }


def remember_hearing(post: Post) -> Memory:
    """Return the memory of what somebody said to the agent."""
    return Memory(
        content=f"@{post.author_handle} said to me: {post.text}",
        type=MemoryType.INTERACTION,
        metadata={
            "speaker": post.author_handle,
            "conversation_id": post.conversation_id,
            "occurred_at": post.created_at.isoformat(),
            "post_id": post.id,
            "source": "network",
        },
    )
