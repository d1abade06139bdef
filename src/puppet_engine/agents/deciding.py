"""What an agent chooses: what to speak about, whom to, and whether it answers at all.

Pure functions of the persona, its mood and relationships, what it knows, and chance.
"""

import random
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp
from typing import Final

from puppet_engine.agents.mind import Mind
from puppet_engine.agents.relationships import closeness
from puppet_engine.core.decisions import Act
from puppet_engine.core.minds import Tiding
from puppet_engine.core.models import Acquaintance, AgentConfig, StoredMemory
from puppet_engine.core.relationships import Relationship
from puppet_engine.networks.capabilities import Capabilities

ANYTHING: Final = "whatever is on your mind today"

NEWS_WEIGHT: Final = 3.0
"""How much likelier fresh news are a topic than one interest."""

NEWS_HALF_LIFE: Final = timedelta(hours=12)

OF_INTEREST: Final = 2.0
"""How much likelier news are that touch an interest."""

ON_ONES_MIND: Final = 0.5
"""How much likelier an interest is for each memory of late that touches it, three at the most."""

MOST_ANSWERS: Final = 3
"""How often an agent answers in one conversation: two agents must come to an end."""

MOST_ANSWERS_A_DAY: Final = 12
"""How often it answers one account within 24 hours: who begins a new conversation each time must
come to an end, too."""

EASY_ANSWERS: Final = 5
"""So many of them cost it nothing; of each further one it tires as within a conversation."""

WEARINESS: Final = 0.9
"""By how much each answer that was given makes another one less likely, to somebody who is not
liked; of whom one likes one tires less."""

BY_AFFINITY, BY_FAMILIARITY, BY_TRUST, BY_ELATION, BY_AROUSAL = 1.5, 0.5, 0.5, 0.3, 0.2
"""How much each counts in the log-odds of doing something for somebody."""

USUAL_AFFINITY, USUAL_FAMILIARITY, USUAL_TRUST = 0.3, 0.5, 0.2
"""How one stands with the usual person of whom a persona's probabilities speak: one it knows."""

SAID_LATELY: Final = 0.5
"""How much less likely one speaks again of what one has just spoken of."""

JUST: Final = 3
"""In how many of one's last posts one has just spoken of something."""

TO_NOBODY: Final = 0.85
"""How much less likely a post is for each of the last ones that nobody has said a word to."""

_WORD: Final = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True)
class Topic:
    """What a post is to be about, and why."""

    text: str
    why: str
    tiding: Tiding | None = None


def choose_topic(
    config: AgentConfig,
    mind: Mind,
    lately: Sequence[StoredMemory],
    *,
    now: datetime,
    chance: random.Random,
) -> Topic:
    """Return what to post about: an interest, or news that have not been spoken of.

    `lately` is what the agent remembers last: an interest that it touches comes to mind sooner.
    """
    interests = config.personality.interests
    heard = [_words(memory.content) for memory in lately]
    options = [
        *(_of_interest(interest, heard) for interest in interests),
        *(
            _of_news(tiding, _words(" ".join(interests)), now)
            for tiding in mind.tidings
            if tiding.text and tiding.number > mind.mood.told
        ),
    ]
    if not options:
        return Topic(ANYTHING, "it has no interests, and heard no news")
    topics, weights = zip(*options, strict=True)
    chosen: Topic = chance.choices(topics, weights)[0]
    return chosen


def _of_interest(interest: str, heard: Sequence[Collection[str]]) -> tuple[Topic, float]:
    words = _words(interest)
    touched = min(sum(not words.isdisjoint(memory) for memory in heard), 3)
    why = "one of its interests" + (", which came up lately" if touched else "")
    return Topic(interest, why), 1 + ON_ONES_MIND * touched


def _of_news(tiding: Tiding, interests: Collection[str], now: datetime) -> tuple[Topic, float]:
    age = max(now - tiding.happened_at, timedelta(0))
    weight = NEWS_WEIGHT * 0.5 ** (age / NEWS_HALF_LIFE)
    touches = not _words(tiding.text).isdisjoint(interests)
    why = f"{tiding.type} of {tiding.happened_at:%d %B, %H:%M}"
    if touches:
        return Topic(
            tiding.text, f"{why}, which touches an interest", tiding
        ), weight * OF_INTEREST
    return Topic(tiding.text, why, tiding), weight


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


