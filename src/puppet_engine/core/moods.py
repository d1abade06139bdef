"""The nouns of what an agent feels, and of what has moved it."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from puppet_engine.core.nouns import Noun

Feeling = Annotated[float, Field(ge=-1, le=1)]


class Impulse(Noun):
    """How far an event would move somebody who is at rest and feels everything to the full."""

    valence: Feeling = 0
    """Towards misery, or bliss."""
    arousal: Feeling = 0
    """Towards sleep, or frenzy."""


class MoodState(Noun):
    """What an agent feels at a moment."""

    valence: Feeling
    arousal: Feeling
    as_of: AwareDatetime
    unanswered: Annotated[int, Field(ge=0)] = 0
    """How many posts in a row nobody has said anything to."""
    heard: int = 0
    """The number of the last tiding it was moved by."""
    told: int = 0
    """The number of the last tiding it has posted about."""


class MoodChange(Noun):
    """One moment at which something moved an agent."""

    event: str
    """The type of what happened: `mention.received`."""
    impulse: Impulse
    before: MoodState
    """The mood at that moment: what it was last, and has faded to since."""
    after: MoodState
    reason: str
    """For people; without anybody's words."""
