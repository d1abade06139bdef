"""Saying something of one's own accord."""

from collections.abc import Sequence
from typing import Any, ClassVar

from typing_extensions import override

from puppet_engine.agents.actions import Action, Turn
from puppet_engine.agents.deciding import Topic, choose_friend, choose_topic
from puppet_engine.agents.explaining import decided
from puppet_engine.agents.feeling import IGNORED, IGNORED_AFTER
from puppet_engine.agents.recall import own_words, recall, remembered_lately
from puppet_engine.agents.schedule import DRAWN_AT, FACTOR, PostTimes, first_post_at
from puppet_engine.agents.wording import held_back, worded
from puppet_engine.core.decisions import Act
from puppet_engine.core.models import (
    Acquaintance,
    EventDraft,
    IntentDraft,
    IntentKind,
    StoredMemory,
    TurnOutcome,
)
from puppet_engine.personas.feelings import disposition_of
from puppet_engine.personas.prompt import post_prompt


class Posting(Action):
    """Posts about an interest, now and then addressed to an acquaintance."""

    event_type: ClassVar[str] = "post.due"
    wants: ClassVar[frozenset[IntentKind]] = frozenset({IntentKind.POST})
    feels: ClassVar[bool] = True

    @override
    def routine(self, turn: Turn, *, first: bool) -> EventDraft | None:
        if turn.network is None:
            return None
        now = turn.clock.now()
        payload: dict[str, Any]
        if first:
            due, payload = first_post_at(now=now, chance=turn.chance), {"first": True}
        else:
            # What it is drawn from is kept, so that the times can be held against it.
            factor = turn.mind.pace_factor
            times = PostTimes(behavior=turn.agent.behavior, now=now, factor=factor)
            due = times.sample(turn.chance)
            payload = {DRAWN_AT: now.isoformat(), FACTOR: factor}
        return EventDraft(
            type=self.event_type, due_at=due, agent_id=turn.agent.id, payload=payload
        )

    @override
    async def take(self, turn: Turn) -> TurnOutcome:
        turn.on_network()
        _miss_answers(turn)
        lately = await remembered_lately(turn)
        topic = _topic(turn, lately)
        friend = _friend(turn)
        relationship = turn.mind.towards(friend.handle) if friend else None
        said = own_words(lately)
        memories = await recall(turn, topic.text)
        prompt = post_prompt(
            topic=topic.text,
            memories=[memory.content for memory in memories],
            recent_posts=said,
            now=turn.agent.local(turn.clock.now()),
            addressed_to=friend,
            disposition=disposition_of(turn.mind.mood_name, turn.mind.mood, relationship),
        )
        wording = await worded(turn, prompt, said, mention=friend.handle if friend else None)
        told: dict[str, Any] = {
            "occasion": self.event_type,
            "topic": topic.text,
            "relationship": relationship,
            "memories": memories,
            "prompt": prompt,
            "wording": wording,
        }
        if topic.tiding is not None:
            turn.mind.note(told=topic.tiding.number)
        if wording.chosen is None:
            why = "no draft may leave: " + "; ".join(wording.wrong())
            decision = decided(turn, acts=(Act.SILENCE,), why=why, **told)
            silent = held_back(turn, wording, topic=topic.text)
            return silent.model_copy(update={"decision": decision})
        turn.mind.note(unanswered=turn.mind.mood.unanswered + 1)
        if friend is not None:
            turn.mind.spoke(friend.handle, what="I wrote to them")
        payload = {"text": wording.chosen.text, "topic": topic.text, "checks": wording.checks()}
        return TurnOutcome(
            intents=(IntentDraft(kind=IntentKind.POST, payload=payload),),
            decision=decided(turn, acts=(Act.POST,), why=topic.why, **told),
        )


def _miss_answers(turn: Turn) -> None:
    """Let it hurt that nobody has said a word to the last posts."""
    unanswered = turn.mind.mood.unanswered
    if unanswered >= IGNORED_AFTER:
        reason = f"nobody has said a word to the last {unanswered} posts"
        turn.mind.feel(IGNORED, event=Posting.event_type, reason=reason)


def _topic(turn: Turn, lately: Sequence[StoredMemory]) -> Topic:
    wanted = turn.payload.get("topic")
    if wanted:
        return Topic(str(wanted), "somebody asked for it")
    now = turn.clock.now()
    return choose_topic(turn.agent.config, turn.mind, lately, now=now, chance=turn.chance)


def _friend(turn: Turn) -> Acquaintance | None:
    """Return whom a post is addressed to. The first one always greets somebody one knows."""
    config = turn.agent.config
    wanted = config.behavior.interaction_patterns.mention_probability
    if not config.initial_memory.relationships:
        return None
    if turn.payload.get("first") or turn.chance.random() < wanted:
        return choose_friend(config, turn.mind, turn.chance)
    return None