@dataclass(frozen=True)
class Inclination:
    """How likely somebody is to say something now, and why."""

    chance: float
    why: str


def inclination(config: AgentConfig, mind: Mind, topic: Topic, said: Sequence[str]) -> Inclination:
    """Return how likely an agent is to speak whose post is due; `said` is its own, newest first.

    Who always speaks goes on to. Else its mood shifts the log-odds; it says less of what it has
    just spoken of, and less where nobody answers: agents that feed on silence are no use.
    """
    usual = config.behavior.interaction_patterns.post_probability
    chance = _shifted(usual, BY_ELATION * mind.elation + BY_AROUSAL * mind.arousal)
    why = [f"usually {usual:.0%}", f"{mind.mood_name} as it is"]
    words = _words(topic.text)
    if words and any(words <= _words(post) for post in said[:JUST]):
        chance *= SAID_LATELY
        why.append("it has just spoken of that")
    if 0 < usual < 1 and (unanswered := max(0, mind.mood.unanswered - 1)):
        chance *= TO_NOBODY**unanswered
        why.append(f"nobody has said a word to its last {unanswered + 1} posts")
    return Inclination(round(chance if usual < 1 else 1.0, 6), ", ".join(why))


def choose_friend(config: AgentConfig, mind: Mind, chance: random.Random) -> Acquaintance:
    """Return an acquaintance to address: the closer, the likelier. There must be one."""
    friends = config.initial_memory.relationships
    weights = [0.05 + closeness(mind.towards(friend.handle)) for friend in friends]
    return chance.choices(friends, weights)[0]


def likelihood(usual: float, relationship: Relationship, mind: Mind) -> float:
    """Return how likely somebody does what they `usually` do so often, for one person, now.

    What is never done stays so, and what is always done; in between, log-odds are shifted.
    """
    return _shifted(
        usual,
        BY_AFFINITY * (relationship.affinity - USUAL_AFFINITY)
        + BY_FAMILIARITY * (relationship.familiarity - USUAL_FAMILIARITY)
        + BY_TRUST * (relationship.trust - USUAL_TRUST)
        + BY_ELATION * mind.elation
        + BY_AROUSAL * mind.arousal,
    )


def _shifted(usual: float, shift: float) -> float:
    """Return a probability with its log-odds shifted; what is certain stays so."""
    if usual in {0.0, 1.0}:
        return usual
    raised = usual * exp(shift)
    return raised / (1 - usual + raised)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How often an agent has spoken already."""

    here: int = 0
    """In the conversation."""
    today: int = 0
    """To whoever speaks to it, within 24 hours, in any."""

    @property
    def is_enough(self) -> bool:
        return self.here >= MOST_ANSWERS or self.today >= MOST_ANSWERS_A_DAY

    def strain(self, relationship: Relationship) -> float:
        """Return how many answers have cost the agent something: of whom it likes fewer."""
        counted = self.here + max(0, self.today - EASY_ANSWERS)
        return counted * (1 - max(0.0, relationship.affinity))


def chances_of(
    config: AgentConfig,
    mind: Mind,
    relationship: Relationship,
    can: Capabilities,
    *,
    answered: Answered,
) -> dict[Act, float]:
    """Return how likely each thing is that may be done about a post, if the network lets one."""
    usual = config.behavior.interaction_patterns
    tired = 0.0 if answered.is_enough else WEARINESS ** answered.strain(relationship)
    acts = {
        Act.REPLY: (can.replies, usual.reply_probability, tired),
        Act.QUOTE: (can.quotes, usual.quote_probability, tired),
        Act.REPOST: (can.reposts, usual.repost_probability, 1.0),
        Act.LIKE: (can.likes, usual.like_probability, 1.0),
    }
    return {
        act: round(likelihood(often, relationship, mind) * factor, 6)
        for act, (is_allowed, often, factor) in acts.items()
        if is_allowed
    }


def choose_acts(chances: dict[Act, float], chance: random.Random) -> tuple[Act, ...]:
    """Return what to do about a post: answer it, or else quote or repost it; and like it."""
    drawn = [act for act, likely in chances.items() if chance.random() < likely]
    words = [act for act in drawn if act is not Act.LIKE][:1]
    return tuple(words + [act for act in drawn if act is Act.LIKE]) or (Act.SILENCE,)
