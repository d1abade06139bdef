"""Saying something of one's own accord."""

from collections.abc import Sequence
from typing import Any, ClassVar

from typing_extensions import override

from puppet_engine.agents.actions import Action, Turn
from puppet_engine.agents.deciding import Topic, choose_friend, choose_topic, inclination
from puppet_engine.agents.explaining import decided
from puppet_engine.agents.feeling import IGNORED, IGNORED_AFTER
from puppet_engine.agents.publishing import PART, PARTS
from puppet_engine.agents.recall import own_words, recall, remembered_lately
from puppet_engine.agents.schedule import DRAWN_AT, FACTOR, PostTimes, first_post_at
from puppet_engine.agents.wording import Draft, Wish, Wording, held_back, worded
from puppet_engine.core.decisions import Act
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.models import (
    Acquaintance,
    EventDraft,
    IntentDraft,
    IntentKind,
    StoredMemory,
    TurnOutcome,
)
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.personas.feelings import disposition_of
from puppet_engine.personas.prompt import PostForm, post_prompt
from puppet_engine.style.weight import POST_WEIGHT


class Posting(Action):
    """Posts about an interest, now and then at length, or addressed to an acquaintance."""

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
        network = turn.on_network()
        lately = await remembered_lately(turn)
        topic, said = _topic(turn, lately), own_words(lately)
        told: dict[str, Any] = {"occasion": self.event_type, "topic": topic.text}
        # Only who speaks of its own accord may keep silent, and only once it is known.
        is_free = DRAWN_AT in turn.payload and _may_be_silent(turn)
        if is_free:
            inclined = inclination(turn.agent.config, turn.mind, topic, said)
            told["chances"] = {Act.POST: inclined.chance}
            if turn.chance.random() >= inclined.chance:
                why = f"chance chose silence ({inclined.why})"
                return TurnOutcome(decision=decided(turn, acts=(Act.SILENCE,), why=why, **told))
        _miss_answers(turn)
        friend = _friend(turn)
        posts = _length(turn, network, friend)
        relationship = turn.mind.towards(friend.handle) if friend else None
        memories = await recall(turn, topic.text)
        prompt = post_prompt(
            topic=topic.text,
            memories=[memory.content for memory in memories],
            recent_posts=said,
            now=turn.agent.local(turn.clock.now()),
            addressed_to=friend,
            disposition=disposition_of(turn.mind.mood_name, turn.mind.mood, relationship),
            form=PostForm(
                characters=characters_of(posts, most=_longest(turn)), may_be_silent=is_free
            ),
        )
        wish = Wish(
            mention=friend.handle if friend else None,
            most_posts=_most(turn) if posts > 1 else 1,
            may_be_silent=is_free,
        )
        wording = await worded(turn, prompt, said, wish)
        told |= {
            "relationship": relationship,
            "memories": memories,
            "prompt": prompt,
            "wording": wording,
        }
        return _outcome(turn, wording, told, topic=topic, friend=friend)


def _outcome(
    turn: Turn,
    wording: Wording,
    told: dict[str, Any],
    *,
    topic: Topic,
    friend: Acquaintance | None,
) -> TurnOutcome:
    if wording.is_silence:
        why = "the model found nothing worth saying"
        return TurnOutcome(decision=decided(turn, acts=(Act.SILENCE,), why=why, **told))
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
    return TurnOutcome(
        intents=_intents(wording.chosen, {"topic": topic.text, "checks": wording.checks()}),
        decision=decided(turn, acts=(Act.POST,), why=topic.why, **told),
    )


def _intents(chosen: Draft, about: dict[str, Any]) -> tuple[IntentDraft, ...]:
    """Return what is to be published: a post, or all posts of a thread, each under the last."""
    posts = chosen.posts
    if len(posts) == 1:
        return (IntentDraft(kind=IntentKind.POST, payload={"text": posts[0], **about}),)
    return tuple(
        IntentDraft(
            kind=IntentKind.POST,
            payload={"text": post, **about, PART: number, PARTS: len(posts)},
            goes_on=number > 1,
        )
        for number, post in enumerate(posts, 1)
    )


def _may_be_silent(turn: Turn) -> bool:
    return turn.agent.behavior.interaction_patterns.post_probability < 1


def _length(turn: Turn, network: SocialNetwork, friend: Acquaintance | None) -> int:
    """Return how many posts something is told in; who is addressed is told it in one.

    Raises:
        ConfigurationError: a thread was asked for of somebody who tells none.

    """
    threads = turn.agent.style_guide.threads if network.capabilities.threads else None
    if turn.payload.get("thread") and threads is None:
        raise ConfigurationError(
            f"{turn.agent.id!r} tells nothing in threads: give its style_guide `threads`, "
            "on a network where an account may go on under its own posts"
        )
    if threads is None or friend is not None:
        return 1
    is_long = turn.payload.get("thread") or turn.chance.random() < threads.rate
    return turn.chance.randint(2, threads.max_posts) if is_long else 1


def _longest(turn: Turn) -> int:
    """Return the weight of the longest post that the persona writes."""
    return turn.agent.style_guide.formatting.max_characters or POST_WEIGHT


def _most(turn: Turn) -> int:
    threads = turn.agent.style_guide.threads
    return 1 if threads is None else threads.max_posts


def characters_of(posts: int, *, most: int) -> tuple[int, int] | None:
    """Return how long a text is wanted that fills so many posts of `most`; None for one post."""
    if posts == 1:
        return None
    # Sentences do not fill their posts to the brim: an eighth of each stays empty.
    return most * (posts - 1) * 7 // 8 + most // 4, most * posts * 7 // 8


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
    if not config.initial_memory.relationships or turn.payload.get("thread"):
        return None
    if turn.payload.get("first") or turn.chance.random() < wanted:
        return choose_friend(config, turn.mind, turn.chance)
    return None
