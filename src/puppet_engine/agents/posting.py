"""Saying something of one's own accord."""

import random
from typing import ClassVar, Final

from typing_extensions import override

from puppet_engine.agents.actions import Action, Turn
from puppet_engine.agents.recall import own_words, recall
from puppet_engine.agents.schedule import first_post_at, next_post_at
from puppet_engine.agents.wording import held_back, worded
from puppet_engine.core.models import (
    Acquaintance,
    EventDraft,
    IntentDraft,
    IntentKind,
    TurnOutcome,
)
from puppet_engine.personas.prompt import post_prompt

ANYTHING: Final = "whatever is on your mind today"


class Posting(Action):
    """Posts about an interest, now and then addressed to an acquaintance."""

    event_type: ClassVar[str] = "post.due"
    wants: ClassVar[frozenset[IntentKind]] = frozenset({IntentKind.POST})

    @override
    def routine(self, turn: Turn, *, first: bool) -> EventDraft | None:
        if turn.network is None:
            return None
        if first:
            due, payload = first_post_at(now=turn.clock.now(), chance=turn.chance), {"first": True}
        else:
            behavior = turn.agent.behavior
            due, payload = next_post_at(behavior, now=turn.clock.now(), chance=turn.chance), {}
        return EventDraft(
            type=self.event_type, due_at=due, agent_id=turn.agent.id, payload=payload
        )

    @override
    async def take(self, turn: Turn) -> TurnOutcome:
        turn.on_network()
        topic = str(turn.payload.get("topic") or choose_topic(turn))
        friend = choose_friend(turn)
        said = await own_words(turn)
        prompt = post_prompt(
            topic=topic,
            memories=await recall(turn, topic),
            recent_posts=said,
            now=turn.agent.local(turn.clock.now()),
            addressed_to=friend,
        )
        wording = await worded(turn, prompt, said, mention=friend.handle if friend else None)
        if wording.chosen is None:
            return held_back(turn, wording, topic=topic)
        payload = {"text": wording.chosen.text, "topic": topic, "checks": wording.checks()}
        return TurnOutcome(intents=(IntentDraft(kind=IntentKind.POST, payload=payload),))


def choose_topic(turn: Turn) -> str:
    """Return one of the agent's interests."""
    interests = turn.agent.personality.interests
    return turn.chance.choice(interests) if interests else ANYTHING


def choose_friend(turn: Turn) -> Acquaintance | None:
    """Return whom a post is addressed to. The first one always greets somebody one knows."""
    friends = turn.agent.config.initial_memory.relationships
    wanted = turn.agent.behavior.interaction_patterns.mention_probability
    if friends and (turn.payload.get("first") or happens(turn.chance, wanted)):
        return turn.chance.choice(friends)
    return None


def happens(chance: random.Random, probability: float) -> bool:
    """Return True as often as `probability` says."""
    return chance.random() < probability
