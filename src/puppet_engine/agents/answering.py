"""Noticing what others say to one, and answering some of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final

from typing_extensions import override

from puppet_engine.agents.actions import Action, Turn
from puppet_engine.agents.conversation import told_together
from puppet_engine.agents.deciding import MOST_ANSWERS, Answered, chances_of, choose_acts
from puppet_engine.agents.explaining import decided
from puppet_engine.agents.feeling import of_words
from puppet_engine.agents.recall import answers_to, own_words, recall_for, remembered_lately
from puppet_engine.agents.relationships import HOSTILE, key_of
from puppet_engine.agents.schedule import AnswerTimes
from puppet_engine.agents.wording import ONE_POST, Wish, Wording, held_back, worded
from puppet_engine.core.decisions import Act
from puppet_engine.core.models import (
    EventDraft,
    IntentDraft,
    IntentKind,
    Memory,
    MemoryType,
    Post,
    TurnOutcome,
)
from puppet_engine.core.relationships import Relationship
from puppet_engine.personas.feelings import disposition_of
from puppet_engine.personas.prompt import reply_prompt
from puppet_engine.style.honesty import asks_whether_program, honest_answer
from puppet_engine.style.sentiment import valence_of

FRIENDLY: Final = 0.3
"""From which valence on words are kind."""

WORDLESS: Final = frozenset({Act.LIKE, Act.REPOST})


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
        times = AnswerTimes(times=turn.agent.behavior.response_times)
        noticed = tuple(
            EventDraft(
                type=Answering.event_type,
                due_at=now + times.sample(turn.chance),
                agent_id=turn.agent.id,
                payload=post.model_dump(mode="json"),
            )
            for post in posts
            if post.author_handle.lower() != turn.agent.handle.lower()
        )
        return TurnOutcome(events=noticed, cursor=posts[-1].id if posts else None)


class Answering(Action):
    """Remembers what was said, is moved by it, and does about it what the persona is wont to."""

    event_type: ClassVar[str] = "mention.received"
    feels: ClassVar[bool] = True

    @override
    def concerns(self, payload: Mapping[str, Any]) -> str | None:
        return key_of(str(payload.get("author_handle", "")))

    @override
    async def take(self, turn: Turn) -> TurnOutcome:
        post = Post.model_validate(turn.payload)
        heard = TurnOutcome(memories=(remember_hearing(post),))
        _be_moved(turn, post)
        network = turn.on_network()
        thread = told_together(await network.thread(post))
        since = turn.clock.now() - timedelta(days=1)
        answered = Answered(
            here=sum(said.author_handle.lower() == turn.agent.handle.lower() for said in thread),
            today=answers_to(post.author_handle, await remembered_lately(turn), since=since),
        )
        relationship = turn.mind.towards(post.author_handle)
        chances = chances_of(
            turn.agent.config, turn.mind, relationship, network.capabilities, answered=answered
        )
        is_asked = asks_whether_program(post.text)
        if is_asked and Act.REPLY in chances and not answered.is_enough:
            chances[Act.REPLY] = 1.0
        weighed = _Weighed(
            post=post,
            thread=thread,
            relationship=relationship,
            chances=chances,
            acts=choose_acts(chances, turn.chance),
            answered=answered,
            is_asked=is_asked,
        )
        return heard.model_copy(update=await _acted(turn, weighed))


@dataclass(frozen=True, kw_only=True)
class _Weighed:
    """What an agent has heard, and what it chose to do about it."""

    post: Post
    thread: Sequence[Post]
    relationship: Relationship
    chances: Mapping[Act, float]
    acts: tuple[Act, ...]
    answered: Answered
    is_asked: bool
    """Whether somebody wants to know if a program speaks."""

    def why(self) -> str:
        if self.answered.here >= MOST_ANSWERS:
            here = self.answered.here
            return f"it has spoken {here} times in this conversation, which is enough"
        if self.answered.is_enough:
            who, today = self.post.author_handle, self.answered.today
            return f"it has answered @{who} {today} times within a day, which is enough"
        if self.is_asked and Act.REPLY in self.acts:
            return "it was asked whether a program speaks, and says so"
        drawn = ", ".join(f"{act} {chance:.0%}" for act, chance in self.chances.items())
        return f"chance chose among what it does about such a post: {drawn or 'nothing at all'}"


def _be_moved(turn: Turn, post: Post) -> None:
    """Let what somebody said move the agent, and change how it stands with them."""
    valence = valence_of(post.text)
    known = turn.mind.towards(post.author_handle)
    turn.mind.feel(
        of_words(valence, post.text, familiarity=known.familiarity),
        event=Answering.event_type,
        reason=f"@{known.handle} said something {_kind_of(valence)}",
    )
    turn.mind.note(unanswered=0)
    what = f"they said something {_kind_of(valence)} ({valence:+.2f})"
    turn.mind.heard(post.author_handle, valence, what=what)


def _kind_of(valence: float) -> str:
    if valence >= FRIENDLY:
        return "kind"
    return "hurtful" if valence <= HOSTILE else "neither kind nor hurtful"


async def _acted(turn: Turn, weighed: _Weighed) -> dict[str, Any]:
    """Return what the outcome of a turn holds besides what was heard."""
    post, acts = weighed.post, weighed.acts
    told: dict[str, Any] = {
        "occasion": Answering.event_type,
        "why": weighed.why(),
        "relationship": weighed.relationship,
        "chances": weighed.chances,
        "about": post.id,
    }
    intents = [_wordless(act, post) for act in acts if act in WORDLESS]
    speaking = next((act for act in acts if act in {Act.REPLY, Act.QUOTE}), None)
    if speaking is None:
        return {"intents": tuple(intents), "decision": decided(turn, acts=acts, **told)}
    cue = f"{post.author_handle} {post.text}"
    memories, is_in_doubt = await recall_for(turn, cue, post.text)
    said = own_words(await remembered_lately(turn))
    prompt = reply_prompt(
        post=post,
        thread=weighed.thread,
        memories=[memory.content for memory in memories],
        recent_posts=said,
        now=turn.agent.local(turn.clock.now()),
        disposition=disposition_of(turn.mind.mood_name, turn.mind.mood, weighed.relationship),
        is_asked=weighed.is_asked,
        is_in_doubt=is_in_doubt,
    )
    if is_in_doubt:
        told["why"] += "; it does not know what it is asked for, and is told to say so"
    wish = Wish(must=honest_answer) if weighed.is_asked else ONE_POST
    wording = await worded(turn, prompt, said, wish)
    told |= {"memories": memories, "prompt": prompt, "wording": wording}
    if wording.chosen is None:
        acts = tuple(act for act in acts if act is not speaking) or (Act.SILENCE,)
        told["why"] = "no draft may leave: " + "; ".join(wording.wrong())
        outcome = held_back(turn, wording, in_reply_to=post.id)
        events = outcome.events
    else:
        events = ()
        turn.mind.spoke(post.author_handle, what="I answered them")
        payload = _reply(post, wording.chosen.text, wording)
        intents.insert(0, IntentDraft(kind=IntentKind(speaking.value), payload=payload))
    decision = decided(turn, acts=acts, **told)
    return {"intents": tuple(intents), "events": events, "decision": decision}


def _wordless(act: Act, post: Post) -> IntentDraft:
    payload = {"post_id": post.id, "handle": post.author_handle}
    return IntentDraft(kind=IntentKind(act.value), payload=payload)


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
